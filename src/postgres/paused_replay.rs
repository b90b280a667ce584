//! A standby that takes nothing over from its primary for a while, so that it ends no query for that.
//!
//! A pause is the server's, and belongs to no session: whoever asked for it may be killed, lose its connection or its power, and the
//! standby would fall behind for ever. So a session of the server itself waits for that. One connection, the keeper, holds an
//! advisory lock; another one, the watcher, has sent a statement that waits for the lock and then has the standby go on. The lock
//! goes with the keeper's session, in whatever way it ends, and a server goes on with a statement whose client is gone.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::postgres::version::ServerVersion;
use crate::progress::{Message, Reporter};
use crate::wire::{Connection, Param, Query, SessionSettings, sqlstate};
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, Result};

/// How long the watcher may take to begin waiting, and to have the standby go on.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether it waits.
const LOOK: Duration = Duration::from_millis(20);

const DOING: &str = "pause the replay of this standby";
const HOW_TO_GO_ON: &str = "have it go on yourself, in a session on the standby: SELECT pg_wal_replay_resume()";

/// A standby that is paused.
pub(crate) struct PausedReplay {
    keeper: Connection,
    key: i64,
    /// What came of the watcher's statement.
    resumed: Receiver<Result<()>>,
}

impl PausedReplay {
    /// Pauses it; nothing where somebody else has done so already. `connect` connects to the standby.
    ///
    /// # Errors
    /// It is no standby, or may not be paused by this role; the server's.
    pub(crate) fn hold(connect: &dyn Fn() -> Result<Connection>, reporter: &dyn Reporter) -> Result<Option<Self>> {
        let mut keeper = ready(connect()?)?;
        if is_paused(&mut keeper)? {
            let text = "its replay was paused already, and stays so: whoever did that may have it go on in the middle";
            reporter.message(Message::warning("the standby", text));
            return Ok(None);
        }
        let key = RandomState::new().build_hasher().finish().cast_signed();
        let rows = keeper.query("SELECT pg_catalog.pg_try_advisory_lock($1) AS is_held", &[Param::int8(key)])?;
        if !rows.one()?.bool("is_held")? {
            return Err(Error::new(ErrorKind::Internal, DOING).why("a number by chance is in use"));
        }
        let mut watcher = ready(connect()?)?;
        // To wait is what it is for, and its end has a time of its own.
        watcher.forget_watches();
        let pid = watcher.backend_pid();
        let (told, resumed) = mpsc::channel();
        let watch = move || {
            let sql = "SELECT pg_catalog.pg_wal_replay_resume() FROM pg_catalog.pg_advisory_lock($1)";
            // Nobody listens any more where the work has failed.
            let _ = told.send(watcher.query(sql, &[Param::int8(key)]).map(|_| ()).map_err(Error::from));
        };
        thread::Builder::new().name("replay".into()).spawn(watch).map_err(|error| Error::no_thread(DOING, error))?;
        let mut paused = Self { keeper, key, resumed };
        paused.wait_for_watcher(pid)?;
        paused.keeper.query("SELECT pg_catalog.pg_wal_replay_pause()", &[])?;
        // What the standby ends at the last moment may be the watcher.
        match paused.is_watched(pid) {
            Ok(true) => Ok(Some(paused)),
            unwatched => {
                let error = Error::new(ErrorKind::Server, DOING).why("the session that is to have it go on has ended");
                paused.end()?;
                Err(unwatched.err().unwrap_or(error))
            }
        }
    }

