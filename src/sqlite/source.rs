//! Opening a database to read it, without changing it more than SQLite cannot avoid.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::About;
use super::other_names::{real_path, refuse_other_names};
use crate::cleanup::with_suffix;
use crate::error::{Error, ErrorKind, Result};
use crate::output::io_error;

/// What needs no escape in the path of a URI.
pub(super) const IN_URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// A database opened for reading.
#[derive(Debug)]
pub struct Source {
    /// The connection.
    pub connection: Connection,
    /// The file, by its real path.
    pub path: PathBuf,
    /// What the file looked like, if it was opened without locks and must be looked at again.
    unlocked: Option<(u64, i64, i64)>,
}

impl Source {
    /// Opens the database at `path`, which must exist.
    pub fn open(path: &Path, wait: Duration, doing: &str) -> Result<Self> {
        // An absolute path: the name of the -wal file must not depend on the current folder or on a symbolic link, and a
        // name that begins with "file:" must not be taken for a URI.
        let path = real_path(path, doing)?;
        refuse_other_names(&path, doing)?;
        let about = About { doing, database: &path, written: None, waited: wait };
        // A log that a crashed application left is read but not folded into the database: that is the application's part.
        let log_waits = fs::metadata(with_suffix(&path, "-wal")).is_ok_and(|m| m.len() > 0);
        // SQLite falls back to reading only, if the file may not be written.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags).map_err(|e| about.failed(e))?;
        wait_for_locks(&mut connection, wait).map_err(|e| about.failed(e))?;
        if log_waits {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(|e| about.failed(e))?;
        }
        match first_read(&connection) {
            Ok(()) => Ok(Self { connection, path, unlocked: None }),
            Err(e) if cannot_make_sidecars(&e) && !with_suffix(&path, "-wal").exists() => {
                drop(connection);
                Self::open_unlocked(path, doing)
            }
            Err(e) => Err(about.failed(e)),
        }
    }

    /// Where neither file nor folder may be written, a database in WAL mode can only be read without locks. No -wal file
    /// means that nobody has it open now; whether that stayed so is seen from the file afterwards.
    fn open_unlocked(path: PathBuf, doing: &str) -> Result<Self> {
        let looks = appearance(&path, doing)?;
        let bytes = path.as_os_str().as_encoded_bytes();
        let uri = format!("file:{}?immutable=1", percent_encode(bytes, IN_URI));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let about = About { doing, database: &path, written: None, waited: Duration::ZERO };
        let connection = Connection::open_with_flags(uri, flags).map_err(|e| about.failed(e))?;
        first_read(&connection).map_err(|e| about.failed(e))?;
        Ok(Self { connection, path, unlocked: Some(looks) })
    }

    /// Fails if what was read cannot be trusted because the file changed and no lock kept it from changing.
    pub fn check_undisturbed(&self, doing: &str) -> Result<()> {
        refuse_other_names(&self.path, doing)?;
        match self.unlocked {
            Some(before) if appearance(&self.path, doing)? != before => Err(Error::new(ErrorKind::Io, doing)
                .why(format!("{} was changed while it was read without locks", self.path.display()))
                .hint("run as a user who may write in the folder of the database")),
            _ => Ok(()),
        }
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

fn cannot_make_sidecars(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied))
}

fn appearance(path: &Path, doing: &str) -> Result<(u64, i64, i64)> {
    let found = fs::metadata(path).map_err(|e| io_error(doing, path, e))?;
    Ok((found.len(), found.mtime(), found.mtime_nsec()))
}
