//! How many rows the tables of a database have, and how much room they take: those that a backup has the rows of.
//!
//! Estimates come from the catalog. Rows are counted as a dump reads them, under its locks and in its snapshot, by COPY: a query over a
//! table that others own would have the planner run the functions that stand in its indexes.

mod count;
mod sizes;

use std::collections::{HashMap, HashSet};

use bstr::BString;

use super::catalog;
use super::check::{Unreadable, Why, holders, unreadable};
use super::dump::{DumpOptions, Running, pass_on_warnings};
use super::session::Session;
use crate::error::Result;
use crate::progress::Reporter;
use crate::wire::Connection;
use sizes::SizedTable;

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct TableStatus {
    /// Its schema.
    pub schema: BString,
    /// Its name.
    pub name: BString,
    /// Its rows.
    pub rows: RowCount,
    /// What it takes on disk, without its indexes; not known while somebody has it locked.
    pub bytes: Option<u64>,
    /// The same with its indexes.
    pub total_bytes: Option<u64>,
}

/// How many rows there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowCount {
    /// So many.
    Exact(u64),
    /// About so many, by what the server has counted last and how large the table is.
    Estimated(u64),
    /// That is not known, for this reason.
    Unknown(String),
}

/// What is in a database.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseStatus {
    /// Its tables, by name. Partitioned ones have no rows of their own.
    pub tables: Vec<TableStatus>,
    /// The number of its large objects.
    pub large_objects: u64,
}

/// Reads how many rows the tables have, counted one by one if they are to be `exact`.
///
/// # Errors
/// There is no connection; the catalog cannot be read; a table that is to be counted cannot be locked in time, or was changed.
pub(crate) fn status(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    exact: bool,
    reporter: &dyn Reporter,
) -> Result<DatabaseStatus> {
    reporter.cancellation().run(|| {
        let running = Running::new(reporter.cancellation())?;
        let mut session = Session::new(running.connect(connect)?)?;
        pass_on_warnings(&mut session, reporter);
        let Seen { mut tables, large_objects, mut unreadable } = session.within(options, look)?;
        let is_missing = |table: &SizedTable, session: &Session| session.is_standby() && table.unlogged;
        let missing: HashSet<u32> =
            tables.iter().filter(|table| is_missing(table, &session)).map(|table| table.oid).collect();
        let counted = if exact {
            let readable: Vec<&SizedTable> = tables
                .iter()
                .filter(|table| !missing.contains(&table.oid) && !unreadable.contains_key(&table.key()))
                .collect();
            count::count(&mut session, options, &readable, reporter)?
        } else {
            unreadable.clear();
            HashMap::new()
        };
        tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        let status = |table: SizedTable| {
            let rows = match (counted.get(&table.oid), unreadable.get(&table.key())) {
                _ if missing.contains(&table.oid) => {
                    RowCount::Unknown("it is unlogged, and a standby has no rows of it".to_owned())
                }
                (Some(rows), _) => RowCount::Exact(*rows),
                (None, Some(why)) => RowCount::Unknown(in_words(*why).to_owned()),
                (None, None) => table.estimate(),
            };
            let SizedTable { schema, name, bytes, total_bytes, .. } = table;
            TableStatus { schema, name, rows, bytes, total_bytes }
        };
        Ok(DatabaseStatus { tables: tables.into_iter().map(status).collect(), large_objects })
    })
}

fn in_words(why: Why) -> &'static str {
    match why {
        Why::NoUsage => "the role may not use its schema",
        Why::NoSelect => "the role may not SELECT from it",
        Why::RowSecurity => "row security hides rows from the role",
    }
}

struct Seen {
    tables: Vec<SizedTable>,
    large_objects: u64,
    unreadable: HashMap<(BString, BString), Why>,
}

fn look(session: &mut Session) -> Result<Seen> {
    let options = DumpOptions::default();
    let (tables, _) = catalog::read_by_a_dump(session, &options)?;
    let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
    // To ask for the size of a table takes a lock on it.
    let locked: HashSet<(BString, BString)> = holders(session, &oids)?.into_iter().map(|holder| holder.table).collect();
    let locked: Vec<u32> = tables
        .iter()
        .filter(|table| locked.contains(&(table.schema.clone(), table.name.clone())))
        .map(|table| table.oid)
        .collect();
    let unreadable = match session.is_superuser() {
        true => HashMap::new(),
        false => unreadable(session, &oids, &[])?
            .into_iter()
            .map(|Unreadable { schema, name, why, .. }| ((schema, name), why))
            .collect(),
    };
    Ok(Seen {
        tables: sizes::read(session, &oids, &locked)?,
        large_objects: sizes::large_objects(session)?,
        unreadable,
    })
}
