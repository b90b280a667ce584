//! The first part of a restore: taking away what is about to be made.
//!
//! The archive's order backwards is not always one in which everything can be dropped: a partition's primary key goes
//! with that of its parent, and an index with the one that it is attached to. So what cannot be dropped is tried again
//! when everything else is gone, as long as that helps: in a transaction of all of it, in transactions of so many, or each by
//! itself, as the restore is asked to. Types and functions that need each other go together; nothing else is
//! ever dropped along with something on purpose.

use std::collections::HashSet;

use crate::postgres::archive::kinds;
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::execute::statement::NO_MORE_LOCKS;
use crate::postgres::restore::execute::{batch, cascade, lasting, subscription};
use crate::postgres::restore::plan::large_objects;
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::summary::EntryError;
use crate::progress::{Level, Phase, Unit};
use crate::wire::sqlstate;
use crate::{Error, Result};

/// A drop that is still to be done.
#[derive(Clone, Copy)]
struct Drop<'a> {
    step: &'a Step,
    /// The settings that it is to be done under.
    settings: Settings<'a>,
}

/// What must be set for a drop.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Settings<'a> {
    user: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
}

impl Settings<'_> {
    fn set(self, run: &mut Run<'_>) -> Result<()> {
        if let Some(statement) = self.user {
            run.become_user(statement)?;
        }
        // A path to a schema that is not there is not an error.
        self.path.map_or(Ok(()), |statement| Ok(run.target.foreign()?.execute(statement)?))
    }
}

/// Does the drops in `steps`. Where errors stop the restore, the first that remains leaves the rest as it is: in a transaction
/// of all, or in transactions of so many, what was begun is for the caller to roll back.
pub(in crate::postgres::restore) fn run(run: &mut Run<'_>, steps: &[Step]) -> Result<()> {
    let mut settings = Settings::default();
    let mut pending = Vec::new();
    for step in steps {
        match &step.action {
            Action::Set(statement) => settings.path = Some(statement.as_slice()),
            Action::Become(statement) => settings.user = Some(statement.as_slice()),
            _ => pending.push(Drop { step, settings }),
        }
    }
    run.reporter.phase(Phase::new("drop", Unit::Steps).of(pending.len() as u64));
    run.slots = subscription::slots(run, steps)?;
    loop {
        let before = pending.len();
        let failures = round(run, &pending)?;
        if run.summary.stopped {
            return Ok(());
        }
        if !is_sized(run) {
            run.summary.dropped += (before - failures.len()) as u64;
        }
        if !failures.is_empty() && failures.len() < before {
            pending = failures.into_iter().map(|(drop, _)| drop).collect();
            continue;
        }
        let Some(left) = circles(run, failures)? else { return Ok(()) };
        if left.len() < before && !left.is_empty() {
            pending = left.into_iter().map(|(drop, _)| drop).collect();
            continue;
        }
        run.reporter.advance(left.len() as u64);
        for (drop, error) in left {
            remains(run, drop.step.entry, error);
            if run.summary.stopped {
                return Ok(());
            }
        }
        break;
    }
    // The plan goes on from where the last drop left it, which need not be the one that was tried last.
    settings.set(run)
}

