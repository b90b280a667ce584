//! Who holds locks that keep a backup out.

use bstr::BString;

use super::Session;
use crate::error::Result;
use crate::wire::{Param, Query, Row};

/// Somebody who holds a lock on a table that lets nobody read it, or waits for one, behind which all others wait.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LockHolder {
    /// The table's schema and name.
    pub table: (BString, BString),
    /// Whether the lock is held; otherwise it is waited for.
    pub is_held: bool,
    /// The server's process; none for a prepared transaction.
    pub pid: Option<i32>,
    /// The name of a prepared transaction.
    pub prepared: Option<BString>,
    /// The role.
    pub user: Option<BString>,
    /// What the session calls itself.
    pub application: Option<BString>,
    /// When its transaction began, in UTC; not everybody may know.
    pub since: Option<BString>,
    /// How long ago that is, in seconds.
    pub seconds: Option<f64>,
}

/// A lock of a prepared transaction has no process. Which one it is, its lock on its own number tells.
const HOLDERS: &str = "\
    SELECT n.nspname, c.relname, l.granted, l.pid, p.gid, coalesce(a.usename, p.owner) AS usename, \
           nullif(a.application_name, '') AS application, \
           pg_catalog.to_char(pg_catalog.timezone('UTC', s.began), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since, \
           pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - s.began) AS seconds \
    FROM pg_catalog.pg_locks AS l \
    JOIN pg_catalog.pg_class AS c ON c.oid = l.relation \
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid \
    LEFT JOIN pg_catalog.pg_locks AS own ON l.pid IS NULL AND own.pid IS NULL \
      AND own.locktype = 'transactionid' AND own.virtualtransaction = l.virtualtransaction \
    LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = own.transactionid \
    CROSS JOIN LATERAL (SELECT coalesce(a.xact_start, p.prepared)) AS s (began) \
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation = ANY ($1) \
      AND l.database IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d \
        WHERE d.datname = pg_catalog.current_database())) \
      AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() \
    ORDER BY l.granted DESC, 1, 2, l.pid";

pub(in crate::postgres) fn holders(session: &mut Session, tables: &[u32]) -> Result<Vec<LockHolder>> {
    let rows = session.connection().run(&Query::new("locks", HOLDERS).param(Param::oids(tables)))?;
    rows.iter().map(holder).collect()
}

fn holder(row: Row<'_>) -> Result<LockHolder> {
    Ok(LockHolder {
        table: (row.string("nspname")?, row.string("relname")?),
        is_held: row.bool("granted")?,
        pid: row.opt_i32("pid")?,
        prepared: row.opt_string("gid")?,
        user: row.opt_string("usename")?,
        application: row.opt_string("application")?,
        since: row.opt_string("since")?,
        seconds: row.opt_f64("seconds")?,
    })
}
