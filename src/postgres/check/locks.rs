//! Who holds locks that keep a backup out.

use bstr::BString;

use super::Session;
use crate::error::Result;
use crate::postgres::sessions::{COLUMNS, OtherSession};
use crate::wire::{Param, Query, Row};

/// Somebody who holds a lock on a table that lets nobody read it, or waits for one, behind which all others wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockHolder {
    /// The table's schema and name.
    pub table: (BString, BString),
    /// Whether the lock is held; otherwise it is waited for.
    pub is_held: bool,
    /// Who that is.
    pub who: Holder,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A session.
    Session(OtherSession),
    /// A prepared transaction.
    Prepared {
        /// Its name.
        name: BString,
        /// Whose it is.
        role: BString,
        /// When it was prepared, in UTC.
        since: BString,
    },
    /// It went just now.
    Unknown,
}

/// A lock of a prepared transaction has no process. Which one it is, its lock on its own number tells.
fn query() -> String {
    format!(
        "SELECT n.nspname, c.relname, l.granted, a.pid IS NOT NULL AS is_session, p.gid, p.owner, \
           pg_catalog.to_char(pg_catalog.timezone('UTC', p.prepared), 'YYYY-MM-DD HH24:MI:SS') AS prepared, {COLUMNS} \
         FROM pg_catalog.pg_locks AS l \
         JOIN pg_catalog.pg_class AS c ON c.oid = l.relation \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(l.pid) AS a ON l.pid IS NOT NULL \
         LEFT JOIN pg_catalog.pg_locks AS own ON l.pid IS NULL AND own.pid IS NULL \
           AND own.locktype = 'transactionid' AND own.virtualtransaction = l.virtualtransaction \
         LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = own.transactionid \
         WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation = ANY ($1) \
           AND l.database IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d \
             WHERE d.datname = pg_catalog.current_database())) \
           AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() \
         ORDER BY l.granted DESC, 1, 2, l.pid"
    )
}

/// Who holds a lock on one of these tables.
pub(in crate::postgres) fn holders(session: &mut Session, tables: &[u32]) -> Result<Vec<LockHolder>> {
    let rows = session.connection().run(&Query::new("locks", query()).param(Param::oids(tables)))?;
    rows.iter().map(holder).collect()
}

fn holder(row: Row<'_>) -> Result<LockHolder> {
    let prepared = (row.opt_string("gid")?, row.opt_string("owner")?, row.opt_string("prepared")?);
    let who = match prepared {
        _ if row.bool("is_session")? => Holder::Session(OtherSession::of(row)?),
        (Some(name), Some(role), Some(since)) => Holder::Prepared { name, role, since },
        _ => Holder::Unknown,
    };
    Ok(LockHolder { table: (row.string("nspname")?, row.string("relname")?), is_held: row.bool("granted")?, who })
}
