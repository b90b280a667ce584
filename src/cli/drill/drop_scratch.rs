//! How a scratch database goes away: at the end of a drill, and when a signal ends it in the middle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bstr::BStr;

use crate::connect::Target;
use crate::postgres::restore::OneSession;
use crate::wire::{CancelHandle, Connection, sqlstate};
use crate::{Error, ErrorKind, Result};

/// How long is waited before something is tried again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long one request to cancel may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far the making of a scratch database has come, for the one who makes it and the one who ends the drill.
pub(super) struct Creation {
    stage: Mutex<Stage>,
    cancel: CancelHandle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    /// The statement is on its way, and the database may come to be at any time.
    Running,
    /// The server has answered.
    After,
    /// A signal has ended the drill, and the database is being dropped or will never be.
    Ended,
}

impl Creation {
    /// Not begun; `cancel` is of the connection that will make it.
    pub(super) fn new(cancel: CancelHandle) -> Self {
        Self { stage: Mutex::new(Stage::Before), cancel }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the statement that makes it.
    ///
    /// # Errors
    /// As `statement`; a signal that came before.
    pub(super) fn make<T>(&self, statement: impl FnOnce() -> Result<T>) -> Result<T> {
        {
            let mut stage = self.stage();
            if *stage == Stage::Ended {
                return Err(
                    Error::new(ErrorKind::Interrupted, "go on with the drill").why("a signal asked for the end")
                );
            }
            *stage = Stage::Running;
        }
        let result = statement();
        *self.stage() = Stage::After;
        result
    }

    /// Whether a signal has ended the drill.
    pub(super) fn is_ended(&self) -> bool {
        *self.stage() == Stage::Ended
    }

    /// Ends the making, if it is on its way; says whether there may be a database now.
    fn end(&self, deadline: Instant) -> Result<bool> {
        loop {
            {
                let mut stage = self.stage();
                match *stage {
                    Stage::Running => {}
                    now => {
                        *stage = Stage::Ended;
                        return Ok(now != Stage::Before);
                    }
                }
            }
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::Server, "stop the making of the database")
                    .why("the server goes on with it, although it was asked not to"));
            }
            // Whether it has arrived is seen above.
            let _ = self.cancel.cancel_by(deadline.min(Instant::now() + PATIENCE));
            thread::sleep(PAUSE);
        }
    }
}

/// Drops the scratch database `name` because a signal has ended the drill, with all that is done in it, by `deadline`;
/// says what became of it.
pub(super) fn end(origin: &Target, name: &str, making: &Arc<Creation>, deadline: Instant) -> String {
    let (told, result) = mpsc::channel();
    let (at, mine, making) = (origin.clone(), name.to_owned(), Arc::clone(making));
    // A server that has fallen silent must not hold up the end.
    let work = move || {
        let result = making.end(deadline).and_then(|is_made| match is_made {
            true => drop_by(&at, &mine, deadline).map(|()| true),
            false => Ok(false),
        });
        // Nobody listens any more when the time is over.
        let _ = told.send(result);
    };
    let why = match thread::Builder::new().name("scratch database".into()).spawn(work) {
        Err(e) => e.to_string(),
        Ok(_) => match result.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Ok(true)) => return format!("the scratch database {name} was dropped"),
            Ok(Ok(false)) => return "there was no scratch database yet".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the server did not answer in time".to_owned(),
        },
    };
    format!("the scratch database {name}, a copy of all data, may still be there ({why}): DROP DATABASE {name}")
}

/// Tries until `deadline` to drop a database that others may be about to connect to.
fn drop_by(origin: &Target, name: &str, deadline: Instant) -> Result<()> {
    loop {
        match drop_database(origin, name) {
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

/// Drops a database and ends what is done in it. The name is one that a drill made, and needs no quotes.
pub(super) fn drop_database(origin: &Target, name: &str) -> Result<()> {
    let mut connection = origin.connect()?;
    alone(origin, &mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)").as_str().into())
}

/// Runs a statement that no transaction can hold, in a session that nothing of the role's or the database's stops it in.
pub(super) fn alone(origin: &Target, connection: &mut Connection, sql: &BStr) -> Result<()> {
    let session = OneSession::begin(connection, &|database| origin.with_database(database).connect())?;
    let result = connection.run_on_databases(sql).map_err(Error::from);
    result.and(session.end(connection))
}
