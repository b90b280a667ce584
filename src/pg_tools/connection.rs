//! Which server and database a tool is to connect to, by its options, and the password that a person is asked for.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;

use bstr::BStr;

use super::Context;
use super::failure::Failure;
use crate::connect::{Environment, Named, Target};
use crate::console::terminal_password;
use crate::wire::{Connection, Login};
use crate::{Cancellation, Error, ErrorKind, Result};

/// The options of all tools that say where the server is.
#[derive(Debug, Default)]
pub(super) struct ConnectionOptions {
    /// A name of a database, or a whole connection string or URL, which then counts before the other options.
    pub(super) dbname: Option<OsString>,
    pub(super) host: Option<OsString>,
    pub(super) port: Option<OsString>,
    pub(super) username: Option<OsString>,
    pub(super) prompt: Prompt,
}

/// When a person is asked for the password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Prompt {
    /// When the server wants one and none is known.
    #[default]
    IfNeeded,
    /// Never.
    Never,
    /// Before the first connection.
    Always,
}

/// Connects, and remembers the password that was asked for.
pub(super) struct Connector {
    target: Mutex<Target>,
    prompt: Prompt,
    cancellation: Cancellation,
}

impl ConnectionOptions {
    /// What connects as the options say. `program` is what sessions are called that have no other name. Of what has no effect in
    /// them, the messages warn.
    ///
    /// # Errors
    /// An option or a variable makes no sense; no password can be asked for.
    pub(super) fn connector(self, program: &str, context: &Context) -> Result<Connector, Failure> {
        let cancellation = &context.cancellation;
        let bytes = |text: &Option<OsString>| text.as_deref().map(OsStr::as_bytes).map(<[u8]>::to_vec);
        let named = Named {
            dbname: bytes(&self.dbname),
            host: bytes(&self.host),
            port: bytes(&self.port),
            user: bytes(&self.username),
            program: program.to_owned(),
        };
        let mut target = Target::of_names(named, &Environment::of_process())?;
        target.notes().iter().for_each(|note| context.messages.warning(note));
        if self.prompt == Prompt::Always {
            target = target.with_password(terminal_password::ask(cancellation)?);
        }
        Ok(Connector { target: Mutex::new(target), prompt: self.prompt, cancellation: cancellation.clone() })
    }
}

impl Connector {
    /// The target as it is known now.
    pub(super) fn target(&self) -> Result<Target> {
        let lost = |_| Error::new(ErrorKind::Internal, "connect").why("another thread failed");
        Ok(self.target.lock().map_err(lost)?.clone())
    }

    /// Connects to another database of the same server.
    ///
    /// # Errors
    /// No connection can be made.
    pub(super) fn connect_to(&self, database: &BStr) -> Result<Connection> {
        self.connect_as(|target| target.with_database(database))
    }

    /// Connects to the database, and asks for the password if the server wants one that nobody has said.
    ///
    /// # Errors
    /// No connection can be made.
    pub(super) fn connect(&self) -> Result<Connection> {
        self.connect_as(Target::clone)
    }

    fn connect_as(&self, changed: impl Fn(&Target) -> Target) -> Result<Connection> {
        let target = self.target()?;
        self.ask_and_connect(&target, &changed).map_err(|error| {
            let place = changed(&target).place();
            Error::new(error.kind(), "connect").source(NotConnected { place, error })
        })
    }

    fn ask_and_connect(&self, target: &Target, changed: &dyn Fn(&Target) -> Target) -> Result<Connection> {
        let error = match changed(target).connect() {
            Err(error) if self.prompt == Prompt::IfNeeded && wants_password(&error) => error,
            result => return result,
        };
        let Some(password) = terminal_password::ask_if_possible(&self.cancellation)? else { return Err(error) };
        let target = target.with_password(password);
        let connection = changed(&target).connect()?;
        if let Ok(mut known) = self.target.lock() {
            *known = target;
        }
        Ok(connection)
    }
}

/// No connection could be made.
#[derive(Debug)]
pub(super) struct NotConnected {
    /// Where the server is.
    pub(super) place: String,
    /// Why.
    pub(super) error: Error,
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for NotConnected {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

fn wants_password(error: &Error) -> bool {
    error.cause::<Login>() == Some(&Login::NoPassword)
}
