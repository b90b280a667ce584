//! SQLite's errors in words that say what to do.

use std::path::Path;
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::{Error, ErrorKind};
use crate::output::{file_size_limit_hint, full_disk_hint};
use crate::words::Choice;

/// What a failed call was about.
#[derive(Debug, Clone, Copy)]
pub struct CallContext<'a> {
    /// What was being done, to follow "could not".
    pub doing: &'a str,
    /// The database that is read.
    pub database: &'a Path,
    /// The file that is written, if one is.
    pub written: Option<&'a Path>,
    /// How long locks were waited for.
    pub waited: Duration,
}

impl CallContext<'_> {
    /// Makes the error for `cause`.
    pub fn failed(&self, cause: rusqlite::Error) -> Error {
        let database = self.database.display();
        let made = |kind: ErrorKind| Error::new(kind, self.doing);
        match cause.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => made(ErrorKind::Refused)
                .why(format!("another process has kept {database} locked for {} seconds", self.waited.as_secs()))
                .hint("try again when its transaction has ended; " + Choice::LockWait + " sets how long to wait"),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => made(ErrorKind::Archive)
                .why(words(&cause))
                .hint(format!("{database} is damaged: restore it from the last good backup")),
            Some(ErrorCode::DiskFull) => {
                let written = self.written.unwrap_or(self.database);
                made(ErrorKind::Io).why(format!("no space is left for {}", written.display())).hint(full_disk_hint(written))
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                made(ErrorKind::Io).why(words(&cause)).hint(format!(
                    "check that this user may read {database} and write in its folder (SQLite keeps -wal and -shm there)"
                ))
            }
            Some(ErrorCode::SystemIoFailure) if self.written.is_some() => {
                let error = made(ErrorKind::Io).why(words(&cause));
                match file_size_limit_hint() {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            }
            _ => made(ErrorKind::Io).why(words(&cause)),
        }
    }
}

/// What SQLite says, once, and with the number under which its documentation explains it.
pub fn words(cause: &rusqlite::Error) -> String {
    match cause {
        // The number 1 only says that it failed.
        rusqlite::Error::SqliteFailure(code, Some(message)) if code.extended_code == rusqlite::ffi::SQLITE_ERROR => {
            message.clone()
        }
        rusqlite::Error::SqliteFailure(code, Some(message)) => {
            format!("{message} (SQLite error {})", code.extended_code)
        }
        // Without the statement, which is ours.
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

/// Why a database could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// SQLite says so.
    Sqlite(rusqlite::Error),
    /// It was not tried, or something else failed.
    Other(Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Whether SQLite says that what it reads is no sound database.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseCorrupt, NotADatabase, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase | SystemIoFailure))
}
