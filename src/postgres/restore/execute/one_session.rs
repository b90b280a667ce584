//! That a restore's session is one session.
//!
//! What an archive's statements rely on (the role, the tablespace, the access method, the encoding, the path) is set once
//! and holds for what follows. A pooler that hands each transaction to another connection of the server's breaks that
//! silently: objects belong to others, rows are read in another encoding. So the restore gives its session a token,
//! reads it back together with the number of the server's process, and looks, before anything is changed, whether a
//! second connection can get hold of the first one's session while that has nothing to do.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use bstr::{BStr, BString, ByteSlice};

use crate::postgres::restore::writable;
use crate::postgres::settings;
use crate::wire::{Begin, Connection, NoAnswer, Query};
use crate::{Error, ErrorKind, Result};

/// Makes a connection to a database of this name, on the server that is restored into.
pub type Connect<'a> = dyn Fn(&BStr) -> Result<Connection> + 'a;

/// The setting that holds the token.
const TOKEN: &str = "lifeboat.session";
/// How long the second connection may wait for the server: for ever, in a pool whose only connection the first one has.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often each connection is looked at: a pool may take its connections in turns.
const LOOKS: usize = 3;
/// How often a token that somebody else's session has got is looked for, to take it away.
const SEARCHES: usize = 20;

/// What tells a session from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneSession {
    token: String,
    seen: Seen,
}

/// What a session says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// The process, and since when its server runs.
    process: (i32, BString),
    token: Option<BString>,
}

impl OneSession {
    /// Sets the session of `target` up for a restore, once it is sure that it is one. `connect` makes the connection that
    /// tries to get hold of it.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] where it is not; the server's. Nothing of what was set remains then.
    pub(crate) fn begin(target: &mut Connection, connect: &Connect<'_>) -> Result<Self> {
        let session = Self::begin_where_it_is(target, connect)?;
        writable::refuse_read_only(target)?;
        Ok(session)
    }

    /// As [`OneSession::begin`], where it is for the server to refuse what it can only read.
    pub fn begin_where_it_is(target: &mut Connection, connect: &Connect<'_>) -> Result<Self> {
        let session = Self::mark(target)?;
        session.prove(target, connect)?;
        session.furnish(target)?;
        Ok(session)
    }

    /// As [`OneSession::begin`], beside another session through the same pool, which was proved to be one.
    pub fn beside(target: &mut Connection) -> Result<Self> {
        let session = Self::mark(target)?;
        session.furnish(target)?;
        Ok(session)
    }

