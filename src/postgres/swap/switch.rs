//! The two databases change their names.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bstr::{BStr, BString, ByteSlice};

use super::likeness::Likeness;
use super::names::Rename;
use super::outcome::commit;
use super::place::{self, MAY_END, Place, WORKS};
use crate::postgres::sessions::{self, OtherSession};
use crate::postgres::settings;
use crate::sql::quote::quoted;
use crate::wire::{CancelHandle, Connection, Param, Query, sqlstate};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// What becomes of sessions in the old database, and how long others may be in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// They are ended. Otherwise it is refused where there are any.
    pub(crate) disconnect: bool,
    /// How long sessions may take to end, and locks be waited for, all in all.
    pub(crate) wait: Duration,
}

/// What came of it, where it has not failed.
#[derive(Debug)]
pub(crate) enum Given {
    /// The new database has the old one's name, which was put aside so.
    Done(Rename),
    /// Nobody knows: the server was told to commit and does not answer. Nothing may be dropped.
    NotKnown(Error),
}

/// Who may end the work in the middle.
pub(crate) trait Giving {
    /// From now on, this cancels what is done.
    fn begun(&self, cancel: CancelHandle);
    /// From now on, it is not ended any more.
    ///
    /// # Errors
    /// It has been ended.
    fn commits(&self) -> Result<()>;
    /// Fails if it has been ended.
    ///
    /// # Errors
    /// That.
    fn goes_on(&self) -> Result<()>;
}

/// How often sessions are ended while the server waits for them to go: one may be deaf for a moment.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a lock is waited for at a time: whoever wants to connect to the database meanwhile waits behind it.
const AT_A_TIME: Duration = Duration::from_secs(2);

/// Gives the database `new` the name of the one in `place`, which is put aside. `likeness` is what the new one was made after;
/// what has changed since of the old one's properties counts. `connect` connects to another database.
///
/// # Errors
/// Others are connected, or have locks on it; it was ended; the server's. Nothing has changed then.
pub(crate) fn switch(
    connect: &dyn Fn() -> Result<Connection>,
    place: &Place,
    new: (&BStr, u32),
    likeness: &Likeness,
    manner: Manner,
    giving: &dyn Giving,
) -> Result<Given> {
    let mut connection = ready(connect()?)?;
    giving.begun(connection.cancel_handle());
    let deadline = Instant::now().checked_add(manner.wait);
    loop {
        giving.goes_on()?;
        let left = deadline.map_or(AT_A_TIME, |deadline| deadline.saturating_duration_since(Instant::now()));
        connection.foreign()?.begin()?;
        let limit = left.min(AT_A_TIME).max(AGAIN).as_millis();
        connection.foreign()?.execute(format!("SET LOCAL lock_timeout = {limit}").as_bytes())?;
        let renamed = put_aside(&mut connection, connect, place, manner);
        let taken = renamed.and_then(|aside| {
            take_place(&mut connection, connect, place, &aside, new, likeness)?;
            Ok(aside)
        });
        let error = match taken {
            Ok(aside) => return commit(connection, connect, place, aside, new, giving),
            Err(error) => error,
        };
        if !connection.is_broken() {
            connection.rollback()?;
        }
        let is_any = |codes: &[&str]| error.server().is_some_and(|report| report.is_any(codes));
        let is_in_use = is_any(&[sqlstate::OBJECT_IN_USE]);
        if !is_in_use && !is_any(&IN_THE_WAY) {
            return Err(error);
        }
        giving.goes_on()?;
        if (is_in_use && !manner.disconnect) || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let who = if is_in_use { who_is_there(&mut connection, place) } else { None };
            return Err(match who {
                Some(who) => who,
                None if is_in_use => error,
                None => locked(&mut connection, place, new.1, error),
            });
        }
        if !is_in_use {
            // Those who wait behind the lock come first.
            thread::sleep(AGAIN);
        }
    }
}