    fn wait_for_watcher(&mut self, pid: i32) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_watched(pid)? {
            if let Ok(ended) = self.resumed.try_recv() {
                ended?;
            }
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::Server, DOING).why("no session could be made that has it go on"));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Whether the watcher waits.
    fn is_watched(&mut self, pid: i32) -> Result<bool> {
        let query = Query::new(
            "whether the watcher waits",
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l \
             WHERE l.pid = $1 AND l.locktype = 'advisory' AND NOT l.granted) AS it",
        );
        Ok(self.keeper.run(&query.param(Param::int4(pid)))?.one()?.bool("it")?)
    }

    /// Has the standby go on.
    ///
    /// # Errors
    /// It may still be paused.
    pub(crate) fn end(mut self) -> Result<()> {
        let unlocked = self.keeper.query("SELECT pg_catalog.pg_advisory_unlock($1) AS it", &[Param::int8(self.key)]);
        if unlocked.is_ok() && matches!(self.resumed.recv_timeout(PATIENCE), Ok(Ok(()))) {
            return Ok(());
        }
        // One that was promoted meanwhile replays nothing.
        let resume = "SELECT pg_catalog.pg_wal_replay_resume() WHERE pg_catalog.pg_is_in_recovery()";
        match self.keeper.query(resume, &[]) {
            Ok(_) => Ok(()),
            // Its session is gone, and the lock with it: the watcher has heard of that before anybody here.
            Err(_) if self.keeper.is_broken() && matches!(self.resumed.recv_timeout(PATIENCE), Ok(Ok(()))) => Ok(()),
            Err(error) => Err(Error::new(ErrorKind::Server, "have the standby go on with its replay")
                .source(Error::from(error))
                .hint(HOW_TO_GO_ON)),
        }
    }
}

/// A session that lasts, and whose end the server notices within minutes, if its client's machine is gone without a word.
fn ready(mut connection: Connection) -> Result<Connection> {
    let server = ServerVersion::new(connection.server_version());
    let mut settings = SessionSettings::default();
    for (name, seconds) in
        [("tcp_keepalives_idle", "30"), ("tcp_keepalives_interval", "10"), ("tcp_keepalives_count", "6")]
    {
        settings.set(name, seconds);
    }
    if server.idle_session_timeout() {
        // Both came with the same version.
        settings.set("idle_session_timeout", "0").set("client_connection_check_interval", "0");
    }
    connection.set_up(&settings)?;
    Ok(connection)
}

/// Whether the standby is paused.
fn is_paused(connection: &mut Connection) -> Result<bool> {
    let query = Query::new(
        "the standby",
        "SELECT pg_catalog.pg_is_in_recovery() AS is_standby, pg_catalog.pg_backend_pid() AS pid, \
         CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END AS is_paused, \
         pg_catalog.has_function_privilege('pg_catalog.pg_wal_replay_pause()', 'EXECUTE') \
           AND pg_catalog.has_function_privilege('pg_catalog.pg_wal_replay_resume()', 'EXECUTE') AS may",
    );
    let rows = connection.run(&query)?;
    let row = rows.one()?;
    let refused = |why: &str, hint: &str| Err(Error::new(ErrorKind::Refused, DOING).why(why).hint(hint));
    if !row.bool("is_standby")? {
        return refused(
            "the server is none, and replays nothing",
            "leave the option out: a primary ends nobody's queries",
        );
    }
    if row.i32("pid")? != connection.backend_pid() {
        return refused(
            "a pooler is in between, which keeps the session open that shows that the backup is on its way",
            "give the address of the standby itself",
        );
    }
    if !row.bool("may")? {
        return refused(
            "the role may not",
            "on the primary: GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() TO the role",
        );
    }
    Ok(row.bool("is_paused")?)
}

/// What to do about a conflict with replay.
pub(crate) fn advice() -> Words {
    "a standby ends what is in the way of taking over what its primary did: hold that back while the backup is made ("
        + Choice::PauseReplay
        + "), or have it wait longer (max_standby_streaming_delay on the standby; hot_standby_feedback = on spares it most \
           conflicts); then run the backup again"
}

/// Whether an error says that the standby has ended something for the sake of what its primary did.
pub(crate) fn is_conflict(error: &Error) -> bool {
    // In transactions that read, and are not serializable, nothing else does.
    error.server().is_some_and(|report| report.is(sqlstate::SERIALIZATION_FAILURE))
}
