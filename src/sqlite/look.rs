//! What a database is, without reading its rows: what tells it from others, and which migration it has seen last.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use super::contents::WAIT;
use super::digest::quoted;
use super::error::{CallContext, words};
use super::header::Header;
use super::integrity::text;
use super::source::{Opening, Source, pass_over_unknown_collations};
use crate::cancellation::Cancellation;
use crate::error::Result;
use crate::revision::{MOST_BYTES, MigrationTool, Revision, RevisionState, TOOLS, Values};

/// What a database shares with its backups, and other databases need not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The number that says which application the file belongs to; 0 for most.
    pub application_id: i64,
    /// The names of its tables.
    pub tables: BTreeSet<String>,
}

impl Identity {
    /// Whether the other is likely to be the same database at another time: of the same application, and with at least half of their
    /// tables in common. A migration adds and drops tables, but not most of them.
    pub fn may_be(&self, other: &Self) -> bool {
        let common = self.tables.intersection(&other.tables).count();
        let all = self.tables.union(&other.tables).count();
        self.application_id == other.application_id && common * 2 >= all
    }
}

/// What was seen of a database.
#[derive(Debug)]
pub(crate) struct Look {
    /// What its file says of itself.
    pub header: Header,
    /// What tells it from others.
    pub identity: Identity,
    /// What tools that migrate it have written down.
    pub revisions: Vec<Revision>,
}

/// Looks at the database at `path`, which may be in use.
///
/// Fails if there is none, or it cannot be read.
pub(crate) fn look(path: &Path, cancellation: &Cancellation, doing: &str) -> Result<Look> {
    let header = Header::read(path, doing)?;
    let source = Source::open(path, Opening::new(WAIT, cancellation), doing)?;
    let about = CallContext { doing, database: &source.path, written: None, waited: WAIT };
    let read = || -> rusqlite::Result<(Identity, Vec<Revision>)> {
        let connection = &source.connection;
        pass_over_unknown_collations(connection)?;
        let identity = read_identity(connection)?;
        let revisions = TOOLS.iter().filter(|tool| identity.tables.contains(tool.table));
        let revisions = revisions.filter_map(|tool| revision(connection, tool).transpose());
        Ok((identity.clone(), revisions.collect::<rusqlite::Result<Vec<_>>>()?))
    };
    let (identity, revisions) = read().map_err(|error| about.failed(error))?;
    source.check_undisturbed(doing)?;
    Ok(Look { header, identity, revisions })
}

/// What tells the database at `path` from others.
///
/// Fails as [`look`].
pub(crate) fn identity(path: &Path, cancellation: &Cancellation, doing: &str) -> Result<Identity> {
    Header::read(path, doing)?;
    let source = Source::open(path, Opening::new(WAIT, cancellation), doing)?;
    let about = CallContext { doing, database: &source.path, written: None, waited: WAIT };
    let identity = read_identity(&source.connection).map_err(|error| about.failed(error))?;
    source.check_undisturbed(doing)?;
    Ok(identity)
}

fn read_identity(connection: &Connection) -> rusqlite::Result<Identity> {
    let application_id = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?;
    let tables = statement.query_map([], |row| text(row, 0))?.collect::<rusqlite::Result<_>>()?;
    Ok(Identity { application_id, tables })
}

/// What a tool's table says; nothing, if it is another one of that name. A virtual table has code of its own, and is not read.
fn revision(connection: &Connection, tool: &MigrationTool) -> rusqlite::Result<Option<Revision>> {
    let is_virtual = connection.query_row(
        "SELECT sql LIKE 'CREATE VIRTUAL%' FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        [tool.table],
        |row| row.get::<_, Option<bool>>(0),
    )?;
    let mut columns = connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
    let columns = columns.query_map([tool.table], |row| text(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    if is_virtual.unwrap_or(true) || !tool.columns.iter().all(|column| columns.iter().any(|known| known == column)) {
        return Ok(None);
    }
    let state = match rows(connection, tool) {
        Ok(Some(rows)) => tool.state(&rows),
        Ok(None) => RevisionState::Unread(format!("there is more in it than {MOST_BYTES} bytes")),
        Err(error) => RevisionState::Unread(words(&error)),
    };
    Ok(Some(Revision { tool: tool.name, table: tool.table.to_owned(), state }))
}

fn rows(connection: &Connection, tool: &MigrationTool) -> rusqlite::Result<Option<Vec<Values>>> {
    let columns: Vec<String> =
        tool.columns.iter().map(|column| format!("substr(CAST({} AS TEXT), 1, 1000)", quoted(column))).collect();
    let mut statement = connection.prepare(&format!("SELECT {} FROM {}", columns.join(", "), quoted(tool.table)))?;
    let (mut found, mut bytes, mut rows) = (Vec::new(), 0, statement.query([])?);
    while let Some(row) = rows.next()? {
        let mut values = Values::new();
        for column in 0..tool.columns.len() {
            let value = row.get_ref(column)?.as_bytes_or_null().ok().flatten();
            bytes += value.map_or(1, <[u8]>::len);
            values.push(value.map(|value| String::from_utf8_lossy(value).into_owned()));
        }
        if bytes > MOST_BYTES {
            return Ok(None);
        }
        found.push(values);
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(application_id: i64, tables: &[&str]) -> Identity {
        Identity { application_id, tables: tables.iter().map(|table| (*table).to_owned()).collect() }
    }

    #[test]
    fn a_database_is_known_again_by_its_tables() {
        let now = of(7, &["a", "b", "c", "d"]);
        assert!(now.may_be(&now) && now.may_be(&of(7, &["a", "b"])) && now.may_be(&of(7, &["a", "b", "c", "d", "e"])));
        assert!(!now.may_be(&of(8, &["a", "b", "c", "d"])) && !now.may_be(&of(7, &["a", "x"])));
        assert!(of(0, &[]).may_be(&of(0, &[])) && !of(0, &[]).may_be(&of(0, &["a"])));
    }
}
