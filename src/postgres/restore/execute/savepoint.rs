//! What may fail without the transaction that is open failing with it. Nothing else in a restore makes savepoints.

use std::borrow::Cow;

use crate::postgres::restore::execute::client::Client;
use crate::wire::Connection;
use crate::{Error, Result};

impl Client<'_> {
    /// Runs statements, in one message. Without a transaction they succeed or fail together as well.
    ///
    /// # Errors
    /// What ends everything. The server's error about the statements is given back.
    pub fn attempt(&mut self, statements: &[u8]) -> Result<Option<Error>> {
        self.interrupt.check()?;
        let text: Cow<'_, [u8]> = match self.in_transaction() {
            // The newline ends a comment that the statements may end with.
            true => [b"SAVEPOINT lifeboat; ", statements, b"\n; RELEASE SAVEPOINT lifeboat"].concat().into(),
            false => statements.into(),
        };
        match self.connection.foreign()?.execute_counting(&text) {
            Ok(rows) => {
                self.changed_rows += rows;
                Ok(None)
            }
            Err(error) => self.undo(error.into()).map(Some),
        }
    }

    /// Does something of several messages. Without a transaction, each does what it does.
    ///
    /// # Errors
    /// As for [`Client::attempt`]. What is done is undone, too, where it `is_good` for nothing.
    pub fn apart<T>(
        &mut self,
        act: impl FnOnce(&mut Connection) -> Result<T>,
        is_good: impl FnOnce(&T) -> bool,
    ) -> Result<Result<T>> {
        if self.in_transaction() {
            self.connection.savepoint()?;
        }
        let done = match act(self.connection) {
            Ok(done) => done,
            Err(error) => return self.undo(error).map(Err),
        };
        self.interrupt.check()?;
        if self.in_transaction() {
            if is_good(&done) { self.connection.release()? } else { self.connection.undo()? }
        }
        Ok(Ok(done))
    }

    /// Undoes what met this error, unless that ends everything.
    fn undo(&mut self, error: Error) -> Result<Error> {
        let error = self.survived(error)?;
        if self.in_transaction() {
            self.connection.undo()?;
        }
        Ok(error)
    }

    /// An error of the server's about statements.
    ///
    /// # Errors
    /// It ends everything: the end was asked for, the connection is lost, nothing was sent.
    pub fn survived(&self, error: Error) -> Result<Error> {
        self.interrupt.check()?;
        if self.connection.is_broken() || error.server().is_none() { Err(error) } else { Ok(error) }
    }
}
