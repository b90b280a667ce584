//! The two databases change their names.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bstr::{BStr, ByteSlice};

use super::likeness::Likeness;
use super::names::Rename;
use super::place::{self, Place};
use crate::postgres::sessions::OtherSession;
use crate::postgres::settings;
use crate::sql::quote::quoted;
use crate::wire::{Connection, Param, Query, sqlstate};
use crate::{Error, ErrorKind, Result};

/// What becomes of sessions in the old database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// They are in the way.
    Stay,
    /// They are ended, for as long as this.
    End(Duration),
}

/// How often sessions are ended while the server waits for them to go: one may be deaf for a moment.
const AGAIN: Duration = Duration::from_millis(100);

/// Gives the database `new` the name of the one in `place`, which is put aside. `likeness` is what the new one was made after;
/// what has changed since of the old one's properties counts. `connect` connects to another database.
///
/// # Errors
/// Others are connected; the server's. Nothing has changed then, unless the error says that this is not known.
pub(crate) fn switch(
    connect: &dyn Fn() -> Result<Connection>,
    place: &Place,
    new: (&BStr, u32),
    likeness: &Likeness,
    sessions: Sessions,
) -> Result<()> {
    let mut connection = ready(connect()?)?;
    let deadline = match sessions {
        Sessions::Stay => None,
        Sessions::End(time) => Instant::now().checked_add(time),
    };
    loop {
        connection.foreign()?.begin()?;
        let renamed = put_aside(&mut connection, connect, place, sessions);
        match renamed.and_then(|()| take_place(&mut connection, connect, place, new, likeness)) {
            Ok(()) => return commit(connection, connect, place, new),
            Err(error) => {
                if !connection.is_broken() {
                    connection.rollback()?;
                }
                let is_in_use = error.server().is_some_and(|report| report.is(sqlstate::OBJECT_IN_USE));
                if !is_in_use {
                    return Err(error);
                }
                if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
                    return Err(who_is_there(&mut connection, place).unwrap_or(error));
                }
            }
        }
    }
}

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
    sessions: Sessions,
) -> Result<()> {
    if let Some(earlier) = &place.names.earlier {
        rename(connection, earlier)?;
    }
    let Sessions::End(_) = sessions else { return rename(connection, &place.names.current) };
    let mut other = connect()?;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let work = || end_sessions(&mut other, place.oid, &is_over);
        let ending = thread::Builder::new().name("end sessions".into()).spawn_scoped(scope, work);
        let ending = ending.map_err(|error| Error::no_thread("end the sessions in the old database", error))?;
        let renamed = rename(connection, &place.names.current);
        is_over.store(true, Ordering::SeqCst);
        let ended = ending.join().unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Internal, "end the sessions in the old database")
                .why("a thread failed; see above"))
        });
        // Whoever may not end a session finds it in the way, and why he may not says more.
        renamed.map_err(|error| ended.err().unwrap_or(error))
    })
}

fn end_sessions(connection: &mut Connection, oid: u32, is_over: &AtomicBool) -> Result<()> {
    let query = Query::new(
        "end the sessions",
        "SELECT pg_catalog.pg_terminate_backend(a.pid) AS is_told FROM pg_catalog.pg_stat_get_activity(NULL) AS a \
         WHERE a.datid = $1 AND a.backend_type NOT IN ('autovacuum worker', 'parallel worker')",
    )
    .param(Param::oid(oid));
    while !is_over.load(Ordering::SeqCst) {
        connection.run(&query).map_err(Error::from).map_err(|error| {
            Error::new(error.kind(), "end the sessions in the old database").source(error).hint(
                "nothing was changed: only members of a session's role, of pg_signal_backend and superusers may end it",
            )
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
    (new, oid): (&BStr, u32),
    likeness: &Likeness,
) -> Result<()> {
    // Others cannot change it any more, and see it under its old name.
    Likeness::read(connect()?, place.name(), new)?.apply(connection, likeness)?;
    rename(connection, &Rename { from: new.into(), to: place.name().into() })?;
    let now = names_of(connection, &[oid, place.oid])?;
    let wanted = [(oid, place.name()), (place.oid, place.names.current.to.as_bstr())];
    if wanted.iter().any(|(oid, name)| !now.iter().any(|(of, is)| of == oid && is == name)) {
        return Err(Error::new(
            ErrorKind::Changed,
            format!("put another database into the place of \"{}\"", place.name()),
        )
        .why("somebody else has renamed or made databases meanwhile")
        .hint("nothing was changed: restore again"));
    }
    Ok(())
}

fn names_of(connection: &mut Connection, oids: &[u32]) -> Result<Vec<(u32, bstr::BString)>> {
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

/// Commits. Where the answer is lost, somebody else is asked what became of it.
fn commit(
    mut connection: Connection,
    connect: &dyn Fn() -> Result<Connection>,
    place: &Place,
    (_, oid): (&BStr, u32),
) -> Result<()> {
    let Err(error) = connection.commit() else { return Ok(()) };
    let is_done = connect().and_then(|mut other| names_of(&mut other, &[oid]));
    let doing = format!("put another database into the place of \"{}\"", place.name());
    match is_done {
        Ok(names) if names.iter().any(|(_, name)| name == place.name()) => Ok(()),
        Ok(_) => Err(Error::new(ErrorKind::Server, doing).source(Error::from(error)).hint("nothing was changed")),
        Err(_) => Err(Error::new(ErrorKind::Connection, doing).source(Error::from(error)).hint(format!(
            "the server was told to commit, and has not said whether it did: if there is a database \"{}\", it is done",
            place.names.current.to
        ))),
    }
}
