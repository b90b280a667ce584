//! The last look at what would be lost, when nothing can be added to it any more.

use bstr::{BString, ByteSlice};

use crate::postgres::restore::dependents::{Address, Going, Moment, Named, Present, loss, sift};
use crate::postgres::restore::execute::Client;
use crate::postgres::restore::execute::statement::{NO_MORE_LOCKS, more_locks};
use crate::wire::sqlstate;
use crate::{Error, Result};

/// Looks again when the plan's tables are locked, in the transaction that drops them.
///
/// # Errors
/// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if there is now what would be lost; the server's.
pub fn hold(client: &mut Client<'_>) -> Result<()> {
    let job = client.job;
    if !client.in_transaction() || job.options.drop_dependents || job.plan.drops.is_empty() {
        return Ok(());
    }
    let present = Present::ask(client.connection)?;
    let names = |addresses: &mut dyn Iterator<Item = Address>, are_members: bool| -> Vec<Vec<u8>> {
        let named = addresses.filter_map(|address| present.get(address)).filter(|table| table.is_member == are_members);
        named.filter_map(Named::for_lock).map(<[u8]>::to_vec).collect()
    };
    let roots = present.roots(job.plan, job.entries);
    lock(client, &names(&mut roots.into_iter().map(|(_, address)| address), false))?;
    // Those of extensions that are dropped, which can be others'.
    let going = Going::ask(client.connection, &present, job.plan, job.entries)?;
    lock(client, &names(&mut going.addresses.iter().copied(), true))?;
    let lost = sift::lost(client.connection, job.plan, job.entries, Moment::Held)?.certain;
    if lost.is_empty() {
        return Ok(());
    }
    let rows = client.query("SELECT pg_catalog.current_database()::pg_catalog.text AS name", &[])?;
    let database: BString = rows.one()?.string("name")?;
    Err(loss::refusal(&lost, database.as_bstr()))
}

/// Locks tables that are going to be dropped.
fn lock(client: &mut Client<'_>, tables: &[Vec<u8>]) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let lock = [b"LOCK TABLE ", tables.join(b", ".as_slice()).as_slice(), b" IN ACCESS EXCLUSIVE MODE"].concat();
    match client.attempt(&lock)? {
        // Whoever may not lock a table may not drop it either, and that is told with its entry.
        Some(error) if error.server().is_none_or(|report| !report.is(sqlstate::INSUFFICIENT_PRIVILEGE)) => {
            let is_full = error.server().is_some_and(|report| report.is(NO_MORE_LOCKS));
            let hint = if is_full { "nothing was changed; " + more_locks() } else { "nothing was changed".into() };
            Err(Error::new(error.kind(), "lock the tables that are replaced").source(error).hint(hint))
        }
        _ => Ok(()),
    }
}
