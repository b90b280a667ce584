//! How a scratch database goes away: at the end of the work that it was made for, and when a signal ends that in the middle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bstr::BStr;

use super::Purpose;
use crate::connect::Target;
use crate::postgres::restore::OneSession;
use crate::wire::{CancelHandle, Connection, sqlstate};
use crate::{Error, ErrorKind, Result};

/// How long is waited before something is tried again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long one request to cancel may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far the making of a scratch database has come, for the one who makes it and the one who ends the work.
pub(super) struct Creation {
    stage: Mutex<Stage>,
    cancel: CancelHandle,
    purpose: &'static Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    /// The statement is on its way, and the database may come to be at any time.
    Running,
    /// The server has answered.
    After,
    /// It is being given away, and what will have become of it is known soon.
    Giving,
    /// It is another's now, under another name.
    Given,
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
}

impl Creation {
    /// Not begun; `cancel` is of the connection that will make it.
    pub(super) fn new(purpose: &'static Purpose, cancel: CancelHandle) -> Self {
        Self { stage: Mutex::new(Stage::Before), cancel, purpose }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the statement that makes it.
    ///
    /// # Errors
    /// As `statement`; a signal that came before.
    pub(super) fn make<T>(&self, statement: impl FnOnce() -> Result<T>) -> Result<T> {
        self.begin(Stage::Running)?;
        let result = statement();
        *self.stage() = Stage::After;
        result
    }

    /// Does what gives it away. A signal waits until it is known what came of that.
    ///
    /// # Errors
    /// As `work`; a signal that came before.
    pub(super) fn give_away<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.begin(Stage::Giving)?;
        let result = work();
        *self.stage() = if result.is_ok() { Stage::Given } else { Stage::After };
        result
    }

    fn begin(&self, what: Stage) -> Result<()> {
        let mut stage = self.stage();
        if *stage == Stage::Ended {
            return Err(Error::new(ErrorKind::Interrupted, format!("go on with {}", self.purpose.work))
                .why("a signal asked for the end"));
        }
        *stage = what;
        Ok(())
    }

    /// Whether there is nothing to be dropped any more: a signal has ended the work, or it was given away.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.stage(), Stage::Ended | Stage::Given)
    }

    /// Ends the making, if it is on its way; says what there is now.
    fn end(&self, deadline: Instant) -> Result<Left> {
        loop {
            let now = {
                let mut stage = self.stage();
                match *stage {
                    now @ (Stage::Running | Stage::Giving) => now,
                    Stage::Given => return Ok(Left::Given),
                    now => {
                        *stage = Stage::Ended;
                        return Ok(if now == Stage::Before { Left::Nothing } else { Left::Database });
                    }
                }
            };
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::Server, "stop what is done with the database")
                    .why("the server goes on with it"));
            }
            if now == Stage::Running {
                // Whether it has arrived is seen above.
                let _ = self.cancel.cancel_by(deadline.min(Instant::now() + PATIENCE));
            }
            thread::sleep(PAUSE);
        }
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
                drop_by(&its_at, &mine, deadline)?;
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
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the server did not answer in time".to_owned(),
        },
    };
    let what = making.purpose.database;
    format!("the {what} {name}, a copy of all data, may still be there ({why}): DROP DATABASE {name}")
}

/// Tries until `deadline` to drop a database that others may be about to connect to.
fn drop_by(at: &Target, name: &str, deadline: Instant) -> Result<()> {
    loop {
        match drop_database(at, name) {
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

/// Drops a database and ends what is done in it. The name is one that was made here, and needs no quotes.
pub(super) fn drop_database(at: &Target, name: &str) -> Result<()> {
    let mut connection = at.connect()?;
    alone(at, &mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)").as_str().into())
}

/// Runs a statement that no transaction can hold, in a session that nothing of the role's or the database's stops it in.
pub(super) fn alone(at: &Target, connection: &mut Connection, sql: &BStr) -> Result<()> {
    let session = OneSession::begin(connection, &|database| at.with_database(database).connect())?;
    let result = connection.run_on_databases(sql).map_err(Error::from);
    result.and(session.end(connection))
}
