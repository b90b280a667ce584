//! Restoring an archive into a PostgreSQL server: a [`plan`](plan()) made from the archive's table of contents, then an
//! executor that carries it out.
//!
//! The plan is pure: entries, options and a few facts of the target in, steps out. So it can be listed, tested and
//! written as a script without a server. The executor knows nothing of options about what to restore; it runs steps,
//! and puts down what the server refuses with the entry that it belongs to.

mod check;
mod dependents;
mod execute;
mod found;
mod non_superuser;
mod options;
mod parallel;
pub(in crate::postgres) mod plan;
mod prepare;
mod preview;
mod security_definers;
pub(in crate::postgres) mod source;
mod summary;
mod writable;

use std::borrow::BorrowMut;
use std::io::Read;

use bstr::BStr;
use pgformat::Reader;

pub use dependents::{Dependent, Doubt};
pub use execute::one_session::Connect;
pub(crate) use execute::one_session::OneSession;
use execute::run::execute;
pub use found::{Found, Relation};
pub use non_superuser::role_limits::RoleLimits;
pub use options::RestoreOptions;
pub use plan::{Action, Destination, Heading, Plan, Purpose, Step, plan};
use prepare::{Prepared, prepare};
pub use preview::{Preview, preview};
use source::{Readers, Source};
pub use summary::{EntryError, RestoreSummary, Stay};
pub use writable::refuse_standby;

use crate::cancellation::Registration;
use crate::postgres::archive::select;
use crate::progress::Reporter;
use crate::wire::{Connection, sqlstate};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// Restores the archive that `archive` reads into the database that `target` is connected to, over that connection alone.
///
/// What the server refuses is in the summary; see [`RestoreSummary::is_complete`].
///
/// # Errors
/// [`ErrorKind::Refused`] without `force`, before anything is changed; options that name what
/// is not in the archive, or that need more connections; an archive that is damaged or cut off, before anything is changed
/// where its input can seek; a lost connection. With `single_transaction` nothing was changed then; without, what
/// was restored before the error remains.
pub fn restore<R: Read>(
    target: &mut Connection,
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    let alone = |doing: String| {
        Error::new(ErrorKind::Internal, doing).why("this restore has one connection and no way to make others")
    };
    if options.jobs > 1 {
        return Err(alone(format!("restore over {} connections", options.jobs)));
    }
    let nowhere = |database: &BStr| Err(alone(format!("connect to database \"{database}\"")));
    let nothing_changed = check::nothing_changed(reporter)?;
    with_limit(target, options, |target| {
        let asked = ask(target, &nowhere, archive, options, reporter)?;
        if options.verify {
            check::alone(archive, &asked.plan.wanted, reporter)?;
        }
        carry_out(asked, target, &nowhere, archive, |_| Ok(None), (nothing_changed, reporter))
    })
}

/// Works with a connection that waits for locks as long as the options say. It may be the caller's, who goes on with it.
fn with_limit<T>(
    target: &mut Connection,
    options: &RestoreOptions,
    work: impl FnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    target.limit_time(LOCK_LIMIT, options.lock_wait);
    let done = work(target);
    target.limit_time(LOCK_LIMIT, None);
    done
}

/// As [`restore`]; `connect` makes the connections of the workers, if there are to be several, and with `create` in
/// `options` the one to the database that was made, and `target` becomes that.
///
/// # Errors
/// As [`restore`]; with `create`, an archive that says nothing of its database, or `target` being a connection to that;
/// with `jobs`, an archive that can be read in one way only.
pub fn restore_through<R: Read + Clone + Send + 'static>(
    target: &mut Connection,
    connect: &Connect<'_>,
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    restore_from(|| Ok(target), connect, archive, options, reporter)
}

