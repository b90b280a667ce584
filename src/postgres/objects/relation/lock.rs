//! Locks on the tables that will be dumped.

use std::time::Duration;

use super::{Relation, RelationKind};
use crate::error::{Error, Result};
use crate::postgres::model::{Model, Parts};
use crate::sql::Sql;
use crate::wire::Connection;

/// How long a statement may get; the server could take more, but its logs and its parser need not.
const STATEMENT: usize = 256 * 1024;

/// Locks the tables that will be dumped against changes of their definition, in batches, waiting for each of them no
/// longer than `wait`, where that is given. Other relations cannot be locked.
///
/// # Errors
/// The server refuses a lock, or somebody else has held one for too long.
pub fn lock(connection: &mut Connection, model: &Model, wait: Option<Duration>) -> Result<()> {
    let Some(wait) = wait else { return lock_tables(connection, model) };
    let mut timeout = Sql::new();
    timeout.kw("SET lock_timeout = ").num(i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).max(1));
    connection.execute(timeout.as_bstr())?;
    lock_tables(connection, model)?;
    connection.execute(b"SET lock_timeout = 0")
}

fn lock_tables(connection: &mut Connection, model: &Model) -> Result<()> {
    let parts = Parts::DEFINITION.or(Parts::DATA).or(Parts::STATISTICS).or(Parts::POLICY);
    let tables = model
        .of_kind::<Relation>()
        .filter(|(_, relation)| matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable))
        .filter(|(object, _)| object.wanted.has(parts));
    let mut batch = Sql::new();
    for (object, _) in tables {
        // Children are in the list themselves if they are to be dumped.
        batch.kw(if batch.is_empty() { "LOCK TABLE ONLY " } else { ", ONLY " });
        batch.qualified(model.schema_name(object).unwrap_or_default(), object.name.as_ref());
        if batch.as_bstr().len() >= STATEMENT {
            run(connection, std::mem::take(&mut batch))?;
        }
    }
    if batch.is_empty() { Ok(()) } else { run(connection, batch) }
}

fn run(connection: &mut Connection, mut batch: Sql) -> Result<()> {
    batch.kw(" IN ACCESS SHARE MODE");
    connection.execute(batch.as_bstr()).map_err(|error| {
        let kind = error.kind();
        let hint = match error.server().map(|e| e.code.to_string()).as_deref() {
            Some("53200") => "raise max_locks_per_transaction in the server's configuration",
            Some("55P03") => "wait longer, or see in pg_stat_activity who holds the lock",
            Some("42501") => "the role needs to be allowed to SELECT from every table that is backed up",
            _ => "a table may have been dropped or be locked by somebody else: try again",
        };
        Error::new(kind, "lock the tables against changes of their definition").source(error).hint(hint)
    })
}