/// What somebody else's transaction has done, who may be gone soon: locks, and names that he has given.
const IN_THE_WAY: [&str; 4] = [
    sqlstate::LOCK_NOT_AVAILABLE,
    sqlstate::DEADLOCK_DETECTED,
    sqlstate::DUPLICATE_DATABASE,
    sqlstate::UNIQUE_VIOLATION,
];

/// A session for statements of ours about databases, and for those that say what one is like.
fn ready(mut connection: Connection) -> Result<Connection> {
    let mut wanted = settings::writing(&connection);
    if let Some(encoding) = connection.parameter("server_encoding") {
        let encoding = encoding.to_owned();
        wanted.set("client_encoding", encoding);
    }
    connection.set_up(&wanted)?;
    Ok(connection)
}

/// Renames the old database, which keeps everybody out of it, and has those who are in it go.
fn put_aside(
    connection: &mut Connection,
    connect: &dyn Fn() -> Result<Connection>,
    place: &Place,
    manner: Manner,
) -> Result<Rename> {
    let aside = name_aside(connection, place)?;
    if !manner.disconnect {
        rename(connection, &aside)?;
        return Ok(aside);
    }
    let mut other = connect()?;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let work = || end_sessions(&mut other, place.oid, &is_over);
        let ending = thread::Builder::new().name("end sessions".into()).spawn_scoped(scope, work);
        let ending = ending.map_err(|error| Error::no_thread("end the sessions in the old database", error))?;
        let renamed = rename(connection, &aside);
        is_over.store(true, Ordering::SeqCst);
        let ended = ending.join().unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Internal, "end the sessions in the old database")
                .why("a thread failed; see above"))
        });
        // Whoever may not end a session finds it in the way, and why he may not says more.
        renamed.map_err(|error| ended.err().unwrap_or(error))
    })?;
    Ok(aside)
}

/// A free name for the old database, which still has its own: hours may have passed since that was looked at.
fn name_aside(connection: &mut Connection, place: &Place) -> Result<Rename> {
    let query = Query::new(
        "the databases",
        "SELECT d.oid, d.datname::pg_catalog.text AS name, \
         pg_catalog.current_setting('max_identifier_length')::pg_catalog.int4 AS longest \
         FROM pg_catalog.pg_database AS d",
    );
    let rows = connection.run(&query)?;
    let (mut others, mut longest, mut is_there) = (HashSet::new(), 0, false);
    for row in rows.iter() {
        let name: BString = row.string("name")?;
        is_there |= row.oid("oid")? == place.oid && name == *place.name();
        longest = usize::try_from(row.i32("longest")?).unwrap_or_default();
        others.insert(name);
    }
    if is_there { Rename::aside(place.name(), &others, longest) } else { Err(changed(place)) }
}

fn changed(place: &Place) -> Error {
    Error::new(ErrorKind::Changed, format!("put another database into the place of \"{}\"", place.name()))
        .why("somebody else has renamed or made databases meanwhile")
        .hint("nothing was changed: restore again")
}

fn end_sessions(connection: &mut Connection, oid: u32, is_over: &AtomicBool) -> Result<()> {
    let query = Query::new(
        "end the sessions",
        format!(
            "SELECT pg_catalog.pg_terminate_backend(a.pid) AS is_told FROM pg_catalog.pg_stat_get_activity(NULL) AS a \
             WHERE a.datid = $1 AND {WORKS}"
        ),
    )
    .param(Param::oid(oid));
    while !is_over.load(Ordering::SeqCst) {
        connection.run(&query).map_err(Error::from).map_err(|error| {
            Error::new(error.kind(), "end the sessions in the old database")
                .source(error)
                .hint(format!("nothing was changed: {MAY_END}"))
        })?;
        thread::sleep(AGAIN);
    }
    Ok(())
}

