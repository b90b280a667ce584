//! The first part of a restore: taking away what is about to be made.
//!
//! The archive's order backwards is not always one in which everything can be dropped: a partition's primary key goes
//! with that of its parent, and an index with the one that it is attached to. So what cannot be dropped is tried again
//! when everything else is gone, as long as that helps: in a transaction of all of it, in transactions of so many, or each by
//! itself, as the restore is asked to. Types and functions that need each other go together; nothing else is
//! ever dropped along with something on purpose. Some of what cannot be dropped can stay; the rest are errors.

use std::collections::HashSet;

use crate::Result;
use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::dependents::{Address, Present, going};
use crate::postgres::restore::execute::drop::{self, Drop, Drops, Failure, Settings};
use crate::postgres::restore::execute::entry_state::Dropped;
use crate::postgres::restore::execute::slots::Slots;
use crate::postgres::restore::execute::{Client, Ledger, batch};
use crate::postgres::restore::plan::Action;
use crate::postgres::restore::summary::EntryError;
use crate::progress::{Level, Phase, Unit};
use crate::wire::sqlstate;

/// The SQLSTATEs of what others depend on, and of what is there because of another: a partition's constraint goes with that of its
/// parent.
const MAY_BE_MENDED: [&str; 2] = [sqlstate::DEPENDENT_OBJECTS_STILL_EXIST, sqlstate::INVALID_TABLE_DEFINITION];
/// What stays in the end, if it still has to: making it anew would change nothing. Up to PostgreSQL 9.0 PL/pgSQL was a language of
/// its own, which is in the archives; now it belongs to an extension, which comes with every database.
const MAY_STAY: [&str; 3] = ["SCHEMA", "EXTENSION", "PROCEDURAL LANGUAGE"];

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
            self.put_down(drop.step.entry, error);
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
                failed = self.sort_out(failed)?;
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
            let failed = self.several(drops)?;
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
            let error = self.alone(failure.drop.step, &statement)?;
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

    /// Puts down drops that will fail again, however much else is dropped, and gives the others back. The first may stop the
    /// restore.
    fn sort_out(&mut self, failures: Vec<Failure<'a>>) -> Result<Vec<Failure<'a>>> {
        if failures.is_empty() {
            return Ok(failures);
        }
        let held = self.held(&failures)?;
        let mut later = Vec::new();
        for failure in failures {
            let at = failure.drop.step.entry;
            let may_be_mended = failure.error.sqlstate.as_deref().is_none_or(|code| MAY_BE_MENDED.contains(&code));
            if self.may_stay(at) || (may_be_mended && !held.contains(&at)) {
                later.push(failure);
                continue;
            }
            self.put_down(at, failure.error);
            if self.ledger.is_stopped() {
                break;
            }
        }
        Ok(later)
    }

    /// The entries of failed drops whose objects are held by something that the plan does not drop.
    fn held(&mut self, failures: &[Failure<'_>]) -> Result<HashSet<EntryIndex>> {
        let failed: HashSet<EntryIndex> = failures.iter().map(|failure| failure.drop.step.entry).collect();
        let Client { job, connection, .. } = self.client;
        let roots = Present::ask(connection)?.roots(job.plan, job.entries);
        let all: Vec<Address> = roots.iter().map(|(_, address)| *address).collect();
        let asked: Vec<(EntryIndex, Address)> = roots.into_iter().filter(|(at, _)| failed.contains(at)).collect();
        let addresses: Vec<Address> = asked.iter().map(|(_, address)| *address).collect();
        let held = going::held(connection, &all, &addresses)?;
        Ok(asked.into_iter().filter(|(_, address)| held.contains(address)).map(|(at, _)| at).collect())
    }

    /// Puts down that something could not be dropped, unless it can stay.
    fn put_down(&mut self, at: EntryIndex, error: EntryError) {
        let job = self.client.job;
        if self.may_stay(at) && error.sqlstate.as_deref() == Some(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST) {
            let detail = match &error.detail {
                Some(detail) => format!(": {detail}"),
                None if kinds::is(&job.entries[at], "PROCEDURAL LANGUAGE") => format!(": {}", error.message),
                None => String::new(),
            };
            job.say(Level::Warning, at, format!("it stays, because other objects depend on it{detail}"));
            self.ledger.change(at, |state| state.dropped = Dropped::Kept);
        } else if !self.ledger.refuse_drop(at, &error) {
            self.ledger.change(at, |state| state.dropped = Dropped::Failed);
            self.ledger.put_down(at, error);
        }
    }

    fn may_stay(&self, at: EntryIndex) -> bool {
        MAY_STAY.iter().any(|desc| kinds::is(&self.client.job.entries[at], desc))
    }
}
