//! How a dump begins: lock, then snapshot, then look.
//!
//! A first, short transaction finds the tables. The second one locks them by their names before it has a snapshot, which
//! its first query takes: so everything that the snapshot says of a table that is locked holds until the transaction
//! ends. What is in the snapshot and is not locked has come or changed in between, and what cannot be locked is compared
//! when the catalog was read: where something is not as it was, all of it begins again.

use super::super::changes::{self, Fresh};
use super::super::emit::Contents;
use super::super::session::{Session, SnapshotName, View};
use super::super::{catalog, data, paused_replay, table_locks};
use super::{DumpOptions, plan};
use bstr::ByteSlice;

use crate::error::{Error, ErrorKind, Result};
use crate::printable;
use crate::progress::{Message, Reporter};
use crate::wire::{Connection, sqlstate};
use crate::words::{Choice, Words};

/// How often a dump is begun, if others change what is being read just while it is begun.
const ATTEMPTS: u32 = 10;

/// How many warnings of the server's are passed on that it gives at login.
const LOGIN_WARNINGS: usize = 10;

/// A dump that has begun.
pub(in crate::postgres) struct Begun {
    /// The sessions, all in one snapshot; the first holds the locks.
    pub(in crate::postgres) sessions: Vec<Session>,
    /// What the archive will contain.
    pub(in crate::postgres) contents: Contents,
}

/// Begins a dump, again and again if need be.
///
/// # Errors
/// The database cannot be read, holds something that cannot be dumped completely, or is changed all the time.
pub(in crate::postgres) fn begin(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    reporter: &dyn Reporter,
) -> Result<Begun> {
    let mut attempts = 1;
    let mut session = Session::new(connect()?)?;
    pass_on_warnings(&mut session, reporter);
    loop {
        let error = match lock_and_look(&mut session, connect, options, reporter) {
            Ok((mut sessions, contents)) => {
                sessions.insert(0, session);
                return Ok(Begun { sessions, contents });
            }
            Err(error) if is(&error, sqlstate::LOCK_NOT_AVAILABLE) => {
                return Err(waited_in_vain(error, session, options));
            }
            Err(error) => changed(error),
        };
        if options.snapshot.is_some() {
            // It stays the same, and so does what has changed since.
            return Err(error);
        }
        if error.kind() != ErrorKind::Changed || attempts == ATTEMPTS {
            return Err(error);
        }
        // Before the next one: its locks hold others up, and there may be room for one connection only.
        drop(session);
        reporter.message(Message::warning("snapshot", format!("{error}; beginning again")));
        attempts += 1;
        session = Session::new(connect()?)?;
    }
}

/// Says what the server warned of at login: that the password runs out, that it is stored in a way that will not be taken for ever,
/// that the collations' version is another. Who hears of it only from backups that fail has none.
pub(in crate::postgres) fn pass_on_warnings(session: &mut Session, reporter: &dyn Reporter) {
    let warnings = session.connection().take_notices().into_iter().filter(|notice| notice.severity == "WARNING");
    for warning in warnings.take(LOGIN_WARNINGS) {
        reporter.message(Message::warning("the server", printable::notice(&warning)));
    }
}

