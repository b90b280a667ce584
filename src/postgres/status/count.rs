//! Counting rows: COPY sends them, and they are thrown away.

use std::collections::HashMap;

use bstr::ByteSlice;

use super::Session;
use super::sizes::SizedTable;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::data::is_about_a_change;
use crate::postgres::dump::DumpOptions;
use crate::postgres::session::View;
use crate::postgres::table_locks::{self, LockedTable};
use crate::progress::{Phase, Reporter, Unit};
use crate::sql::Sql;

/// How many rows each table has, by its OID, all at one moment.
///
/// # Errors
/// One cannot be locked or read.
pub(super) fn count(
    session: &mut Session,
    options: &DumpOptions,
    tables: &[&SizedTable],
    reporter: &dyn Reporter,
) -> Result<HashMap<u32, u64>> {
    session.begin(options, View::Now)?;
    let done = count_all(session, options, tables, reporter);
    let ended = if session.connection().is_broken() { Ok(()) } else { session.end() };
    let counted = done?;
    ended?;
    Ok(counted)
}

fn count_all(
    session: &mut Session,
    options: &DumpOptions,
    tables: &[&SizedTable],
    reporter: &dyn Reporter,
) -> Result<HashMap<u32, u64>> {
    let name =
        |table: &&SizedTable| LockedTable { oid: table.oid, schema: table.schema.clone(), name: table.name.clone() };
    let all: Vec<LockedTable> = tables.iter().map(name).collect();
    table_locks::lock(session.connection(), &all)?;
    session.look(options)?;
    table_locks::check(&all, &session.locked()?)?;
    reporter.phase(Phase::new("counting rows", Unit::Steps).of(tables.len() as u64));
    let mut counted = HashMap::new();
    for table in tables {
        reporter.cancellation().check()?;
        reporter.current(&format!("{}.{}", table.schema, table.name));
        counted.insert(table.oid, rows_of(session, table)?);
        reporter.advance(1);
    }
    Ok(counted)
}

/// The rows of a table, by as little of each as can be asked for.
fn rows_of(session: &mut Session, table: &SizedTable) -> Result<u64> {
    const AT_ONCE: usize = 256 * 1024;
    let mut copy = Sql::new();
    copy.kw("COPY ").qualified(table.schema.as_bstr(), table.name.as_bstr());
    if let Some(column) = &table.column {
        copy.kw(" (").ident(column.as_bstr()).kw(")");
    }
    copy.kw(" TO STDOUT");
    let failed = |error: crate::wire::Error| {
        let error = Error::from(error);
        let kind = if error.server().is_some_and(is_about_a_change) { ErrorKind::Changed } else { error.kind() };
        Error::new(kind, format!("count the rows of the table \"{}\".\"{}\"", table.schema, table.name)).source(error)
    };
    let mut rows = session.connection().copy_out(copy.as_bstr()).map_err(failed)?;
    let mut scrap = Vec::new();
    while rows.fill(&mut scrap, AT_ONCE).map_err(failed)? {
        scrap.clear();
    }
    Ok(rows.rows())
}
