//! The first part of a restore: taking away what is about to be made.
//!
//! The archive's order backwards is not always one in which everything can be dropped: a partition's primary key goes
//! with that of its parent, and an index with the one that it is attached to. So what cannot be dropped is tried again
//! when everything else is gone, as long as that helps: in a transaction of all of it, in transactions of so many, or each by
//! itself, as the restore is asked to. Types and functions that need each other go together; nothing else is
//! ever dropped along with something on purpose.

use std::collections::HashSet;

use crate::Result;
use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::execute::drop::{Drop, Failure, Settings};
use crate::postgres::restore::execute::slots::Slots;
use crate::postgres::restore::execute::{Client, Ledger, batch, drop, drop_failures};
use crate::postgres::restore::plan::Action;
use crate::progress::{Phase, Unit};
use crate::wire::sqlstate;

/// Does the drops of the plan. Where errors stop the restore, the first that remains leaves the rest as it is: in a transaction
/// of all, or in transactions of so many, what was begun is for the caller to roll back.
pub fn run(client: &mut Client<'_>, ledger: &mut Ledger<'_>) -> Result<()> {
    let job = client.job();
    let mut settings = Settings::default();
    let mut pending = Vec::new();
    for step in &job.plan.drops {
        match &step.action {
            Action::Set(statement) => settings.path = Some(statement.as_slice()),
            Action::Become(statement) => settings.user = Some(statement.as_slice()),
            _ => pending.push(Drop { step, settings }),
        }
    }
    job.reporter.phase(Phase::new("drop", Unit::Steps).of(pending.len() as u64));
    let mut slots = Slots::ask(client)?;
    let left = loop {
        let before = pending.len();
        let failures = round(client, ledger, &mut slots, &pending)?;
        if ledger.is_stopped() {
            return Ok(());
        }
        if !is_sized(client) {
            ledger.add_dropped(before - failures.len());
        }
        let failures = match !failures.is_empty() && failures.len() < before {
            true => failures,
            false => circles(client, ledger, failures)?,
        };
        if ledger.is_stopped() {
            return Ok(());
        }
        if failures.is_empty() || failures.len() == before {
            break failures;
        }
        pending = failures.into_iter().map(|failure| failure.drop).collect();
    };
    job.reporter.advance(left.len() as u64);
    for Failure { drop, error } in left {
        drop_failures::put_down(client, ledger, drop.step.entry, error);
        if ledger.is_stopped() {
            return Ok(());
        }
    }
    // The plan goes on from where the last drop left it, which need not be the one that was tried last.
    settings.set(client)
}

/// Whether the drops are done in transactions of so many.
fn is_sized(client: &Client<'_>) -> bool {
    let options = client.job().options;
    options.transaction_size.is_some() && !options.create
}

/// Tries each of these drops once; those that failed.
fn round<'a>(
    client: &mut Client<'_>,
    ledger: &mut Ledger<'_>,
    slots: &mut Slots,
    pending: &[Drop<'a>],
) -> Result<Vec<Failure<'a>>> {
    let size = client.job().options.transaction_size.and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|_| is_sized(client)).unwrap_or(usize::MAX);
    let mut failures = Vec::new();
    for drops in pending.chunk_by(|a, b| a.settings == b.settings) {
        for drops in drops.chunks(size) {
            let is_sized = is_sized(client);
            if is_sized {
                client.begin()?;
            }
            let mut failed = together(client, ledger, slots, drops)?;
            if is_sized && !ledger.is_stopped() {
                // What comes after an error that remains is not to be dropped any more.
                failed = drop_failures::sort_out(client, ledger, failed)?;
            }
            if ledger.is_stopped() {
                return Ok(failures);
            }
            if is_sized {
                client.commit(ledger)?;
                // Those of a transaction that an error ends later are gone all the same.
                ledger.add_dropped(drops.len() - failed.len());
            }
            failures.append(&mut failed);
        }
    }
    Ok(failures)
}

/// Does drops under the same settings; those that failed.
fn together<'a>(
    client: &mut Client<'_>,
    ledger: &mut Ledger<'_>,
    slots: &mut Slots,
    drops: &[Drop<'a>],
) -> Result<Vec<Failure<'a>>> {
    let mut failures = Vec::new();
    if let Some(first) = drops.first() {
        first.settings.set(client)?;
    }
    for drops in drops.chunks(batch::STATEMENTS) {
        let failed = drop::several(client, ledger, drops)?;
        client.job().reporter.advance((drops.len() - failed.len()) as u64);
        if ledger.is_stopped() {
            break;
        }
        let lost: HashSet<EntryIndex> = failed.iter().map(|failure| failure.drop.step.entry).collect();
        let dropped = drops.iter().map(|drop| drop.step.entry).filter(|at| !lost.contains(at));
        slots.leave(client, ledger, dropped);
        failures.extend(failed);
    }
    Ok(failures)
}

/// Drops types that are left because functions of their own hold them, and are held by them: the functions are gone with
/// them. What is left then.
fn circles<'a>(
    client: &mut Client<'_>,
    ledger: &mut Ledger<'_>,
    failures: Vec<Failure<'a>>,
) -> Result<Vec<Failure<'a>>> {
    let (before, is_sized) = (failures.len(), is_sized(client));
    let mut left = Vec::new();
    for failure in failures {
        let Some(statement) = of_circle(client, &failure)? else {
            left.push(failure);
            continue;
        };
        if is_sized {
            client.begin()?;
        }
        failure.drop.settings.set(client)?;
        let step = failure.drop.step;
        left.extend(drop::alone(client, ledger, step, &statement)?.map(|error| Failure { error, ..failure }));
        if ledger.is_stopped() {
            return Ok(left);
        }
        if is_sized {
            client.commit(ledger)?;
        }
    }
    let gone = before - left.len();
    ledger.add_dropped(gone);
    client.job().reporter.advance(gone as u64);
    Ok(left)
}

/// The statement that drops a type along with functions of its own, if nothing else would go along.
fn of_circle(client: &mut Client<'_>, failure: &Failure<'_>) -> Result<Option<Vec<u8>>> {
    let step = failure.drop.step;
    let entry = &client.job().entries[step.entry];
    let statement = match &step.action {
        Action::Drop(statement)
            if failure.error.sqlstate.as_deref() == Some(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST) =>
        {
            drop::with_cascade(entry, statement)
        }
        _ => None,
    };
    match statement {
        Some(statement) if drop::dependents_of_type(client.connection(), entry)?.is_empty() => Ok(Some(statement)),
        _ => Ok(None),
    }
}