fn lock_and_look(
    session: &mut Session,
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    reporter: &dyn Reporter,
) -> Result<(Vec<Session>, Contents)> {
    let imported = options.snapshot.as_ref().map(|name| SnapshotName::given(name.as_bstr()));
    match &imported {
        None => {
            session.begin(options, View::Now)?;
            session.look(options)?;
            let tables = catalog::tables(session, options)?;
            session.end()?;

            session.begin(options, if options.serializable_deferrable { View::Serializable } else { View::Now })?;
            reporter.cancellation().check()?;
            table_locks::lock(session.connection(), &tables)?;
            session.look(options)?;
        }
        Some(name) => {
            session.begin(options, View::Imported(name))?;
            session.look(options)?;
            let tables = catalog::tables(session, options)?;
            reporter.cancellation().check()?;
            table_locks::lock(session.connection(), &tables)?;
        }
    }
    let locked = session.locked()?;
    let mut others = Vec::new();
    if options.jobs > 1 {
        let snapshot = match &imported {
            Some(name) => name.clone(),
            None => session.export_snapshot()?,
        };
        for _ in 1..options.jobs {
            let mut other = Session::new(connect()?)?;
            other.begin(options, View::Shared(&snapshot))?;
            other.look(options)?;
            session.check_same_read_point(&other)?;
            others.push(other);
        }
    }
    let contents = plan(session, options, &locked, reporter)?;
    let tables: Vec<u32> = locked.into_iter().collect();
    let all = [changes::DEFINITIONS, changes::TABLES];
    let watches = if imported.is_some() { &all[..] } else { &all[..1] };
    let changed = match session.is_undisturbed()? {
        true => Vec::new(),
        false => changes::since_snapshot(session, watches, &tables, |_| {
            let mut fresh = Session::new(connect()?)?;
            fresh.begin(options, View::Now)?;
            fresh.look(options)?;
            Ok(Fresh::Another(Box::new(fresh)))
        })?,
    };
    match changed.is_empty() {
        true => Ok((others, contents)),
        false if imported.is_some() => Err(changes::error_since("the snapshot was taken", &changed)),
        false => Err(changes::error("the catalog was being read", &changed)),
    }
}

/// Checks that the rows which were copied are those of the snapshot, as far as others could have had a hand in it. It ends
/// the transaction of `session`. `tables` are the OIDs of the tables whose rows were copied.
///
/// # Errors
/// [`ErrorKind::Changed`] if somebody had.
pub(in crate::postgres) fn check_data(session: &mut Session, options: &DumpOptions, tables: &[u32]) -> Result<()> {
    if tables.is_empty() {
        return session.end();
    }
    let all = [changes::DATA, changes::POLICIES];
    let watches = if options.row_security { &all[..] } else { &all[..1] };
    let changed = changes::since_snapshot(session, watches, tables, |session| {
        session.end()?;
        session.begin(options, View::Now)?;
        session.look(options)?;
        Ok(Fresh::Same)
    })?;
    // A pooler closes the connection of a client that leaves in the middle of a transaction.
    session.end()?;
    match changed.is_empty() {
        true => Ok(()),
        false => Err(changes::error("data were being copied", &changed)),
    }
}

fn is(error: &Error, code: &str) -> bool {
    error.server().is_some_and(|report| report.is(code))
}

/// The error as one that says that somebody changed something, if that is what it comes from.
pub(in crate::postgres) fn changed(error: Error) -> Error {
    let is_changed = match error.kind() {
        // A division by zero says that a sequence's name has become another relation's (`relation/sequence.rs`).
        ErrorKind::Server | ErrorKind::Incomplete => error
            .server()
            .is_some_and(|report| data::is_about_a_change(report) || report.is(sqlstate::DIVISION_BY_ZERO)),
        // A standby may end the whole session, to take a change over.
        ErrorKind::Connection => is(&error, sqlstate::SERIALIZATION_FAILURE),
        _ => false,
    };
    if !is_changed {
        return error;
    }
    let again = || match paused_replay::is_conflict(&error) {
        true => paused_replay::advice(),
        false => "somebody changes the database just now: run the backup again".into(),
    };
    let hint = error.advice().cloned().unwrap_or_else(again);
    Error::new(ErrorKind::Changed, "read the database as it is at one moment").source(error).hint(hint)
}

/// Adds to an error about a lock that did not come in time, who may have it. The server does not say what it waited for.
fn waited_in_vain(error: Error, mut session: Session, options: &DumpOptions) -> Error {
    let mut holders = || -> Result<Vec<String>> {
        session.end()?;
        session.begin(options, View::Now)?;
        session.look(options)?;
        session.locked_by_others()
    };
    // If the server does not tell, the error that there is already says more than that.
    let held = holders().map(|all| all.join(", ")).unwrap_or_default();
    let error = Error::new(error.kind(), "read the definitions of everything that is backed up").source(error);
    if held.is_empty() {
        return error.hint("wait longer (" + Choice::LockWait + "), or see in pg_stat_activity who holds the lock");
    }
    let held = Words::from(format!("others hold locks that keep everybody out: {held}; wait longer ("));
    error.hint(held + Choice::LockWait + "), or end them")
}
