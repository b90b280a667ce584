//! A private copy of a database with what stands beside it, to be recovered where the original must not be touched.
//!
//! It is made in a folder that only this user may enter. The database in it loses its name as soon as SQLite has opened it, before
//! anything is written to it, and what stands beside it has one only for the moment in which SQLite applies it: so whatever ends the
//! process, no copy is left. A folder that a killed process left, with anything that was in it, goes when the next copy is made in the
//! same place; whether its owner lives is told by a lock on the folder, which ends with the process.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::FlockOperation;
use tempfile::TempDir;

use super::error::OpenError;
use super::pending_recovery::{FileStamps, PendingRecovery};
use super::source::Opening;
use crate::cancellation::{Cancellation, Registration};
use crate::error::{Error, ErrorKind, Result};
use crate::output::{io_error, with_suffix};

const PREFIX: &str = "lifeboat-copy-";
/// What the database is called in the folder.
const NAME: &str = "copy.db";
/// How often a database that somebody writes to is copied in the hope that he pauses.
const ATTEMPTS: u32 = 3;

/// Copies the database at `database` with its journal and its log, recovers the copy, and gives a connection to it. The
/// original is only read.
///
/// The copy is made in the folder for temporary files or, where that has no room, in the spare one. Fails if neither will do, or with
/// [`ErrorKind::Changed`] if the files are written to all the time.
pub(super) fn recovered(database: &Path, opening: Opening<'_>, doing: &str) -> Result<Connection, OpenError> {
    for _ in 0..ATTEMPTS {
        let before = FileStamps::at(database, doing)?;
        let mut folder = PrivateFolder::with_room(&before.set(database), opening, database, doing)?;
        if folder.fill(database, &before, doing)? {
            return folder.recover(doing);
        }
    }
    let error = Error::new(ErrorKind::Changed, doing)
        .why(format!("{} was changed while it was copied, {ATTEMPTS} times in turn", database.display()))
        .hint("run as a user who may write the database and in its folder, who reads while others write");
    Err(error.into())
}

/// One file of a set: where it is, what its name ends with, and how much of it counts.
struct SetFile {
    path: PathBuf,
    suffix: &'static str,
    bytes: u64,
}

impl FileStamps {
    /// The files that make up the database.
    fn set(&self, database: &Path) -> Vec<SetFile> {
        let bytes = |path: &Path| fs::metadata(path).map_or(0, |m| m.len());
        let mut set = vec![SetFile { path: database.to_path_buf(), suffix: "", bytes: bytes(database) }];
        match self.pending() {
            // Without the super-journal's name: whether that is there was found out, and SQLite would remove it.
            Some(PendingRecovery::Journal(path, length)) => {
                set.push(SetFile { path: path.clone(), suffix: "-journal", bytes: *length });
            }
            Some(PendingRecovery::Log(path)) => {
                set.push(SetFile { path: path.clone(), suffix: "-wal", bytes: bytes(path) });
                // A database can have both after a change of its journal mode that was broken off.
                let journal = with_suffix(database, "-journal");
                if let Some(found) = fs::metadata(&journal).ok().filter(|m| m.len() > 0) {
                    set.push(SetFile { path: journal, suffix: "-journal", bytes: found.len() });
                }
            }
            Some(PendingRecovery::Undecided(..)) | None => {}
        }
        set
    }
}

/// The folder in which the copy is, and the copy.
struct PrivateFolder {
    directory: TempDir,
    lock: File,
    registration: Registration,
    connection: Connection,
    /// The same file that SQLite has opened. It has no name any more.
    database: File,
    /// What stands beside it, by what its name ends with. It has no name yet.
    beside: Vec<(&'static str, File)>,
}

impl PrivateFolder {
    /// Makes a folder where there is room for the set.
    fn with_room(set: &[SetFile], opening: Opening<'_>, database: &Path, doing: &str) -> Result<Self> {
        let needed: u64 = set.iter().map(|part| part.bytes).sum();
        let mut why = Vec::new();
        for place in [Some(std::env::temp_dir().as_path()), opening.spare].into_iter().flatten() {
            remove_forsaken(place);
            match room(place) {
                Ok(free) if free < needed => {
                    why.push(format!("{} has no room for {needed} bytes", place.display()));
                }
                Ok(_) => match Self::new(place, opening.cancellation) {
                    Ok(folder) => return Ok(folder),
                    Err(e) => why.push(format!("{}: {e}", place.display())),
                },
                Err(e) => why.push(format!("{}: {e}", place.display())),
            }
        }
        Err(Error::new(ErrorKind::Io, doing)
            .why(format!(
                "{} has to be recovered, which needs a copy, as it may not be written by this user: {}",
                database.display(),
                why.join(", ")
            ))
            .hint("set TMPDIR to a folder with room, or run as a user who may write the database and in its folder"))
    }

    fn new(place: &Path, cancellation: &Cancellation) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).permissions(Permissions::from_mode(0o700));
        let (directory, registration) = cancellation.folder(|| builder.tempdir_in(place))?;
        let lock = File::open(directory.path())?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        let path = directory.path().join(NAME);
        let database = private_file(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(io::Error::other)?;
        fs::remove_file(&path)?;
        // For the journal and the log, SQLite looks at the mode of what has the name.
        private_file(&path)?;
        Ok(Self { directory, lock, registration, connection, database, beside: Vec::new() })
    }