/// Tries each of these drops once; those that failed.
fn round<'a>(run: &mut Run<'_>, pending: &[Drop<'a>]) -> Result<Vec<(Drop<'a>, EntryError)>> {
    let size = run.options.transaction_size.and_then(|size| usize::try_from(size).ok());
    let is_sized = is_sized(run);
    let mut failures = Vec::new();
    for drops in pending.chunk_by(|a, b| a.settings == b.settings) {
        for drops in drops.chunks(size.filter(|_| is_sized).unwrap_or(usize::MAX)) {
            if is_sized {
                run.begin()?;
            }
            if let Some(first) = drops.first() {
                first.settings.set(run)?;
            }
            let before = failures.len();
            for drops in drops.chunks(batch::STATEMENTS) {
                let before = failures.len();
                several(run, drops, &mut failures)?;
                run.reporter.advance((drops.len() - (failures.len() - before)) as u64);
                if run.summary.stopped {
                    return Ok(failures);
                }
                let failed: HashSet<usize> = failures[before..].iter().map(|(drop, _)| drop.step.entry).collect();
                let dropped = drops.iter().map(|drop| drop.step.entry).filter(|entry| !failed.contains(entry));
                run.leave_slots(dropped);
            }
            if is_sized {
                // What comes after an error that remains is not to be dropped any more.
                let tried = failures.split_off(before);
                failures.extend(lasting::sort_out(run, tried, |(drop, error)| (drop.step.entry, error))?);
                if run.summary.stopped {
                    return Ok(failures);
                }
                run.commit()?;
                // Those of a transaction that an error ends later are gone all the same.
                run.summary.dropped += (drops.len() - (failures.len() - before)) as u64;
            }
        }
    }
    Ok(failures)
}

/// Whether the drops are done in transactions of so many.
fn is_sized(run: &Run<'_>) -> bool {
    run.options.transaction_size.is_some() && !run.options.create
}

/// Puts down that something could not be dropped, unless it can stay.
pub(in crate::postgres::restore) fn remains(run: &mut Run<'_>, entry: usize, error: EntryError) {
    if !stays(run, entry, &error) && !run.refuse_drop(entry, &error) {
        run.undropped.insert(entry);
        run.put_down_error(entry, error);
    }
}

/// Drops types that are left because functions of their own hold them, and are held by them: the functions are gone with
/// them. What is left then; `None` if the restore is stopped.
fn circles<'a>(
    run: &mut Run<'_>,
    failures: Vec<(Drop<'a>, EntryError)>,
) -> Result<Option<Vec<(Drop<'a>, EntryError)>>> {
    let before = failures.len();
    let mut left = Vec::new();
    let is_sized = is_sized(run);
    for (drop, error) in failures {
        let entry = &run.entries[drop.step.entry];
        let statement = match &drop.step.action {
            Action::Drop(statement) if error.sqlstate.as_deref() == Some(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST) => {
                cascade::with_cascade(entry, statement)
            }
            _ => None,
        };
        match statement {
            Some(statement) if cascade::dependents(run.target, entry)?.is_empty() => {
                if is_sized {
                    run.begin()?;
                }
                drop.settings.set(run)?;
                if let Some(error) = alone(run, drop.step, &statement)? {
                    left.push((drop, error));
                }
                if run.summary.stopped {
                    return Ok(None);
                }
                if is_sized {
                    run.commit()?;
                }
            }
            _ => left.push((drop, error)),
        }
    }
    let gone = (before - left.len()) as u64;
    run.summary.dropped += gone;
    run.reporter.advance(gone);
    Ok(Some(left))
}

/// Whether the object can stay because making it anew would change nothing: a schema, an extension or a language that
/// holds what is not in the archive, or has it depend on it. Up to PostgreSQL 9.0 PL/pgSQL was a language of its own, which
/// is in the archives; now it belongs to an extension, which comes with every database.
fn stays(run: &mut Run<'_>, entry: usize, error: &EntryError) -> bool {
    let is = |desc: &&str| kinds::is(&run.entries[entry], desc);
    let stays = ["SCHEMA", "EXTENSION", "PROCEDURAL LANGUAGE"].iter().any(is)
        && error.sqlstate.as_deref() == Some(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST);
    if stays {
        let detail = match &error.detail {
            Some(detail) => format!(": {detail}"),
            None if is(&"PROCEDURAL LANGUAGE") => format!(": {}", error.message),
            None => String::new(),
        };
        run.say(Level::Warning, entry, format!("it stays, because other objects depend on it{detail}"));
        run.kept.insert(entry);
    }
    stays
}

