//! The last look before anything is dropped: whether the tables can be locked, and what would be lost, when nothing can be added
//! to it any more.

use bstr::{BString, ByteSlice};

use crate::postgres::restore::dependents::{Address, Going, Moment, Named, Present, loss, sift};
use crate::postgres::restore::execute::Client;
use crate::postgres::restore::execute::statement::{NO_MORE_LOCKS, more_locks};
use crate::postgres::sessions::{self, OtherSession};
use crate::wire::{Param, Query, sqlstate};
use crate::words::{Choice, Words};
use crate::{Error, Result};

/// How many tables are locked together where they are not to stay locked: others wait for all of them meanwhile.
const TOGETHER: usize = 100;

/// Tries whether the plan's tables can be locked by the time that a lock is waited for: somebody who reads in one of them would
/// have the others dropped, and that one not. Where all is one transaction, they stay locked, and it looks again what would be lost.
///
/// # Errors
/// Somebody has a lock; [`ErrorKind::Refused`](crate::ErrorKind::Refused) if there is now what would be lost; the server's.
pub fn hold(client: &mut Client<'_>) -> Result<()> {
    let job = client.job;
    if job.plan.drops.is_empty() || job.options.create {
        return Ok(());
    }
    if !client.in_transaction() {
        return if job.options.lock_wait.is_some() { try_locks(client) } else { Ok(()) };
    }
    if job.options.drop_dependents {
        return Ok(());
    }
    let present = Present::ask(client.connection)?;
    let roots = present.roots(job.plan, job.entries);
    lock(client, &tables(&present, roots.into_iter().map(|(_, address)| address), false))?;
    // Those of extensions that are dropped, which can be others'.
    let going = Going::ask(client.connection, &present, job.plan, job.entries)?;
    lock(client, &tables(&present, going.addresses.iter().copied(), true))?;
    let lost = sift::lost(client.connection, job.plan, job.entries, Moment::Held)?.certain;
    if lost.is_empty() {
        return Ok(());
    }
    let rows = client.query("SELECT pg_catalog.current_database()::pg_catalog.text AS name", &[])?;
    let database: BString = rows.one()?.string("name")?;
    Err(loss::refusal(&lost, database.as_bstr()))
}

/// A table's OID, and its name for a statement.
type Table = (u32, Vec<u8>);

fn tables(present: &Present, addresses: impl Iterator<Item = Address>, are_members: bool) -> Vec<Table> {
    let named = addresses.filter_map(|address| present.get(address)).filter(|table| table.is_member == are_members);
    let to_lock = |table: &Named| Some((table.address.1, table.for_lock()?.to_vec()));
    named.filter_map(to_lock).collect()
}

/// Locks the tables that are going to be dropped, and lets them go again.
fn try_locks(client: &mut Client<'_>) -> Result<()> {
    let job = client.job;
    let present = Present::ask(client.connection)?;
    let roots = present.roots(job.plan, job.entries);
    let tables = tables(&present, roots.into_iter().map(|(_, address)| address), false);
    for together in tables.chunks(TOGETHER) {
        client.begin()?;
        let locked = lock(client, together);
        client.roll_back()?;
        match locked {
            // Each table is dropped by itself later, which takes few.
            Err(error) if error.server().is_some_and(|report| report.is(NO_MORE_LOCKS)) => {}
            locked => locked?,
        }
    }
    Ok(())
}

/// Locks tables that are going to be dropped.
fn lock(client: &mut Client<'_>, tables: &[Table]) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let names: Vec<&[u8]> = tables.iter().map(|(_, name)| name.as_slice()).collect();
    let lock = [b"LOCK TABLE ", names.join(b", ".as_slice()).as_slice(), b" IN ACCESS EXCLUSIVE MODE"].concat();
    match client.attempt(&lock)? {
        // Whoever may not lock a table may not drop it either, and that is told with its entry.
        Some(error) if error.server().is_none_or(|report| !report.is(sqlstate::INSUFFICIENT_PRIVILEGE)) => {
            let is = |code| error.server().is_some_and(|report| report.is(code));
            let hint = if is(NO_MORE_LOCKS) {
                "nothing was changed; " + more_locks()
            } else if is(sqlstate::LOCK_NOT_AVAILABLE) {
                "nothing was changed; " + in_vain(client, tables)
            } else {
                "nothing was changed".into()
            };
            Err(Error::new(error.kind(), "lock the tables that are replaced").source(error).hint(hint))
        }
        _ => Ok(()),
    }
}

/// What to do where a lock did not come in time, with those who have locks on these tables.
fn in_vain(client: &mut Client<'_>, tables: &[Table]) -> Words {
    let oids: Vec<u32> = tables.iter().map(|(oid, _)| *oid).collect();
    let query = format!(
        "SELECT {} FROM (SELECT DISTINCT l.pid FROM pg_catalog.pg_locks AS l \
           WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY ($1) AND l.pid <> pg_catalog.pg_backend_pid() \
           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) \
         ) AS l JOIN LATERAL pg_catalog.pg_stat_get_activity(l.pid) AS a ON true ORDER BY a.pid",
        sessions::COLUMNS
    );
    let query = Query::new("who has locks on them", query).param(Param::oids(&oids));
    // If the server does not tell, the error that there is already says more than that.
    let rows = client.run(&query).ok();
    let others: Vec<OtherSession> =
        rows.iter().flat_map(|rows| rows.iter()).filter_map(|row| OtherSession::of(row).ok()).collect();
    let or_longer = "wait longer (" + Choice::LockWait + "), or end it with pg_terminate_backend(PROCESS)";
    match others.is_empty() {
        true => or_longer,
        false => Words::from(format!("in the way: {}; ", sessions::in_words(&others))) + or_longer,
    }
}
