//! Opening a database to read it, without changing it more than SQLite cannot avoid.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{Access, access};

use super::error::{CallContext, OpenError};
use super::math;
use super::other_names::{real_path, refuse_other_names};
use super::pending_recovery::{FileStamps, PendingRecovery, pending};
use super::recovered_copy::recovered;
use crate::cancellation::Cancellation;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{folder_of, with_suffix};

/// How long another process may take to commit a transaction over several databases.
const UNDECIDED: Duration = Duration::from_secs(1);

/// What needs no escape in the path of a URI.
pub(super) const IN_URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// A database opened for reading. There is no other way of opening one that may be in use, or may have been.
#[derive(Debug)]
pub struct Source {
    /// The connection.
    pub connection: Connection,
    /// The file, by its real path.
    pub path: PathBuf,
    /// What the files looked like, if they were opened without locks and must be looked at again.
    unlocked: Option<FileStamps>,
}

/// How a database is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// How long to wait for a writer that locks everybody out.
    pub wait: Duration,
    /// A folder for a private copy, should one be needed and the folder for temporary files have no room.
    pub spare: Option<&'a Path>,
    /// What removes that copy, should the work be ended.
    pub cancellation: &'a Cancellation,
}

impl<'a> Opening<'a> {
    /// A writer is waited for as long as `wait`.
    pub fn new(wait: Duration, cancellation: &'a Cancellation) -> Self {
        Self { wait, spare: None, cancellation }
    }
}

impl Source {
    /// Opens the database at `path`, which must exist.
    ///
    /// What is read is the last committed state: where a transaction was broken off, or a log has not come into the database, and
    /// this user may not write what SQLite would have to write, a private copy is recovered and read.
    pub fn open(path: &Path, opening: Opening<'_>, doing: &str) -> Result<Self> {
        let about = CallContext { doing, database: path, written: None, waited: opening.wait };
        Self::try_open(path, opening, doing).map_err(|unopened| match unopened {
            OpenError::Sqlite(error) => about.failed(error),
            OpenError::Other(error) => error,
        })
    }

    /// As [`Source::open`]; an error of SQLite's is given as it is.
    pub(super) fn try_open(path: &Path, opening: Opening<'_>, doing: &str) -> Result<Self, OpenError> {
        // An absolute path: the name of the -wal file must not depend on the current folder or on a symbolic link, and a
        // name that begins with "file:" must not be taken for a URI.
        let path = real_path(path, doing)?;
        refuse_other_names(&path, doing)?;
        refuse_undecided(&path, doing)?;
        let source = match open_with_locks(&path, opening.wait) {
            Ok(connection) => Self { connection, path, unlocked: None },
            Err(e) if cannot_write(&e) => Self::without_writing(path, opening, doing)?,
            Err(e) => return Err(e.into()),
        };
        refuse_nothing(&source, doing)?;
        math::define(&source.connection)?;
        Ok(source)
    }

    /// Where SQLite cannot write what it would have to, a file to which nothing has to be applied is read without locks: nobody has
    /// it open in WAL mode then, and whether that stayed so is seen afterwards. Of anything else a copy is recovered.
    fn without_writing(path: PathBuf, opening: Opening<'_>, doing: &str) -> Result<Self, OpenError> {
        let look = FileStamps::at(&path, doing)?;
        if look.pending().is_some() {
            let connection = recovered(&path, opening, doing)?;
            return Ok(Self { connection, path, unlocked: None });
        }
        let bytes = path.as_os_str().as_encoded_bytes();
        let uri = format!("file:{}?immutable=1", percent_encode(bytes, IN_URI));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri, flags)?;
        first_read(&connection)?;
        Ok(Self { connection, path, unlocked: Some(look) })
    }

    /// Opens a private copy of the database at `path`, which may be written, as the original may not.
    pub(super) fn copied(path: &Path, opening: Opening<'_>, doing: &str) -> Result<Self, OpenError> {
        let connection = recovered(path, opening, doing)?;
        math::define(&connection)?;
        Ok(Self { connection, path: path.to_path_buf(), unlocked: None })
    }

    /// Fails if what was read cannot be trusted: because the files changed and no lock kept them from changing, or because the
    /// database has got another name.
    pub fn check_undisturbed(&self, doing: &str) -> Result<()> {
        refuse_other_names(&self.path, doing)?;
        let Some(before) = &self.unlocked else { return Ok(()) };
        let after = FileStamps::at(&self.path, doing)?;
        if after == *before {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Changed, doing)
            .why(format!("{} was changed while it was read without locks", self.path.display()))
            .hint("try again, or run as a user who may write in the folder of the database"))
    }
}

