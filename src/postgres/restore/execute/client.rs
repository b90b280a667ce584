//! The server that is restored into: the connection, its session, and the role that it has taken.

use bstr::{BStr, BString, ByteSlice};

use crate::postgres::restore::execute::one_session::{Connect, OneSession};
use crate::postgres::restore::execute::{Interrupt, Job};
use crate::postgres::version::ServerVersion;
use crate::wire::{Connection, Param, Query, Rows};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// One connection of a restore. What comes of what it does is put down in a [`Ledger`](super::ledger::Ledger).
pub struct Client<'a> {
    pub job: &'a Job<'a>,
    pub connection: &'a mut Connection,
    connect: &'a Connect<'a>,
    /// What tells the session from others; the team has those of its workers.
    session: Option<OneSession>,
    /// What ends it on request.
    pub interrupt: Interrupt,
    /// The statement that took the role that does what follows, where another one was taken.
    user: Option<BString>,
    /// The transaction that is open, if it is to hold more than a statement.
    pub(super) transaction: Option<Transaction>,
    /// Whether anything was or may have been changed for good.
    pub(super) has_changed: bool,
    pub(super) changed_rows: u64,
}

/// A transaction that is open.
#[derive(Debug)]
pub struct Transaction {
    pub(super) id: String,
    /// How many objects and statements were done in it.
    pub(super) actions: u32,
    /// Whether it is the one in which what is dropped is made anew.
    pub(super) is_replacing: bool,
}

impl<'a> Client<'a> {
    /// For what is done over `connection`; `connect` makes others.
    pub fn new(
        job: &'a Job<'a>,
        connection: &'a mut Connection,
        connect: &'a Connect<'a>,
        interrupt: Interrupt,
    ) -> Self {
        Self {
            job,
            connection,
            connect,
            session: None,
            interrupt,
            user: None,
            transaction: None,
            has_changed: false,
            changed_rows: 0,
        }
    }

    /// Another connection, to the database of that name.
    pub fn another(&self, database: &BStr) -> Result<Connection> {
        (self.connect)(database)
    }

    pub fn version(&self) -> ServerVersion {
        ServerVersion::new(self.connection.server_version())
    }

    /// Begins the one session that the restore relies on.
    pub fn begin_session(&mut self) -> Result<()> {
        let begin = if self.job.options.literal { OneSession::begin_where_it_is } else { OneSession::begin };
        self.session = Some(begin(self.connection, self.connect)?);
        Ok(())
    }

    /// Sets the session up as the archive wants it.
    pub fn set_up(&mut self) -> Result<()> {
        for statement in &self.job.plan.session {
            self.execute(statement).map_err(|error| error.statement(statement.as_bstr()))?;
        }
        self.user = None;
        Ok(())
    }

    /// Whether the session is still the one that was set up. A transaction that has failed tells nothing, and need not.
    pub fn check_session(&mut self) -> Result<()> {
        match &self.session {
            Some(session) if self.connection.transaction_status() != b'E' => session.check(self.connection),
            _ => Ok(()),
        }
    }

    pub fn end_session(&mut self) -> Result<()> {
        self.session.as_ref().map_or(Ok(()), |session| session.end(self.connection))
    }

    /// Goes on in another database, in a session that is set up.
    pub fn go_on_in(&mut self, database: &BStr) -> Result<()> {
        self.check_session()?;
        *self.connection = self.another(database)?;
        // What the server says to each login has been told.
        drop(self.connection.take_notices());
        self.interrupt.follow(self.connection);
        self.begin_session()?;
        self.set_up()
    }

    /// Lets another role do what follows. Without that, what follows would belong to somebody else.
    pub fn become_user(&mut self, statement: &[u8]) -> Result<()> {
        self.user = Some(statement.into());
        self.execute(statement).map_err(|error| {
            Error::new(ErrorKind::Server, "take the role of an object's owner")
                .source(error)
                .hint("only a superuser can take any role; " + Choice::NoOwner + " does without")
        })
    }

    /// Does something as the role that has logged in, and goes on as the one of before.
    pub fn as_login(&mut self, act: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let Some(user) = self.user.clone() else { return act(self) };
        self.become_user(b"SET SESSION AUTHORIZATION DEFAULT;")?;
        act(self)?;
        self.become_user(&user)
    }

    /// Runs statements of the archive's, or between them.
    pub fn execute(&mut self, statements: &[u8]) -> Result<()> {
        Ok(self.connection.foreign()?.execute(statements)?)
    }

    pub fn query(&mut self, sql: impl AsRef<[u8]>, params: &[Param]) -> Result<Rows> {
        Ok(self.connection.query(sql, params)?)
    }

    pub fn run(&mut self, query: &Query) -> Result<Rows> {
        Ok(self.connection.run(query)?)
    }
}
