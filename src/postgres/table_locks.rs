//! Locks on the tables that will be dumped.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::sql::Sql;
use crate::wire::{Connection, sqlstate};

/// How long a statement may get; the server could take more, but its logs and its parser need not.
const STATEMENT: usize = 256 * 1024;

/// How many tables an error names.
const NAMED: usize = 5;

/// A table that is to be locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedTable {
    /// Its OID.
    pub oid: u32,
    /// The name of its schema.
    pub schema: BString,
    /// Its name.
    pub name: BString,
}

/// Locks `tables` against changes of their definition, in batches. It takes no snapshot.
///
/// # Errors
/// The server refuses a lock, or somebody else has held one for too long.
pub fn lock(connection: &mut Connection, tables: &[LockedTable]) -> Result<()> {
    let mut batch = Sql::new();
    for table in tables {
        // Children are in the list themselves if they are to be dumped.
        batch.kw(if batch.is_empty() { "LOCK TABLE ONLY " } else { ", ONLY " });
        batch.qualified(table.schema.as_bstr(), table.name.as_bstr());
        if batch.as_bstr().len() >= STATEMENT {
            run(connection, std::mem::take(&mut batch))?;
        }
    }
    if batch.is_empty() { Ok(()) } else { run(connection, batch) }
}

/// Checks that every table of the snapshot that will be dumped is one whose lock was there before it: by its OID, since
/// tables were locked by names that they may have had only until then. Nothing that the snapshot says of them, their names
/// and their files included, can change any more.
///
/// # Errors
/// [`ErrorKind::Changed`] if one is not.
pub fn check(wanted: &[LockedTable], locked: &HashSet<u32>) -> Result<()> {
    let others: Vec<&LockedTable> = wanted.iter().filter(|table| !locked.contains(&table.oid)).collect();
    if others.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = others.iter().take(NAMED).map(|t| format!("{}.{}", t.schema, t.name)).collect();
    let more = others.len() - named.len();
    let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
    Err(Error::new(ErrorKind::Changed, format!("lock all tables before looking at them: {}{tail}", named.join(", ")))
        .why("they were made or renamed, or another table got their name, just as the backup began")
        .hint("run the backup again"))
}

fn run(connection: &mut Connection, mut batch: Sql) -> Result<()> {
    batch.kw(" IN ACCESS SHARE MODE");
    connection.execute(batch.as_bstr()).map_err(Error::from).map_err(|error| {
        let hint = match error.server().map(|report| report.code.to_string()).as_deref() {
            Some(sqlstate::OUT_OF_MEMORY) => "raise max_locks_per_transaction in the server's configuration",
            Some(sqlstate::LOCK_NOT_AVAILABLE) => "wait longer, or see in pg_stat_activity who holds the lock",
            Some(sqlstate::INSUFFICIENT_PRIVILEGE) => {
                "the role needs to be allowed to SELECT from every table that is backed up"
            }
            _ => "a table may have been dropped or be locked by somebody else: try again",
        };
        Error::new(error.kind(), "lock the tables against changes of their definition")
            .source(error)
            .statement(batch.as_bstr())
            .hint(hint)
    })
}