/// Gives the new database what the old one has, and its name.
fn take_place(
    connection: &mut Connection,
    connect: &dyn Fn() -> Result<Connection>,
    place: &Place,
    aside: &Rename,
    (new, oid): (&BStr, u32),
    likeness: &Likeness,
) -> Result<()> {
    // Others cannot change it any more, and see it under its old name.
    Likeness::read(connect()?, place.name(), new)?.apply(connection, likeness)?;
    rename(connection, &Rename { from: new.into(), to: place.name().into() })?;
    let now = names_of(connection, &[oid, place.oid])?;
    let wanted = [(oid, place.name()), (place.oid, aside.to.as_bstr())];
    if wanted.iter().any(|(oid, name)| !now.iter().any(|(of, is)| of == oid && is == name)) {
        return Err(changed(place));
    }
    Ok(())
}

pub(super) fn names_of(connection: &mut Connection, oids: &[u32]) -> Result<Vec<(u32, BString)>> {
    let query = Query::new(
        "the databases' names",
        "SELECT d.oid, d.datname::pg_catalog.text AS name FROM pg_catalog.pg_database AS d WHERE d.oid = ANY ($1)",
    );
    let rows = connection.run(&query.param(Param::oids(oids)))?;
    rows.iter().map(|row| Ok((row.oid("oid")?, row.string("name")?))).collect()
}

fn rename(connection: &mut Connection, Rename { from, to }: &Rename) -> Result<()> {
    let sql = [b"ALTER DATABASE ", quoted(from).as_slice(), b" RENAME TO ", &quoted(to)].concat();
    connection
        .foreign()?
        .execute(&sql)
        .map_err(Error::from)
        .map_err(|error| Error::new(error.kind(), format!("rename database \"{from}\" to \"{to}\"")).source(error))
}

fn who_is_there(connection: &mut Connection, place: &Place) -> Option<Error> {
    let query = Query::new("who is connected", place::of_sessions("$1")).param(Param::oid(place.oid));
    // If the server does not tell, or they are gone by now, the error that there is already says more than that.
    let rows = connection.run(&query).ok()?;
    let sessions: Vec<OtherSession> = rows.iter().filter_map(|row| OtherSession::of(row).ok()).collect();
    (!sessions.is_empty()).then(|| place::in_use(place.name(), &sessions))
}

/// The error where others have locks: who has one on either database, or has changed what the server knows of databases.
fn locked(connection: &mut Connection, place: &Place, new: u32, error: Error) -> Error {
    let query = Query::new(
        "who has locks",
        format!(
            "SELECT {} FROM pg_catalog.pg_stat_get_activity(NULL) AS a \
             WHERE a.pid <> pg_catalog.pg_backend_pid() AND EXISTS (SELECT FROM pg_catalog.pg_locks AS l \
               WHERE l.pid = a.pid AND l.granted \
               AND ((l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND l.objid = ANY ($1)) \
                 OR (l.locktype = 'relation' AND l.mode <> 'AccessShareLock' AND l.relation \
                   IN ('pg_catalog.pg_database'::pg_catalog.regclass, 'pg_catalog.pg_db_role_setting'::pg_catalog.regclass)))) \
             ORDER BY a.pid",
            sessions::COLUMNS
        ),
    );
    let doing = format!("put another database into the place of \"{}\"", place.name());
    let hint = "nothing was changed: end the transaction that has it, or wait longer (" + Choice::LockWait + ")";
    let refused = Error::new(ErrorKind::Refused, doing).hint(hint);
    // If the server does not tell, or they are gone by now, what it said of the lock has to do.
    let rows = connection.run(&query.param(Param::oids(&[place.oid, new])));
    let who: Vec<OtherSession> =
        rows.iter().flat_map(|rows| rows.iter().filter_map(|row| OtherSession::of(row).ok())).collect();
    if who.is_empty() {
        return refused.source(error);
    }
    refused.why(format!("others have locks on it: {}", sessions::in_words(&who))).source(error)
}
