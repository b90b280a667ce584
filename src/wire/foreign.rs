//! Statements that others wrote: an archive's.
//!
//! They mean what they say under the settings that their author had, a search path included, so they are sent as they
//! are: never in a block of ours, and only in a session that was set up for them. Nothing of ours goes this way.

use bstr::ByteSlice;

use super::block::{Ground, put_setting};
use super::connection::Connection;
use super::copy_in::CopyIn;
use super::error::{Error, Result};
use super::simple::Told;

/// What a session is set up with.
#[derive(Debug, Clone, Default)]
pub struct SessionSettings(Vec<u8>);

impl SessionSettings {
    /// Adds a setting.
    pub fn set(&mut self, name: &'static str, value: impl AsRef<[u8]>) -> &mut Self {
        self.0.extend_from_slice(b"; ");
        put_setting(&mut self.0, "SET ", name, value.as_ref().as_bstr());
        self
    }
}

/// A session, set up for statements of others. What they do to it is theirs.
#[derive(Debug)]
pub struct Foreign<'a>(&'a mut Connection);

impl Connection {
    /// Sets the session up for statements of others: with an empty search path, and with these settings. It is done outside
    /// of a transaction, whose end could undo it.
    ///
    /// # Errors
    /// A transaction is open; the server's.
    pub fn set_up(&mut self, settings: &SessionSettings) -> Result<()> {
        let doing = "set up the session";
        if self.ground() != Ground::None {
            return Err(Error::program(doing, "a transaction is open"));
        }
        let mut text = Vec::new();
        for (name, limit) in self.state.wanted_limits() {
            text.extend_from_slice(format!("SET {name} = {limit}; ").as_bytes());
        }
        text.extend_from_slice(b"SET search_path = ''");
        text.extend_from_slice(&settings.0);
        self.insist(&text, doing)?;
        self.state.is_set_up = true;
        Ok(())
    }

    /// Sets a setting of lifeboat's own, which means nothing to the server, in the session.
    ///
    /// # Errors
    /// It is one of the server's; a transaction is open; the server's.
    pub fn mark(&mut self, name: &'static str, value: &str) -> Result<()> {
        let doing = "mark the session";
        if !name.contains('.') || self.ground() != Ground::None {
            return Err(Error::program(doing, "it is not the time, or the setting, for that"));
        }
        let mut text = Vec::new();
        put_setting(&mut text, "SET ", name, value.into());
        self.insist(&text, doing)
    }

    /// Takes everything back that was set in the session, and what else it holds (temporary tables, locks, the role).
    ///
    /// # Errors
    /// A transaction is open; the server's.
    pub fn tidy_up(&mut self) -> Result<()> {
        self.state.is_set_up = false;
        self.send_text(b"DISCARD ALL", "leave the session as it was")
    }

    /// The way for statements of others.
    ///
    /// # Errors
    /// The session was not set up for them, or a transaction of ours is open.
    pub fn foreign(&mut self) -> Result<Foreign<'_>> {
        if !self.state.is_set_up || self.ground() == Ground::Ours {
            return Err(Error::program("run a statement of the archive", "the session is not ready for it"));
        }
        self.state.is_ours = false;
        Ok(Foreign(self))
    }
}

impl<'a> Foreign<'a> {
    /// Begins a transaction block for statements of others, under what the session has.
    ///
    /// # Errors
    /// The server's.
    pub fn begin(&mut self) -> Result<()> {
        self.0.send_text(b"BEGIN", "begin a transaction")
    }

    /// Runs any number of statements and throws their rows away.
    ///
    /// # Errors
    /// The server's, for the first statement that fails; those after it are not run. A COPY from or to the client in
    /// `sql` is an error as well, and leaves the connection usable.
    pub fn execute(&mut self, sql: &[u8]) -> Result<()> {
        self.execute_counting(sql).map(|_| ())
    }

    /// As [`Foreign::execute`]; the number of rows that the statements inserted, updated and deleted.
    ///
    /// # Errors
    /// As [`Foreign::execute`].
    pub fn execute_counting(&mut self, sql: &[u8]) -> Result<u64> {
        self.0.simple(sql, "run a statement")
    }

    /// Runs several texts of statements, each as [`Foreign::execute`] would, in one round trip; what became of each,
    /// in order. An error in one keeps no other from being run, unless a transaction block that they share fails with it.
    ///
    /// # Errors
    /// A lost connection; a text that cannot be sent, before any is run.
    pub fn execute_each<S: AsRef<[u8]>>(&mut self, texts: &[S]) -> Result<Vec<Result<()>>> {
        self.0.each(texts)
    }

    /// As [`Foreign::execute_each`], with what the server said to each text beside its answer. Where the connection is lost, the
    /// answers that had come, and how it was lost: by the text after these, if not by something else.
    ///
    /// # Errors
    /// The connection was lost before; a text that cannot be sent, before any is run.
    pub fn execute_each_telling<S: AsRef<[u8]>>(&mut self, texts: &[S]) -> Result<(Vec<Told>, Option<Error>)> {
        self.0.each_telling(texts)
    }

    /// Starts `COPY … FROM STDIN`.
    ///
    /// # Errors
    /// The server's; a statement that is no such COPY. The connection is usable afterwards.
    pub fn copy_in(self, sql: &[u8]) -> Result<CopyIn<'a>> {
        self.0.begin_copy_in(sql)
    }
}
