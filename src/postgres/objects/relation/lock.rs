//! Locks on the tables that will be dumped.

use std::collections::HashSet;
use std::time::Duration;

use super::{Relation, RelationKind, data};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::model::{DumpId, Model, Object, Parts};
use crate::sql::Sql;
use crate::wire::{Connection, Param, Query};

/// How long a statement may get; the server could take more, but its logs and its parser need not.
const STATEMENT: usize = 256 * 1024;

/// Locks the tables that will be dumped against changes of their definition, in batches, waiting for each of them no
/// longer than `wait`, where that is given. Other relations cannot be locked.
///
/// # Errors
/// The server refuses a lock, or somebody else has held one for too long, or has written a table anew or renamed it meanwhile.
pub fn lock(connection: &mut Connection, model: &Model, wait: Option<Duration>) -> Result<()> {
    let Some(wait) = wait else {
        lock_tables(connection, model)?;
        return check_unchanged(connection, model);
    };
    let timeout = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).max(1);
    connection.set_local("lock_timeout", timeout.to_string())?;
    lock_tables(connection, model)?;
    connection.set_local("lock_timeout", "0")?;
    check_unchanged(connection, model)
}

/// Checks that the rows that the snapshot sees are still there. A table that was truncated or written anew (as by ALTER
/// TABLE with another type for a column) between the snapshot and the lock is empty for the snapshot, and would be dumped
/// so without a word. Its file is not the one that the snapshot's row of pg_class names. And checks that their names are
/// still theirs: tables are locked and copied by name, and where two have changed names, each has the other's rows.
fn check_unchanged(connection: &mut Connection, model: &Model) -> Result<()> {
    let oids: Vec<u32> = locked(model).filter_map(|object| Some(object.catalog_id?.oid)).collect();
    let query = Query::new(
        "tables that were written anew or renamed",
        "SELECT n.nspname, c.relname, now.renamed FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_catalog.unnest($1) AS o (oid) ON o.oid = c.oid \
         CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(pg_catalog.quote_ident(n.nspname) || '.' \
           || pg_catalog.quote_ident(c.relname)) IS DISTINCT FROM c.oid) AS now (renamed) \
         WHERE now.renamed \
            OR c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid) LIMIT 1",
    );
    let rows = connection.run(&query.param(Param::oids(&oids)))?;
    let Some(row) = rows.iter().next() else { return Ok(()) };
    let name = format!("{}.{}", row.text("nspname")?, row.text("relname")?);
    let why = if row.bool("renamed")? {
        "another table got its name just after the backup began, and would be copied in its stead"
    } else {
        "it was truncated or written anew (by ALTER TABLE, say) just after the backup began, which cannot see its rows"
    };
    Err(Error::new(ErrorKind::Changed, format!("back up the table {name}")).why(why).hint("run the backup again"))
}

/// The tables that are locked: those that are wanted, and those of extensions whose rows are.
fn locked(model: &Model) -> impl Iterator<Item = &Object> {
    let parts = Parts::DEFINITION.or(Parts::DATA).or(Parts::STATISTICS).or(Parts::POLICY);
    let configuration: HashSet<DumpId> = data::configuration_tables(model).into_iter().map(|(id, _)| id).collect();
    model
        .of_kind::<Relation>()
        .filter(|(_, relation)| matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable))
        .filter(move |(object, _)| object.wanted.has(parts) || configuration.contains(&object.id))
        .map(|(object, _)| object)
}

fn lock_tables(connection: &mut Connection, model: &Model) -> Result<()> {
    let mut batch = Sql::new();
    for object in locked(model) {
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
        let code = error.server().map(|e| e.code.to_string());
        // Without the table or its schema: somebody dropped or renamed it since.
        let is_gone = matches!(code.as_deref(), Some("42P01" | "3F000"));
        let kind = if is_gone { ErrorKind::Changed } else { error.kind() };
        let hint = match code.as_deref() {
            Some("53200") => "raise max_locks_per_transaction in the server's configuration",
            Some("55P03") => "wait longer, or see in pg_stat_activity who holds the lock",
            Some("42501") => "the role needs to be allowed to SELECT from every table that is backed up",
            _ => "a table may have been dropped or be locked by somebody else: try again",
        };
        Error::new(kind, "lock the tables against changes of their definition").source(error).hint(hint)
    })
}
