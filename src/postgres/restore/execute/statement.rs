//! Running statements, and putting down what the server refuses and says.

use crate::postgres::archive::EntryName;
use crate::postgres::archive::kinds;
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::execute::required_version;
use crate::postgres::restore::non_superuser;
use crate::postgres::restore::summary::EntryError;
use crate::postgres::version::ServerVersion;
use crate::progress::{Level, Message};
use crate::wire::sqlstate;
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, Result};

/// The SQLSTATE of a transaction that needs more locks than the server has room for.
pub(in crate::postgres::restore) const NO_MORE_LOCKS: &str = sqlstate::OUT_OF_MEMORY;
/// What to do then.
pub(in crate::postgres::restore) fn more_locks() -> Words {
    "a transaction holds a lock for each object that it drops or makes: raise max_locks_per_transaction on the server, or give "
        + Choice::TransactionSize
        + " N, which drops and makes so many in one transaction"
}

impl Run<'_> {
    /// Lets another role do what follows. Without that, what follows would belong to somebody else.
    pub(in crate::postgres::restore) fn become_user(&mut self, statement: &[u8]) -> Result<()> {
        self.user = Some(statement.into());
        self.target.foreign()?.execute(statement).map_err(Error::from).map_err(|error| {
            Error::new(ErrorKind::Server, "take the role of an object's owner")
                .source(error)
                .hint("only a superuser can take any role; " + Choice::NoOwner + " does without")
        })
    }

    /// Runs a statement for an entry. An error of the server's is put down; false then.
    pub(in crate::postgres::restore) fn statement(&mut self, entry: usize, statement: &[u8]) -> Result<bool> {
        match self.target.foreign()?.execute_counting(statement) {
            Ok(rows) => {
                self.changed += rows;
                Ok(true)
            }
            Err(error) => self.put_down(entry, statement, error.into()).map(|()| false),
        }
    }

    /// Runs statements without putting an error down; it is given back. In a transaction block they are kept apart from
    /// what was before, so that the block survives their failure.
    ///
    /// # Errors
    /// What ends everything, rather than these statements.
    pub(in crate::postgres::restore) fn attempt(&mut self, statements: &[u8]) -> Result<Option<Error>> {
        self.interrupt.check()?;
        let is_block = self.is_block;
        let result = if is_block {
            let mut text = b"SAVEPOINT lifeboat; ".to_vec();
            text.extend_from_slice(statements);
            // The newline ends a comment that the statements may end with.
            text.extend_from_slice(b"\n; RELEASE SAVEPOINT lifeboat");
            self.target.foreign()?.execute_counting(&text)
        } else {
            self.target.foreign()?.execute_counting(statements)
        };
        let error = match result {
            Ok(rows) => {
                self.changed += rows;
                return Ok(None);
            }
            Err(error) => Error::from(error),
        };
        self.interrupt.check()?;
        if self.target.is_broken() || error.server().is_none() {
            return Err(error);
        }
        if is_block {
            self.target.undo()?;
        }
        Ok(Some(error))
    }

    /// Puts an error of the server's down for an entry; one that ends everything is given back.
    pub(in crate::postgres::restore) fn put_down(
        &mut self,
        entry: usize,
        statement: &[u8],
        error: Error,
    ) -> Result<()> {
        self.interrupt.check()?;
        if self.target.is_broken() || error.server().is_none() {
            return Err(self.of_archive(entry, error));
        }
        let mut error = EntryError::server(&self.entries[entry], statement, &error);
        error.needs = self.needs(statement, &error);
        non_superuser::advise(&self.entries[entry], &mut error);
        self.put_down_error(entry, error);
        Ok(())
    }

    /// A statement that cannot be run at all, such as a COPY that wants rows where none are, is the archive's fault and not
    /// that of whoever gave the options.
    fn of_archive(&self, entry: usize, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Usage => {
                Error::new(ErrorKind::Archive, format!("restore {}", EntryName::of(&self.entries[entry]))).source(error)
            }
            _ => error,
        }
    }

    /// Whether the server refused to make an entry's object because there is one.
    pub(in crate::postgres::restore) fn is_there_already(&self, entry: usize, error: &Error) -> bool {
        const DUPLICATE: [&str; 5] = [
            sqlstate::DUPLICATE_TABLE,
            sqlstate::DUPLICATE_OBJECT, // type, and most other objects
            sqlstate::DUPLICATE_FUNCTION,
            sqlstate::DUPLICATE_SCHEMA,
            sqlstate::DUPLICATE_COLUMN,
        ];
        error.server().is_some_and(|report| {
            DUPLICATE.iter().any(|code| report.code == *code)
                // A second primary key.
                || (report.code == sqlstate::INVALID_TABLE_DEFINITION && kinds::is(&self.entries[entry], "CONSTRAINT"))
        })
    }

    /// What a statement needs that this server is too old for, where it may have failed for that.
    pub(in crate::postgres::restore) fn needs(&self, statement: &[u8], error: &EntryError) -> Option<String> {
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
        let server = ServerVersion::new(self.target.server_version());
        let major = server.major();
        match required_version::newer_than(statement, server) {
            Some((since, what)) => Some(format!("PostgreSQL {since} ({what}), and this is {major}")),
            None if server.is_before(self.made_by) => Some(format!(
                "perhaps a newer server than this, which is PostgreSQL {major}: the archive is of one of {}",
                self.made_by
            )),
            None => None,
        }
    }

    /// Puts an error down for an entry.
    pub(in crate::postgres::restore) fn put_down_error(&mut self, entry: usize, mut error: EntryError) {
        if self.is_block && error.sqlstate.as_deref() == Some(NO_MORE_LOCKS) {
            error.hint = Some(more_locks());
        }
        self.reporter.message(Message::new(Level::Error, error.entry.to_string(), error.what_happened()));
        self.summary.errors.push(error);
        self.failed.insert(entry);
        if self.options.stops_at_first_error() {
            self.summary.stopped = true;
        }
    }

    /// Says what was being restored when the connection was lost. Errors of the archive's say it themselves.
    pub(in crate::postgres::restore) fn during(&self, entry: usize, error: Error) -> Error {
        if error.kind() != ErrorKind::Connection {
            return error;
        }
        Error::new(ErrorKind::Connection, format!("restore {}", EntryName::of(&self.entries[entry]))).source(error)
    }

    /// Says something about an entry.
    pub(in crate::postgres::restore) fn say(&self, level: Level, entry: usize, text: String) {
        self.reporter.message(Message::new(level, EntryName::of(&self.entries[entry]).to_string(), text));
    }
}
