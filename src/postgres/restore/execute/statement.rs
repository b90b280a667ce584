//! Running statements for entries, and putting down what the server refuses.

use crate::postgres::archive::EntryIndex;
use crate::postgres::archive::kinds;
use crate::postgres::restore::execute::client::Client;
use crate::postgres::restore::execute::ledger::Ledger;
use crate::postgres::restore::execute::required_version;
use crate::postgres::restore::execute::sqlstates::{DUPLICATE, NO_MORE_LOCKS};
use crate::postgres::restore::non_superuser::advice;
use crate::postgres::restore::summary::EntryError;
use crate::wire::{self, Notice, sqlstate};
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, Result};

/// What to do when a transaction needs more locks than the server has room for.
pub fn more_locks() -> Words {
    "a transaction holds a lock for each object that it drops or makes: raise max_locks_per_transaction on the server, or give "
        + Choice::TransactionSize
        + " N, which drops and makes so many in one transaction"
}

/// What became of a statement, and what the server said to it.
pub type Answer = (wire::Result<()>, Vec<Notice>);

impl Client<'_> {
    /// Runs a statement for an entry. An error of the server's is put down; false then.
    pub fn statement(&mut self, ledger: &mut Ledger<'_>, at: EntryIndex, statement: &[u8]) -> Result<bool> {
        match self.connection.foreign()?.execute_counting(statement) {
            Ok(rows) => {
                self.changed_rows += rows;
                Ok(true)
            }
            Err(error) => self.put_down(ledger, at, statement, error.into()).map(|()| false),
        }
    }

    /// Sends statements without waiting for each one's answer; what became of each, and what the server said to it.
    pub fn send_each(&mut self, statements: &[&[u8]]) -> Result<Vec<Answer>> {
        Ok(self.connection.foreign()?.execute_each_telling(statements)?)
    }

    /// Puts an error of the server's down for an entry; one that ends everything is given back.
    pub fn put_down(&self, ledger: &mut Ledger<'_>, at: EntryIndex, statement: &[u8], error: Error) -> Result<()> {
        let error = self.survived(error).map_err(|error| self.of_archive(at, error))?;
        let mut error = self.entry_error(at, statement, &error);
        error.needs = self.needs(statement, &error);
        advice::add(&self.job.entries[at], &mut error);
        ledger.put_down(at, error);
        Ok(())
    }

    /// An error of the server's as one of an entry.
    pub fn entry_error(&self, at: EntryIndex, statement: &[u8], error: &Error) -> EntryError {
        let mut error = EntryError::server(&self.job.entries[at], statement, error);
        if self.in_transaction() && error.sqlstate.as_deref() == Some(NO_MORE_LOCKS) {
            error.hint = Some(more_locks());
        }
        error
    }

    /// A statement that cannot be run at all, such as a COPY that wants rows where none are, is the archive's fault and not
    /// that of whoever gave the options.
    fn of_archive(&self, at: EntryIndex, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Usage => Error::new(ErrorKind::Archive, format!("restore {}", self.job.name(at))).source(error),
            _ => error,
        }
    }

    /// Whether the server refused to make an entry's object because there is one.
    pub fn is_there_already(&self, at: EntryIndex, error: &Error) -> bool {
        error.server().is_some_and(|report| {
            DUPLICATE.iter().any(|code| report.code == *code)
                // A second primary key.
                || (report.code == sqlstate::INVALID_TABLE_DEFINITION && kinds::is(&self.job.entries[at], "CONSTRAINT"))
        })
    }

    /// What a statement needs that this server is too old for, where it may have failed for that.
    pub fn needs(&self, statement: &[u8], error: &EntryError) -> Option<String> {
        // Not understood, not known, not supported.
        let codes = [
            sqlstate::SYNTAX_ERROR,
            sqlstate::UNDEFINED_OBJECT,
            sqlstate::UNDEFINED_FUNCTION,
            sqlstate::FEATURE_NOT_SUPPORTED,
            sqlstate::INVALID_PARAMETER_VALUE,
        ];
        if !error.sqlstate.as_deref().is_some_and(|code| codes.contains(&code)) {
            return None;
        }
        let (made_by, server) = (self.job.made_by, self.version());
        let major = server.major();
        match required_version::newer_than(statement, server) {
            Some((since, what)) => Some(format!("PostgreSQL {since} ({what}), and this is {major}")),
            None if server.is_before(made_by) => Some(format!(
                "perhaps a newer server than this, which is PostgreSQL {major}: the archive is of one of {made_by}"
            )),
            None => None,
        }
    }

    /// Says what was being restored when the connection was lost. Errors of the archive's say it themselves.
    pub fn during(&self, at: EntryIndex, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Connection => {
                Error::new(ErrorKind::Connection, format!("restore {}", self.job.name(at))).source(error)
            }
            _ => error,
        }
    }
}