/// As [`restore_through`], into what `open` connects to, which is done while the archive is checked.
///
/// # Errors
/// As [`restore_through`], and those of `open`.
pub fn restore_from<R: Read + Clone + Send + 'static, C: BorrowMut<Connection>>(
    open: impl FnOnce() -> Result<C>,
    connect: &Connect<'_>,
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    let connect = &|database: &BStr| {
        let mut connection = connect(database)?;
        connection.limit_time(LOCK_LIMIT, options.lock_wait);
        Ok(connection)
    };
    let nothing_changed = check::nothing_changed(reporter)?;
    // Without `force`, the restore is going to be refused.
    let wanted =
        if options.verify && options.force { Some(select(archive.entries(), &options.request())?) } else { None };
    let check = match wanted {
        Some(wanted) => check::Check::of(archive, &wanted, options.jobs)?,
        None => None,
    };
    let asking = || {
        let mut target = open()?;
        let asked =
            with_limit(target.borrow_mut(), options, |target| ask(target, connect, archive, options, reporter))?;
        Ok((target, asked))
    };
    let (mut target, asked) = match check {
        Some(check) => check.beside(reporter, asking, |(target, _)| {
            target.borrow_mut().query("SELECT true AS awake", &[]).map(|_| ()).map_err(Error::from)
        })?,
        None => asking()?,
    };
    let readers = |archive: &mut Reader<R>| match options.jobs {
        0 | 1 => Ok(None),
        jobs => source::readers(archive, jobs).map(Some),
    };
    with_limit(target.borrow_mut(), options, |target| {
        carry_out(asked, target, connect, archive, readers, (nothing_changed, reporter))
    })
}

/// The server's setting for how long a statement waits for a lock.
const LOCK_LIMIT: &str = "lock_timeout";

/// Asks the target about all that the restore has to know, and changes nothing.
fn ask<'a, R: Read>(
    target: &mut Connection,
    connect: &Connect<'_>,
    archive: &Reader<R>,
    options: &'a RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<Prepared<'a>> {
    asked(target, connect, archive, options, reporter).map_err(|error| {
        let is_in_vain = error.server().is_some_and(|report| report.is(sqlstate::LOCK_NOT_AVAILABLE));
        if !is_in_vain {
            return error;
        }
        let hint =
            "nothing was changed; wait longer (" + Choice::LockWait + "), or see in pg_stat_activity who has the lock";
        Error::new(error.kind(), "look at what is in the database").source(error).hint(hint)
    })
}

fn asked<'a, R: Read>(
    target: &mut Connection,
    connect: &Connect<'_>,
    archive: &Reader<R>,
    options: &'a RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<Prepared<'a>> {
    if options.literal {
        return prepare(target, archive, options, reporter);
    }
    refuse_standby(target, "restore into this server")?;
    let prepared = prepare(target, archive, options, reporter)?;
    prepared.found.refuse_unforced(&prepared.options)?;
    let prepared = prepared.for_role(target, archive)?;
    prepared.plan.tell_role_limits(reporter);
    if !prepared.options.drop_dependents {
        dependents::refuse(target, connect, &prepared, archive.entries())?;
    }
    Ok(prepared)
}

/// Restores what was planned. `nothing_changed` holds until then.
fn carry_out<R: Read>(
    prepared: Prepared<'_>,
    target: &mut Connection,
    connect: &Connect<'_>,
    archive: &mut Reader<R>,
    readers: impl FnOnce(&mut Reader<R>) -> Result<Option<Readers>>,
    (nothing_changed, reporter): (Registration, &dyn Reporter),
) -> Result<RestoreSummary> {
    let entries = archive.shared_entries();
    // Who does what an archive says, no more and no less, may take what is whole of one that was cut off. But nothing is dropped
    // for the sake of what may not be there.
    if !prepared.options.literal || prepared.options.clean {
        source::check_end(archive)?;
    }
    let workers = readers(archive)?;
    let sizes = source::sizes(archive)?;
    let made_by = source::made_by(archive.header());
    let source = Source { data: &mut *archive, sizes, workers, made_by };
    // The archive may have taken long to read.
    if !prepared.options.literal {
        dependents::refuse_and_tell(target, connect, &prepared, &entries, reporter)?;
    }
    drop(nothing_changed);
    let Prepared { plan, options, .. } = &prepared;
    let restoring = || execute(plan, &entries, options, target, connect, source, reporter);
    let summary = reporter.cancellation().run(restoring)?;
    source::finish(archive, reporter);
    Ok(summary)
}