    /// Fails if what was set in the session holds no more.
    ///
    /// # Errors
    /// Another session answers, or the archive has reset this one; the server's.
    pub fn check(&self, target: &mut Connection) -> Result<()> {
        if Seen::by(target)? == self.seen {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Connection, "go on in the session that the restore began in")
            .why("what was set in it is gone: a pooler gave it to somebody else, or the archive has reset it")
            .hint("objects may belong to the wrong role: restore again, over a connection to the server itself"))
    }

    /// Takes back what was set in the session, where that can be done.
    pub(crate) fn end(&self, target: &mut Connection) -> Result<()> {
        // One that is lost has nothing any more, and one that is still in a transaction will be closed.
        if target.is_broken() || target.transaction_status() != b'I' { Ok(()) } else { Ok(target.tidy_up()?) }
    }

    fn mark(target: &mut Connection) -> Result<Self> {
        let token = format!("{:016x}", RandomState::new().build_hasher().finish());
        target.mark(TOKEN, &token)?;
        let seen = Seen::by(target)?;
        let session = Self { token, seen };
        if session.is_marked(&session.seen) { Ok(session) } else { Err(session.refuse(target, None)) }
    }

    fn furnish(&self, target: &mut Connection) -> Result<()> {
        let mut settings = settings::writing(target);
        if is_superuser(target) && !triggers_are_meant(target)? {
            settings.set(settings::TRIGGERS.0, settings::TRIGGERS.1);
        }
        Ok(target.set_up(&settings)?)
    }

    fn prove(&self, target: &mut Connection, connect: &Connect<'_>) -> Result<()> {
        let database = database(target)?;
        let mut second = match connect(database.as_bstr()) {
            Ok(second) => second,
            // There may be no more connections. But the process that the server has told of is the one that answers.
            Err(_) if target.backend_pid() == self.seen.process.0 => return Ok(()),
            Err(error) if error.cause::<NoAnswer>().is_some() => return self.look_again(target),
            Err(error) => {
                target.reset(TOKEN)?;
                return Err(Error::new(ErrorKind::Connection, "find out whether the pooler keeps a session together")
                    .source(error)
                    .hint(HINT));
            }
        };
        second.set_deadline(Instant::now().checked_add(PATIENCE));
        if let Some(is_taken) = self.is_taken_by(&mut second, target)? {
            return if is_taken { Err(self.refuse(target, Some(&mut second))) } else { Ok(()) };
        }
        self.look_again(target)
    }

    /// Where a second connection waits for the first one to go away, that has the session for itself, unless it shows
    /// another one.
    fn look_again(&self, target: &mut Connection) -> Result<()> {
        for _ in 0..LOOKS {
            if Seen::by(target)? != self.seen {
                return Err(self.refuse(target, None));
            }
        }
        Ok(())
    }

    /// Whether `second` gets hold of the session; `None` if it gets hold of none.
    fn is_taken_by(&self, second: &mut Connection, target: &mut Connection) -> Result<Option<bool>> {
        let is_mine = |seen: &Seen| self.is_marked(seen) || seen.process == self.seen.process;
        match second.begin(&Begin::read_only()) {
            Ok(()) => second.set_deadline(None),
            Err(_) if second.is_broken() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let first_look = Seen::by(second)?;
        if is_mine(&first_look) {
            second.reset(TOKEN)?;
            second.commit()?;
            return Ok(Some(true));
        }
        // While the second one has a transaction, and afterwards.
        let mut is_taken = Seen::by(target)? != self.seen;
        second.rollback()?;
        for _ in 0..LOOKS {
            let other = Seen::by(second)?;
            is_taken |= Seen::by(target)? != self.seen || is_mine(&other) || other != first_look;
        }
        Ok(Some(is_taken))
    }

    fn is_marked(&self, seen: &Seen) -> bool {
        seen.token.as_ref().is_some_and(|token| *token == self.token)
    }

    /// The error, after the token was taken away from whoever has it.
    fn refuse(&self, target: &mut Connection, second: Option<&mut Connection>) -> Error {
        let mut connections = vec![target];
        connections.extend(second);
        'search: for _ in 0..SEARCHES {
            for connection in &mut connections {
                match self.take_away(connection) {
                    Ok(false) => {}
                    // One that is lost took the token along, or another finds it.
                    Ok(true) | Err(_) => break 'search,
                }
            }
        }
        Error::new(ErrorKind::Refused, "restore through this pooler")
            .why("it gives each transaction to another session of the server, and a restore relies on having one: nothing was changed")
            .hint(HINT)
    }

    fn take_away(&self, connection: &mut Connection) -> Result<bool> {
        connection.begin(&Begin::read_only())?;
        let is_here = self.is_marked(&Seen::by(connection)?);
        if is_here {
            connection.reset(TOKEN)?;
        }
        connection.commit()?;
        Ok(is_here)
    }
}

const HINT: &str = "connect to the server itself, or to a pool that gives a client one session as long as it is \
                    connected (pgbouncer: pool_mode = session)";

impl Seen {
    fn by(connection: &mut Connection) -> Result<Self> {
        let query = Query::new(
            "which session this is",
            "SELECT pg_catalog.pg_backend_pid() AS pid, \
             pg_catalog.timestamptz_send(pg_catalog.pg_postmaster_start_time()) AS since, \
             pg_catalog.current_setting('lifeboat.session', true) AS token",
        );
        let rows = connection.run(&query)?;
        let row = rows.one()?;
        Ok(Self { process: (row.i32("pid")?, row.bytes("since")?.into()), token: row.opt_string("token")? })
    }
}

/// The name of the database that `target` is connected to, as it is stored: what a session's encoding makes of it is not
/// what another one is to be made with.
pub fn database(target: &mut Connection) -> Result<BString> {
    let query = Query::new(
        "the database's name",
        "SELECT pg_catalog.convert_to(pg_catalog.current_database()::pg_catalog.text, \
         pg_catalog.getdatabaseencoding()) AS name",
    );
    Ok(target.run(&query)?.one()?.bytes("name")?.into())
}

fn is_superuser(target: &Connection) -> bool {
    target.parameter("is_superuser").is_some_and(|state| state == BStr::new("on"))
}

/// Whether the setting about triggers came with the connection, and not from the database or the role.
fn triggers_are_meant(target: &mut Connection) -> Result<bool> {
    let query = Query::new(
        "who switched triggers off",
        "SELECT source = 'client' AS is_meant FROM pg_catalog.pg_settings WHERE name = 'session_replication_role'",
    );
    Ok(target.run(&query)?.one()?.bool("is_meant")?)
}