    /// Copies the set, and gives whether it is of one moment: nothing has changed since `before`, in content either.
    fn fill(&mut self, database: &Path, before: &FileStamps, doing: &str) -> Result<bool> {
        let set = before.set(database);
        for part in &set {
            self.take(part).map_err(|e| failed(part, e, doing))?;
        }
        let copies = std::iter::once(&mut self.database).chain(self.beside.iter_mut().map(|(_, file)| file));
        for (part, copy) in set.iter().zip(copies) {
            if !is_same(part, copy).map_err(|e| failed(part, e, doing))? {
                return Ok(false);
            }
        }
        Ok(FileStamps::at(database, doing)? == *before)
    }

    /// Copies one file of the set, of which the database is the first.
    fn take(&mut self, part: &SetFile) -> io::Result<()> {
        let mut from = File::open(&part.path)?.take(part.bytes);
        if part.suffix.is_empty() {
            io::copy(&mut from, &mut self.database)?;
        } else {
            let mut copy = tempfile::tempfile_in(self.directory.path())?;
            io::copy(&mut from, &mut copy)?;
            self.beside.push((part.suffix, copy));
        }
        Ok(())
    }

    /// Lets SQLite apply what is to be applied; nothing of it has a name then.
    fn recover(self, doing: &str) -> Result<Connection, OpenError> {
        let Self { directory, lock, registration, connection, database: _, beside } = self;
        for (suffix, mut file) in beside {
            let path = with_suffix(&directory.path().join(NAME), suffix);
            let named = file.rewind().and_then(|()| io::copy(&mut file, &mut private_file(&path)?));
            named.map_err(|e| io_error(doing, &path, e))?;
        }
        // Nobody else uses it: no shared memory is needed, no flushing, and no end that lasts.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        drop((directory, registration, lock));
        Ok(connection)
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

fn failed(part: &SetFile, error: io::Error, doing: &str) -> Error {
    io_error(format!("{doing}: copy {}, to recover it", part.path.display()), &part.path, error)
}

/// How many bytes this user may still put into a folder's file system.
fn room(place: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(place)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Whether what counts of the file is in its copy as it is.
fn is_same(part: &SetFile, copy: &mut File) -> io::Result<bool> {
    copy.rewind()?;
    let (mut one, other) = (File::open(&part.path)?.take(part.bytes), copy);
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = one.read(&mut left)?;
        let (Some(left), Some(right)) = (left.get(..read), right.get_mut(..read)) else { return Ok(false) };
        match other.read_exact(right) {
            Ok(()) if left != right => return Ok(false),
            Ok(()) if read > 0 => {}
            Ok(()) => return Ok(other.read(&mut [0])? == 0),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(e) => return Err(e),
        }
    }
}

/// Removes the folders in `place` that killed processes of this user have left. A new one without a file is left alone: it may belong
/// to a process that has not come to locking it.
fn remove_forsaken(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    let mine = rustix::process::geteuid().as_raw();
    for entry in entries.filter_map(|entry| entry.ok()) {
        let path = entry.path();
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let Some(found) = fs::symlink_metadata(&path).ok().filter(|m| named && m.is_dir() && m.uid() == mine) else {
            continue;
        };
        let aged = found.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_secs(60)));
        let in_use = || fs::read_dir(&path).is_ok_and(|mut files| files.next().is_some());
        if (aged || in_use()) && is_forsaken(&path) {
            // Whoever cannot remove it has lost nothing but room, which is looked at next.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_forsaken(folder: &Path) -> bool {
    File::open(folder).is_ok_and(|folder| rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::FileExt;

    use super::*;

    fn scene() -> (TempDir, PathBuf, FileStamps) {
        let place = tempfile::tempdir().unwrap();
        let database = place.path().join("a.db");
        fs::write(&database, vec![7; 3 << 20]).unwrap();
        fs::write(with_suffix(&database, "-journal"), b"\xd9\xd5 and so on").unwrap();
        let look = FileStamps::at(&database, "try").unwrap();
        (place, database, look)
    }

    #[test]
    fn a_copy_is_for_its_owner_alone() {
        let (place, database, look) = scene();
        let mut folder = PrivateFolder::new(place.path(), Cancellation::never()).unwrap();
        assert!(folder.fill(&database, &look, "try").unwrap());
        let path = folder.directory.path().to_path_buf();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let named: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().metadata().unwrap()).collect();
        assert!(named.iter().all(|m| m.permissions().mode() & 0o777 == 0o600 && m.len() == 0), "a copy has a name");
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn what_changes_meanwhile_is_no_copy() {
        for change in ["", "-journal", "-wal"] {
            let (place, database, look) = scene();
            let mut folder = PrivateFolder::new(place.path(), Cancellation::never()).unwrap();
            fs::write(with_suffix(&database, change), vec![8; 3 << 20]).unwrap();
            assert!(!folder.fill(&database, &look, "try").unwrap(), "{change:?}");
        }
    }

    #[test]
    fn one_byte_is_a_difference() {
        let (_place, database, look) = scene();
        let mut copy = tempfile::tempfile().unwrap();
        for (at, length) in [(0, 3 << 20), ((3 << 20) - 1, 3 << 20), (0, (3 << 20) + 1), (0, (3 << 20) - 1)] {
            let mut bytes = vec![7; length];
            copy.set_len(0).unwrap();
            copy.write_all_at(&bytes, 0).unwrap();
            assert_eq!(is_same(&look.set(&database)[0], &mut copy).unwrap(), length == 3 << 20);
            bytes[at] = 8;
            copy.write_all_at(&bytes, 0).unwrap();
            assert!(!is_same(&look.set(&database)[0], &mut copy).unwrap(), "{at} {length}");
        }
    }
}