fn open_with_locks(path: &Path, wait: Duration) -> rusqlite::Result<Connection> {
    // A log that a crashed application left is read but not folded into the database: that is the application's part.
    let log_waits = fs::metadata(with_suffix(path, "-wal")).is_ok_and(|m| m.len() > 0);
    // SQLite falls back to reading only, if the file may not be written. If it may, but not the folder, it would roll a transaction
    // back and fail to remove the journal: nothing is begun then.
    let access = if may_recover(path) { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let mut connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    wait_for_locks(&mut connection, wait)?;
    if log_waits {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    first_read(&connection)?;
    Ok(connection)
}

/// Whether this user may do what rolling a transaction back takes, where there is a journal.
fn may_recover(path: &Path) -> bool {
    let journal = with_suffix(path, "-journal");
    if fs::symlink_metadata(&journal).is_err() {
        return true;
    }
    let may_write = |path: &Path| access(path, Access::WRITE_OK).is_ok();
    may_write(path) && may_write(&journal) && may_write(&folder_of(path))
}

/// A transaction over several databases is committed when its super-journal is removed. Where that cannot be seen, SQLite would take
/// it for committed, here and for good.
fn refuse_undecided(path: &Path, doing: &str) -> Result<()> {
    let undecided = || match pending(path, doing)? {
        Some(PendingRecovery::Undecided(journal, name)) => Ok::<_, Error>(Some((journal, name))),
        _ => Ok(None),
    };
    let begun = Instant::now();
    while let Some((journal, name)) = undecided()? {
        // One that is just being committed by a process that sees other folders is over in a moment.
        if begun.elapsed() > UNDECIDED {
            return Err(Error::new(ErrorKind::Refused, doing)
                .why(format!(
                    "{} is of a transaction over several databases, and whether that was committed is told by {}, a path that \
                     means nothing here",
                    journal.display(),
                    name.display()
                ))
                .hint("run lifeboat where the application runs and sees these folders by the same paths"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// A database whose only transaction was rolled back has no pages.
fn refuse_nothing(source: &Source, doing: &str) -> Result<(), OpenError> {
    match source.connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))? {
        0 => Err(Error::new(ErrorKind::Archive, doing)
            .why(format!("{} is empty: no transaction in it was ever committed", source.path.display()))
            .hint("is this the right file?")
            .into()),
        _ => Ok(()),
    }
}

thread_local! {
    static WAIT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Waits for locks at most so long. SQLite's own way of waiting looks ever more seldom, in the end ten times a second:
/// between the transactions of a busy writer it finds the gap only after many seconds.
fn wait_for_locks(connection: &mut Connection, wait: Duration) -> rusqlite::Result<()> {
    WAIT.set(wait);
    connection.busy_handler(Some(|times| {
        let since = match SINCE.get() {
            Some(since) if times > 0 => since,
            _ => Instant::now(),
        };
        SINCE.set(Some(since));
        thread::sleep(Duration::from_millis(1));
        since.elapsed() < WAIT.get()
    }))
}

/// Lets statements through that touch a column with a collation that only the application has. What depends on the order
/// (an index, a comparison) is not to be believed then; reading rows as they are stored is.
pub(super) fn pass_over_unknown_collations(connection: &Connection) -> rusqlite::Result<()> {
    connection.collation_needed(|connection, name| connection.create_collation(name, |a, b| a.cmp(b)))
}

/// Makes SQLite look at the file, which opening alone does not.
fn first_read(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))
}

/// Whether SQLite failed because it could not write what it would have to write before it can read.
fn cannot_write(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{
        SQLITE_IOERR_DELETE, SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE,
    };
    let Some(code) = error.sqlite_error() else { return false };
    matches!(code.code, ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
        || [SQLITE_IOERR_DELETE, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP]
            .contains(&code.extended_code)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Reads without locks, and lets `change` happen before it is over.
    fn disturbed(change: impl FnOnce(&Path)) -> Option<ErrorKind> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a?b#c%d.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(a); PRAGMA journal_mode = DELETE").unwrap();
        drop(made);
        let opening = Opening::new(Duration::ZERO, Cancellation::never());
        let source = Source::without_writing(path.clone(), opening, "try").unwrap();
        assert_eq!(source.connection.query_row("SELECT count(*) FROM t", [], |r| r.get(0)), Ok(0));
        change(&path);
        source.check_undisturbed("try").err().map(|e| e.kind())
    }

    #[test]
    fn what_happens_to_a_file_that_is_read_without_locks_is_seen() {
        assert_eq!(disturbed(|_| {}), None);
        let changed = Some(ErrorKind::Changed);
        assert_eq!(disturbed(|path| fs::write(with_suffix(path, "-wal"), b"").unwrap()), changed);
        assert_eq!(disturbed(|path| fs::write(with_suffix(path, "-journal"), b"x").unwrap()), changed);
        assert_eq!(
            disturbed(|path| Connection::open(path).unwrap().execute_batch("CREATE TABLE u(a)").unwrap()),
            changed
        );
        let replaced = |path: &Path| {
            fs::copy(path, with_suffix(path, ".new")).unwrap();
            fs::rename(with_suffix(path, ".new"), path).unwrap();
        };
        assert_eq!(disturbed(replaced), changed);
    }
}