/// Does several drops.
fn several<'a>(run: &mut Run<'_>, drops: &[Drop<'a>], failures: &mut Vec<(Drop<'a>, EntryError)>) -> Result<()> {
    run.interrupt.check()?;
    let statements: Option<Vec<&[u8]>> = drops.iter().map(|drop| drop.step.statement(run.entries)).collect();
    match statements {
        Some(statements) if !run.is_block => {
            for (drop, result) in drops.iter().zip(run.target.foreign()?.execute_each(&statements)?) {
                if let Err(error) = result
                    && let Some(error) =
                        failure(run, drop.step, drop.step.statement(run.entries).unwrap_or_default(), error.into())?
                {
                    failures.push((*drop, error));
                }
            }
            return Ok(());
        }
        // In one transaction each drop must be kept apart. Most often all can be done, and then that is not needed.
        Some(statements) if run.attempt(&statements.join(b"\n;".as_slice()))?.is_none() => return Ok(()),
        _ => {}
    }
    for drop in drops {
        if let Some(error) = one(run, drop.step)? {
            failures.push((*drop, error));
        }
        if run.summary.stopped {
            break;
        }
    }
    Ok(())
}

/// Does one drop; the error, if it failed.
fn one(run: &mut Run<'_>, step: &Step) -> Result<Option<EntryError>> {
    match &step.action {
        Action::EachLargeObject { before, after, oids_of, .. } => {
            let oids = large_objects::oids(&run.entries[*oids_of])?;
            let mut failure = None;
            for many in oids.chunks(batch::STATEMENTS) {
                let statements: Vec<Vec<u8>> =
                    many.iter().map(|oid| large_objects::statement(before, *oid, after)).collect();
                if run.attempt(&statements.concat())?.is_none() {
                    continue;
                }
                for statement in &statements {
                    let error = alone(run, step, statement)?;
                    failure = failure.or(error);
                }
            }
            Ok(failure)
        }
        Action::Drop(statement) => alone(run, step, statement),
        Action::DropCascade(statement) => {
            let entry = &run.entries[step.entry];
            let dependents = cascade::dependents(run.target, entry)?;
            if dependents.is_empty() {
                return alone(run, step, statement);
            }
            let message = format!("it cannot be dropped without {}, which depend on it", dependents.join(", "));
            Ok(Some(EntryError::other(entry, statement, message)))
        }
        _ => Ok(None),
    }
}

/// Runs a drop; the error, if it failed although there is something to drop.
fn alone(run: &mut Run<'_>, step: &Step, statement: &[u8]) -> Result<Option<EntryError>> {
    match run.attempt(statement)? {
        Some(error) => failure(run, step, statement, error),
        None => Ok(None),
    }
}

/// What to make of a drop's error: nothing, if there is nothing to drop.
fn failure(run: &mut Run<'_>, step: &Step, statement: &[u8], error: Error) -> Result<Option<EntryError>> {
    run.interrupt.check()?;
    if run.target.is_broken() || error.server().is_none() {
        return Err(error);
    }
    let error = EntryError::server(&run.entries[step.entry], statement, &error);
    if run.options.if_exists && error.sqlstate.as_deref().is_some_and(is_absence) {
        run.say(Level::Debug, step.entry, format!("nothing to drop: {}", error.message));
        run.summary.ignored += 1;
        return Ok(None);
    }
    if run.is_block && error.sqlstate.as_deref() == Some(NO_MORE_LOCKS) {
        // Every drop after it would fail alike.
        run.undropped.insert(step.entry);
        run.put_down_error(step.entry, error);
        return Ok(None);
    }
    Ok(Some(error))
}

/// Whether the SQLSTATE says that something is not there. Not every drop has a form that lets that pass: a default's,
/// or that of a constraint of a domain.
pub(in crate::postgres::restore) fn is_absence(sqlstate: &str) -> bool {
    const UNDEFINED: [&str; 5] = [
        sqlstate::UNDEFINED_TABLE,
        sqlstate::UNDEFINED_COLUMN,
        sqlstate::UNDEFINED_OBJECT, // type, and most other objects
        sqlstate::UNDEFINED_FUNCTION,
        sqlstate::INVALID_SCHEMA_NAME,
    ];
    UNDEFINED.contains(&sqlstate)
}
