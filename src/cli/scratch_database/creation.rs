//! How a scratch database goes away: at the end of the work that it was made for, and when a signal ends that in the middle.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bstr::BStr;

use super::Purpose;
use crate::connect::Target;
use crate::postgres::restore::OneSession;
use crate::postgres::swap::{Given, Giving};
use crate::wire::{CancelHandle, Connection, Param, Query, sqlstate};
use crate::{Error, ErrorKind, Result};

/// How long is waited before something is tried again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long one request to cancel may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far the making of a scratch database has come, for the one who makes it and the one who ends the work.
pub(super) struct Creation {
    stage: Mutex<Stage>,
    /// Its OID, as soon as it is known.
    oid: OnceLock<u32>,
    cancel: CancelHandle,
    /// What cancels the giving away.
    giving: Mutex<Option<CancelHandle>>,
    purpose: &'static Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is none: not yet, or the server has refused to make it.
    None,
    /// The statement is on its way, and the database may come to be at any time.
    Running,
    /// It is there, or may be: the server has made it, or its answer is lost.
    Made,
    /// It is being given away.
    Giving,
    /// A signal has asked for the end of that.
    Stopping,
    /// It is being given away, and what will have become of it is known soon.
    Committing,
    /// It is another's now, under another name.
    Given,
    /// It may be another's now.
    NotKnown,
    /// A signal has ended the work, and the database is being dropped or will never be.
    Ended,
}

/// What is left where a signal has ended the work.
enum Left {
    /// There is no database.
    Nothing,
    /// There may be one.
    Database,
    /// There is one, which is none to be dropped.
    Given,
    /// There is one, and nobody knows whose it is.
    NotKnown,
}

impl Creation {
    /// Not begun; `cancel` is of the connection that will make it.
    pub(super) fn new(purpose: &'static Purpose, cancel: CancelHandle) -> Self {
        let (oid, giving) = (OnceLock::new(), Mutex::new(None));
        Self { stage: Mutex::new(Stage::None), oid, cancel, giving, purpose }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the statement that makes it. Where the server refuses, there is none of ours, whatever else has its name.
    ///
    /// # Errors
    /// As `statement`; a signal that came before.
    pub(super) fn make(&self, at: &Target, connection: &mut Connection, sql: &BStr) -> Result<()> {
        self.begin(Stage::Running)?;
        let session = match one_session(at, connection) {
            Ok(session) => session,
            Err(error) => {
                *self.stage() = Stage::None;
                return Err(error);
            }
        };
        let result = connection.run_on_databases(sql);
        let is_refused = result.is_err() && !connection.is_broken();
        *self.stage() = if is_refused { Stage::None } else { Stage::Made };
        result.map_err(Error::from).and(session.end(connection))
    }

    /// What it is, in words.
    pub(super) fn what(&self) -> &'static str {
        self.purpose.database
    }

    /// Its OID is known: from now on, nothing else is dropped under its name.
    pub(super) fn is(&self, oid: u32) {
        // There is but one.
        let _ = self.oid.set(oid);
    }

    /// Does what gives it away. A signal ends that until it commits, and waits from then on until it is known what came of it.
    ///
    /// # Errors
    /// As `work`; a signal that came before.
    pub(super) fn give_away(&self, work: impl FnOnce(&Self) -> Result<Given>) -> Result<Given> {
        self.begin(Stage::Giving)?;
        let result = work(self);
        *self.stage() = match &result {
            Ok(Given::Done(_)) => Stage::Given,
            Ok(Given::NotKnown(_)) => Stage::NotKnown,
            Err(_) => Stage::Made,
        };
        result
    }

    fn begin(&self, what: Stage) -> Result<()> {
        let mut stage = self.stage();
        if *stage == Stage::Ended {
            return Err(self.ended());
        }
        *stage = what;
        Ok(())
    }

    fn ended(&self) -> Error {
        Error::new(ErrorKind::Interrupted, format!("go on with {}", self.purpose.work))
            .why("a signal asked for the end")
    }

    /// Whether there is nothing to be dropped: there is none, a signal has ended the work, or it was given away.
    pub(super) fn is_over(&self) -> bool {
        !matches!(*self.stage(), Stage::Made | Stage::Running)
    }

