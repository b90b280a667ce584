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
pub fn run<'a>(client: &mut Client<'a>, ledger: &mut Ledger<'a>) -> Result<()> {
    let (job, options) = (client.job, client.job.options);
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
    let slots = Slots::ask(client)?;
    let size = options.transaction_size.filter(|_| !options.create);
    let size = size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    Drops { client, ledger, slots, size }.all(pending)?;
    // The plan goes on from where the last drop left it, which need not be the one that was tried last.
    if ledger.is_stopped() { Ok(()) } else { settings.set(client) }
}

struct Drops<'d, 'a> {
    client: &'d mut Client<'a>,
    ledger: &'d mut Ledger<'a>,
    slots: Slots,
    /// How many are done in a transaction, where there are such.
    size: Option<usize>,
}

impl<'a> Drops<'_, 'a> {
    fn all(&mut self, mut pending: Vec<Drop<'a>>) -> Result<()> {
        let left = loop {
            let before = pending.len();
            let mut failures = self.round(&pending)?;
            if self.ledger.is_stopped() {
                return Ok(());
            }
            if self.size.is_none() {
                self.ledger.add_dropped(before - failures.len());
            }
            if failures.is_empty() || failures.len() == before {
                failures = self.circles(failures)?;
            }
            if self.ledger.is_stopped() {
                return Ok(());
            }
            if failures.is_empty() || failures.len() == before {
                break failures;
            }
            pending = failures.into_iter().map(|failure| failure.drop).collect();
        };
        self.client.job.reporter.advance(left.len() as u64);
        for Failure { drop, error } in left {
            drop_failures::put_down(self.client, self.ledger, drop.step.entry, error);
            if self.ledger.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    /// Tries each of these drops once; those that failed.
    fn round(&mut self, pending: &[Drop<'a>]) -> Result<Vec<Failure<'a>>> {
        let (is_sized, size) = (self.size.is_some(), self.size.unwrap_or(usize::MAX));
        let of_settings = pending.chunk_by(|a, b| a.settings == b.settings);
        let mut failures = Vec::new();
        for drops in of_settings.flat_map(|drops| drops.chunks(size)) {
            if is_sized {
                self.client.begin()?;
            }
            let mut failed = self.together(drops)?;
            if is_sized && !self.ledger.is_stopped() {
                // What comes after an error that remains is not to be dropped any more.
                failed = drop_failures::sort_out(self.client, self.ledger, failed)?;
            }
            if self.ledger.is_stopped() {
                break;
            }
            if is_sized {
                self.client.commit(self.ledger)?;
                // Those of a transaction that an error ends later are gone all the same.
                self.ledger.add_dropped(drops.len() - failed.len());
            }
            failures.append(&mut failed);
        }
        Ok(failures)
    }

    /// Does drops under the same settings; those that failed.
    fn together(&mut self, drops: &[Drop<'a>]) -> Result<Vec<Failure<'a>>> {
        let mut failures = Vec::new();
        if let Some(first) = drops.first() {
            first.settings.set(self.client)?;
        }
        for drops in drops.chunks(batch::STATEMENTS) {
            let failed = drop::several(self.client, self.ledger, drops)?;
            self.client.job.reporter.advance((drops.len() - failed.len()) as u64);
            if self.ledger.is_stopped() {
                break;
            }
            let lost: HashSet<EntryIndex> = failed.iter().map(|failure| failure.drop.step.entry).collect();
            let dropped = drops.iter().map(|drop| drop.step.entry).filter(|at| !lost.contains(at));
            self.slots.leave(self.client, self.ledger, dropped);
            failures.extend(failed);
        }
        Ok(failures)
    }

    /// Drops types that are left because functions of their own hold them, and are held by them: the functions are gone with
    /// them. What is left then.
    fn circles(&mut self, failures: Vec<Failure<'a>>) -> Result<Vec<Failure<'a>>> {
        let before = failures.len();
        let mut left = Vec::new();
        for failure in failures {
            let Some(statement) = self.of_circle(&failure)? else {
                left.push(failure);
                continue;
            };
            if self.size.is_some() {
                self.client.begin()?;
            }
            failure.drop.settings.set(self.client)?;
            let error = drop::alone(self.client, self.ledger, failure.drop.step, &statement)?;
            left.extend(error.map(|error| Failure { error, ..failure }));
            if self.ledger.is_stopped() {
                return Ok(left);
            }
            if self.size.is_some() {
                self.client.commit(self.ledger)?;
            }
        }
        let gone = before - left.len();
        self.ledger.add_dropped(gone);
        self.client.job.reporter.advance(gone as u64);
        Ok(left)
    }

    /// The statement that drops a type along with functions of its own, if nothing else would go along.
    fn of_circle(&mut self, failure: &Failure<'_>) -> Result<Option<Vec<u8>>> {
        let step = failure.drop.step;
        let entry = &self.client.job.entries[step.entry];
        let is_held = failure.error.sqlstate.as_deref() == Some(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST);
        match &step.action {
            Action::Drop(statement) if is_held => match drop::with_cascade(entry, statement) {
                Some(statement) if drop::dependents_of_type(self.client.connection, entry)?.is_empty() => {
                    Ok(Some(statement))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }
}
