//! What becomes of drops that failed: some may succeed when more is gone, some objects can stay, the others are errors.

use std::collections::HashSet;

use crate::Result;
use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::dependents::{Address, Present, going};
use crate::postgres::restore::execute::drop::Failure;
use crate::postgres::restore::execute::entry_state::Dropped;
use crate::postgres::restore::execute::{Client, Ledger};
use crate::postgres::restore::summary::EntryError;
use crate::progress::Level;
use crate::wire::sqlstate;

/// The SQLSTATEs of what others depend on, and of what is there because of another: a partition's constraint goes with that of its
/// parent.
const MAY_BE_MENDED: [&str; 2] = [sqlstate::DEPENDENT_OBJECTS_STILL_EXIST, sqlstate::INVALID_TABLE_DEFINITION];
/// What stays in the end, if it still has to: making it anew would change nothing. Up to PostgreSQL 9.0 PL/pgSQL was a language of
/// its own, which is in the archives; now it belongs to an extension, which comes with every database.
const MAY_STAY: [&str; 3] = ["SCHEMA", "EXTENSION", "PROCEDURAL LANGUAGE"];

/// Puts down drops that will fail again, however much else is dropped, and gives the others back. The first may stop the restore.
pub fn sort_out<'a>(
    client: &mut Client<'_>,
    ledger: &mut Ledger<'_>,
    failures: Vec<Failure<'a>>,
) -> Result<Vec<Failure<'a>>> {
    if failures.is_empty() {
        return Ok(failures);
    }
    let held = held(client, &failures)?;
    let mut later = Vec::new();
    for failure in failures {
        let at = failure.drop.step.entry;
        let may_be_mended = failure.error.sqlstate.as_deref().is_none_or(|code| MAY_BE_MENDED.contains(&code));
        if may_stay(client, at) || (may_be_mended && !held.contains(&at)) {
            later.push(failure);
            continue;
        }
        put_down(client, ledger, at, failure.error);
        if ledger.is_stopped() {
            break;
        }
    }
    Ok(later)
}

/// The entries of failed drops whose objects are held by something that the plan does not drop.
fn held(client: &mut Client<'_>, failures: &[Failure<'_>]) -> Result<HashSet<EntryIndex>> {
    let failed: HashSet<EntryIndex> = failures.iter().map(|failure| failure.drop.step.entry).collect();
    let job = client.job;
    let roots = Present::ask(client.connection)?.roots(job.plan, job.entries);
    let all: Vec<Address> = roots.iter().map(|(_, address)| *address).collect();
    let asked: Vec<(EntryIndex, Address)> = roots.into_iter().filter(|(at, _)| failed.contains(at)).collect();
    let addresses: Vec<Address> = asked.iter().map(|(_, address)| *address).collect();
    let held = going::held(client.connection, &all, &addresses)?;
    Ok(asked.into_iter().filter(|(_, address)| held.contains(address)).map(|(at, _)| at).collect())
}

/// Puts down that something could not be dropped, unless it can stay.
pub fn put_down(client: &Client<'_>, ledger: &mut Ledger<'_>, at: EntryIndex, error: EntryError) {
    if may_stay(client, at) && error.sqlstate.as_deref() == Some(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST) {
        let detail = match &error.detail {
            Some(detail) => format!(": {detail}"),
            None if kinds::is(&client.job.entries[at], "PROCEDURAL LANGUAGE") => format!(": {}", error.message),
            None => String::new(),
        };
        client.job.say(Level::Warning, at, format!("it stays, because other objects depend on it{detail}"));
        ledger.change(at, |state| state.dropped = Dropped::Kept);
    } else if !ledger.refuse_drop(at, &error) {
        ledger.change(at, |state| state.dropped = Dropped::Failed);
        ledger.put_down(at, error);
    }
}

fn may_stay(client: &Client<'_>, at: EntryIndex) -> bool {
    MAY_STAY.iter().any(|desc| kinds::is(&client.job.entries[at], desc))
}
