//! The one error type of the engine: what was being done to what, why it failed, and what to do next.

use std::fmt;
use std::io;

use bstr::BStr;

use crate::printable::{self, escaped};
use crate::wire::{self, Login, NoAnswer, ServerError, Why};
use crate::words::{Choice, Words};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What sort of trouble an [`Error`] is; the command line derives its exit code from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for makes no sense: a bad URL, options that contradict each other.
    Usage,
    /// It was refused for safety's sake: a target exists and the caller did not insist, a database is in use.
    Refused,
    /// No connection to the server could be made or kept.
    Connection,
    /// The server answered a statement with an error.
    Server,
    /// Reading or writing a file failed.
    Io,
    /// An archive or a backup file is damaged or is of a kind that is not understood.
    Archive,
    /// Something in the database cannot be backed up completely, and is therefore not backed up at all.
    Incomplete,
    /// What was being read changed before it could be held still; trying again may help.
    Changed,
    /// A signal asked for the end.
    Interrupted,
    /// A fault of lifeboat's own.
    Internal,
}

/// An error: what was being done (`doing`), why it failed (`why`, or the source), what to do next (`hint`).
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    doing: Words,
    why: Option<Words>,
    hint: Option<Words>,
    statement: Option<String>,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind`, raised while `doing`, worded so that it reads on after "could not": "read the header of x".
    pub fn new(kind: ErrorKind, doing: impl Into<Words>) -> Self {
        Self(Box::new(Inner {
            kind,
            doing: doing.into().plain(),
            why: None,
            hint: None,
            statement: None,
            source: None,
        }))
    }

    /// The error of one who wanted a thread while `doing` this. Users, containers and services are limited to so many.
    pub fn no_thread(doing: impl Into<Words>, error: io::Error) -> Self {
        Self::new(ErrorKind::Io, doing).why(format!("there is no thread to be had: {error}")).hint(
            "raise the limit on processes and threads: ulimit -u, TasksMax= of a service, pids.max of a container",
        )
    }

    /// Adds the reason in words.
    #[must_use]
    pub fn why(mut self, why: impl Into<Words>) -> Self {
        self.0.why = Some(why.into().plain());
        self
    }

    /// Adds the error that caused this one; its text becomes the reason if [`Error::why`] gave none.
    #[must_use]
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds what the person at the keyboard can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Words>) -> Self {
        self.0.hint = Some(hint.into().plain());
        self
    }

    /// Adds the statement that the server refused, which no message shows by itself.
    #[must_use]
    pub(crate) fn statement(mut self, statement: &BStr) -> Self {
        self.0.statement = Some(printable::on_one_line(statement));
        self
    }

    /// The statement that the server refused, on one line, where it is known.
    pub fn refused_statement(&self) -> Option<&str> {
        let own = self.0.statement.as_deref();
        own.or_else(|| self.causes().find_map(|cause| cause.downcast_ref::<Self>()?.refused_statement()))
    }

    /// The sort of trouble.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The server's own report, where a server's error is what went wrong.
    pub fn server(&self) -> Option<&ServerError> {
        self.cause()
    }

    /// The first error of this type among those that led to this one.
    pub fn cause<T: std::error::Error + 'static>(&self) -> Option<&T> {
        self.causes().find_map(|cause| {
            let of_another = || cause.downcast_ref::<Self>().and_then(Self::cause);
            cause.downcast_ref::<T>().or_else(of_another)
        })
    }

    /// The errors that led to this one, the nearest first.
    fn causes(&self) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_ref().map(|source| source.as_ref() as &(dyn std::error::Error + 'static));
        std::iter::successors(source, |cause| cause.source())
    }

    /// What to do next, where there is something to say.
    pub fn advice(&self) -> Option<&Words> {
        self.0.hint.as_ref()
    }

    /// The same in words, in which each choice is named as this library names it.
    pub fn hint_text(&self) -> Option<String> {
        self.advice().map(Words::to_string)
    }

    /// What [`Display`](fmt::Display) says, in which each choice has the name that `name` gives it.
    pub fn named(&self, name: impl Fn(&Choice) -> String + Copy) -> String {
        let mut said = format!("could not {}", self.0.doing.named(name));
        if let Some(why) = &self.0.why {
            said.push_str(&format!(": {}", why.named(name)));
        }
        for cause in self.causes() {
            let said_of = match (cause.downcast_ref::<Self>(), cause.downcast_ref::<ServerError>()) {
                (Some(error), _) => error.named(name),
                (_, Some(report)) => printable::report(report),
                _ => cause.to_string(),
            };
            said.push_str(": ");
            said.push_str(&escaped(&said_of));
        }
        said
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(Choice::to_string))
    }
}

impl std::error::Error for Error {}

impl From<wire::Error> for Error {
    fn from(error: wire::Error) -> Self {
        let wire::Error { doing, why } = error;
        match why {
            Why::Server(report) => Self::new(ErrorKind::Server, doing).source(*report),
            Why::Ended(report) => Self::new(ErrorKind::Connection, doing).source(*report),
            Why::NoAnswer => Self::new(ErrorKind::Connection, doing).source(NoAnswer),
            Why::Login(login) => {
                let hint = how_to_log_in(&login);
                Self::new(ErrorKind::Connection, doing).source(login).hint(hint)
            }
            Why::Lost(why) => Self::new(ErrorKind::Connection, doing).why(why),
            Why::Result(why) => Self::new(ErrorKind::Server, doing).why(why),
            Why::Statement(why) => Self::new(ErrorKind::Usage, doing).why(why),
            Why::Program(why) => Self::new(ErrorKind::Internal, doing).why(why),
        }
    }
}

/// What to do about a login that was given up.
fn how_to_log_in(login: &Login) -> &'static str {
    match login {
        Login::NoPassword => "put it into the password file (~/.pgpass), PGPASSWORD or the URL",
        Login::Unbound => {
            "channel binding needs TLS and a password of the kind scram-sha-256; or say channel_binding=prefer"
        }
        Login::Forbidden(_) => "allow it with require_auth (PGREQUIREAUTH), or leave that out",
        Login::Unbindable => "channel binding needs TLS; or say channel_binding=prefer",
        Login::Method(_) | Login::Mechanisms(_) => {
            "supported are trust, peer, client certificates, password, md5 and scram-sha-256"
        }
    }
}

/// Turns a foreign error into an [`Error`] that says what was being done.
pub trait Context<T> {
    /// `doing` reads on after "could not"; it is only called on failure.
    fn context<S: Into<Words>>(self, kind: ErrorKind, doing: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<Source>> Context<T> for std::result::Result<T, E> {
    fn context<S: Into<Words>>(self, kind: ErrorKind, doing: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|e| Error::new(kind, doing()).source(e))
    }
}