    /// Ends the making, if it is on its way; says what there is now.
    fn end(&self, deadline: Instant) -> Result<Left> {
        loop {
            let now = {
                let mut stage = self.stage();
                match *stage {
                    now @ (Stage::Running | Stage::Stopping | Stage::Committing) => now,
                    Stage::Giving => {
                        *stage = Stage::Stopping;
                        Stage::Stopping
                    }
                    Stage::Given => return Ok(Left::Given),
                    Stage::NotKnown => return Ok(Left::NotKnown),
                    now => {
                        *stage = Stage::Ended;
                        return Ok(if now == Stage::None { Left::Nothing } else { Left::Database });
                    }
                }
            };
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::Server, "stop what is done with the database")
                    .why("the server goes on with it"));
            }
            let giving = || self.giving.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let cancel = match now {
                Stage::Running => Some(self.cancel.clone()),
                Stage::Stopping => giving(),
                _ => None,
            };
            if let Some(cancel) = cancel {
                // Whether it has arrived is seen above.
                let _ = cancel.cancel_by(deadline.min(Instant::now() + PATIENCE));
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Giving for Creation {
    fn begun(&self, cancel: CancelHandle) {
        *self.giving.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel);
    }

    fn commits(&self) -> Result<()> {
        let mut stage = self.stage();
        if *stage != Stage::Giving {
            return Err(self.ended());
        }
        *stage = Stage::Committing;
        Ok(())
    }

    fn goes_on(&self) -> Result<()> {
        if *self.stage() == Stage::Giving { Ok(()) } else { Err(self.ended()) }
    }
}

/// Drops the scratch database `name` because a signal has ended the work, with all that is done in it, by `deadline`;
/// says what became of it.
pub(super) fn end(at: &Target, name: &str, making: &Arc<Creation>, deadline: Instant) -> String {
    let (told, result) = mpsc::channel();
    let (its_at, mine, its) = (at.clone(), name.to_owned(), Arc::clone(making));
    // A server that has fallen silent must not hold up the end.
    let work = move || {
        let result = its.end(deadline).and_then(|left| {
            if matches!(left, Left::Database) {
                drop_by(&its_at, &mine, &its, deadline)?;
            }
            Ok(left)
        });
        // Nobody listens any more when the time is over.
        let _ = told.send(result);
    };
    let why = match thread::Builder::new().name("scratch database".into()).spawn(work) {
        Err(e) => e.to_string(),
        Ok(_) => match result.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Ok(Left::Database)) => return format!("the {} {name} was dropped", making.purpose.database),
            Ok(Ok(Left::Nothing)) => return format!("there was no {} yet", making.purpose.database),
            Ok(Ok(Left::Given)) => return "all of it was done".to_owned(),
            Ok(Ok(Left::NotKnown)) => {
                return format!(
                    "the server was told to commit, and has not said whether it did: if there is a database {name}, it did not"
                );
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the server did not answer in time".to_owned(),
        },
    };
    format!("the {} {} ({why}): DROP DATABASE {name}", making.purpose.database, may_be_left(name))
}

/// What is said of one that could not be dropped.
pub(super) fn may_be_left(name: &str) -> String {
    format!("{name}, a copy of all data, may still be there")
}

/// Tries until `deadline` to drop a database that others may be about to connect to.
fn drop_by(at: &Target, name: &str, made: &Creation, deadline: Instant) -> Result<()> {
    loop {
        match drop_database(at, name, made) {
            // Somebody is connected to it still, or again.
            Err(e)
                if e.server().is_some_and(|report| report.is(sqlstate::OBJECT_IN_USE)) && Instant::now() < deadline =>
            {
                thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

/// Drops the database that was made, and ends what is done in it. The name is one that was made here, and needs no quotes. One of the
/// name that is not it is left alone.
pub(super) fn drop_database(at: &Target, name: &str, made: &Creation) -> Result<()> {
    let mut connection = at.connect()?;
    if let Some(oid) = made.oid.get() {
        let query = Query::new(
            "whether the database is there",
            "SELECT FROM pg_catalog.pg_database AS d WHERE d.oid = $1 AND d.datname = $2::pg_catalog.text",
        );
        if connection.run(&query.param(Param::oid(*oid)).param(Param::text(name)))?.is_empty() {
            return Ok(());
        }
    }
    let session = one_session(at, &mut connection)?;
    let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    let result = connection.run_on_databases(sql.as_bytes()).map_err(Error::from);
    result.and(session.end(&mut connection))
}

/// A session for a statement that no transaction can hold, that nothing of the role's or the database's stops it in.
fn one_session(at: &Target, connection: &mut Connection) -> Result<OneSession> {
    OneSession::begin(connection, &|database| at.with_database(database).connect())
}
