//! The newest migration, out of the table in which a tool has written it down.
//!
//! Whoever owns such a table may have planted something on it: an index on an expression is enough for the planner to run a function of
//! his. So it is not queried: its rows are copied, as a dump copies rows, out of an ordinary table only, of columns of the server's own
//! types, and not more than a tool would write.

use bstr::{BStr, BString, ByteSlice};

use super::{Session, is_locked_out};
use crate::error::Result;
use crate::postgres::dump::DumpOptions;
use crate::revision::{MOST_BYTES, MigrationTool, Revision, RevisionState, TOOLS, Values};
use crate::sql::Sql;
use crate::wire::{Connection, Param, Query};

/// Tables that may be such, with what can be read of their columns: those of the server's own types of text and numbers, which are
/// not computed.
const TABLES: &str = "\
    SELECT n.nspname, c.relname, \
           pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_read, \
           pg_catalog.row_security_active(c.oid) AS is_filtered, \
           ARRAY (SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute AS a \
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.atttypid = ANY \
               ('{boolean,smallint,integer,bigint,text,varchar}'::pg_catalog.regtype[]::pg_catalog.oid[])) AS columns \
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relname = ANY ($1) \
    ORDER BY 1, 2 LIMIT 20";

struct Found {
    schema: BString,
    name: BString,
    may_read: bool,
    columns: Vec<BString>,
}

/// The newest migration of each table that looks like a tool's. A connection is broken off in the middle of a table that has too much
/// in it; the next one is read over another.
///
/// # Errors
/// The catalog cannot be read, or a connection is lost.
pub(super) fn revisions(
    mut session: Session,
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
) -> Result<Vec<Revision>> {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.table).collect();
    let tables = session.within(options, |session| {
        let rows = session.connection().run(&Query::new("tables of migrations", TABLES).param(Param::texts(&names)))?;
        rows.iter()
            .map(|row| {
                Ok(Found {
                    schema: row.string("nspname")?,
                    name: row.string("relname")?,
                    may_read: row.opt_bool("may_read")?.unwrap_or(false) && !row.bool("is_filtered")?,
                    columns: row.texts("columns")?.into_iter().flatten().collect(),
                })
            })
            .collect::<Result<Vec<Found>>>()
    })?;
    let mut revisions = Vec::new();
    for table in tables {
        let Some(tool) = TOOLS.iter().find(|tool| table.name == tool.table) else { continue };
        let has = |column: &&str| table.columns.iter().any(|known| known == column.as_bytes().as_bstr());
        // Another table of that name.
        if !tool.columns.iter().all(has) {
            continue;
        }
        let mut revision = Revision {
            tool: tool.name,
            table: format!("{}.{}", table.schema, table.name),
            state: RevisionState::Unread("the role may not read it".to_owned()),
        };
        if table.may_read {
            if session.connection().is_broken() {
                session = Session::new(connect()?)?;
            }
            revision.state = state(&mut session, options, &table, tool)?;
        }
        revisions.push(revision);
    }
    Ok(revisions)
}

fn state(session: &mut Session, options: &DumpOptions, table: &Found, tool: &MigrationTool) -> Result<RevisionState> {
    let read = session.within(options, |session| read(session, table, tool));
    match read {
        Ok(Some(rows)) => Ok(tool.state(&rows)),
        Ok(None) => Ok(RevisionState::Unread(format!("there is more in it than {MOST_BYTES} bytes"))),
        Err(error) if is_locked_out(&error) => Ok(RevisionState::Unread("it is locked".to_owned())),
        // It may have been dropped just now.
        Err(error) if error.server().is_some() && !session.connection().is_broken() => {
            Ok(RevisionState::Unread(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// The values in the tool's columns; `None` if there is too much of them.
fn read(session: &mut Session, table: &Found, tool: &MigrationTool) -> Result<Option<Vec<Values>>> {
    let mut copy = Sql::new();
    copy.kw("COPY ").qualified(table.schema.as_bstr(), table.name.as_bstr()).kw(" (");
    copy.idents(tool.columns.iter().map(BStr::new));
    copy.kw(") TO STDOUT");
    let mut rows = Vec::new();
    let mut out = session.connection().copy_out(copy.as_bstr())?;
    while out.fill(&mut rows, MOST_BYTES)? {
        if rows.len() >= MOST_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(rows.lines().map(|line| line.split_str(b"\t").map(value).collect()).collect()))
}

/// A value as COPY writes it. What it has of escapes stays: no tool writes such.
fn value(text: &[u8]) -> Option<String> {
    (text != b"\\N").then(|| text.to_str_lossy().into_owned())
}
