//! A private copy of a database with what stands beside it, to be recovered where the original must not be touched.
//!
//! It is a folder that only this user may enter. SQLite recovers the copy in it, then the folder goes while the connection stays: so
//! whatever ends the process afterwards, nothing is left. What a process that was killed before that has left, the next copy in the
//! same place removes; whether its owner lives is told by a lock on the folder, which ends with the process.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use rustix::fs::FlockOperation;
use tempfile::TempDir;

use super::beside::{Look, Pending};
use super::error::Unopened;
use crate::cleanup::{Registration, with_suffix};
use crate::error::{Error, ErrorKind, Result};
use crate::output::io_error;

const PREFIX: &str = "lifeboat-copy-";
/// How often a database that somebody writes to is copied in the hope that he pauses.
const ATTEMPTS: u32 = 3;

/// Copies the database at `database` with its journal and its log, recovers the copy, and gives a connection to it. The
/// original is only read.
///
/// The copy is made in the folder for temporary files or, where that has no room, in `spare`. Fails if neither will do, or with
/// [`ErrorKind::Changed`] if the files are written to all the time.
pub(super) fn recovered(database: &Path, spare: Option<&Path>, doing: &str) -> Result<Connection, Unopened> {
    for _ in 0..ATTEMPTS {
        let before = Look::at(database, doing)?;
        let folder = Folder::with_room(&before.set(database), spare, database, doing)?;
        if folder.fill(database, &before, doing)? {
            return Ok(folder.recover()?);
        }
    }
    let error = Error::new(ErrorKind::Changed, doing)
        .why(format!("{} was changed while it was copied, {ATTEMPTS} times in turn", database.display()))
        .hint("run as a user who may write the database and in its folder, who reads while others write");
    Err(error.into())
}

/// One file of a set: where it is, what its name ends with, and how much of it counts.
struct Part {
    path: PathBuf,
    suffix: &'static str,
    bytes: u64,
}

impl Look {
    /// The files that make up the database.
    fn set(&self, database: &Path) -> Vec<Part> {
        let bytes = |path: &Path| fs::metadata(path).map_or(0, |m| m.len());
        let mut set = vec![Part { path: database.to_path_buf(), suffix: "", bytes: bytes(database) }];
        match self.pending() {
            // Without the super-journal's name: whether that is there was found out, and SQLite would remove it.
            Some(Pending::Journal(path, length)) => {
                set.push(Part { path: path.clone(), suffix: "-journal", bytes: *length });
            }
            Some(Pending::Log(path)) => {
                set.push(Part { path: path.clone(), suffix: "-wal", bytes: bytes(path) });
                // A database can have both after a change of its journal mode that was broken off.
                let journal = with_suffix(database, "-journal");
                if let Some(found) = fs::metadata(&journal).ok().filter(|m| m.len() > 0) {
                    set.push(Part { path: journal, suffix: "-journal", bytes: found.len() });
                }
            }
            Some(Pending::Undecided(..)) | None => {}
        }
        set
    }
}

/// The folder in which the copy is.
struct Folder {
    directory: TempDir,
    _lock: File,
    _registration: Registration,
}

impl Folder {
    /// Makes a folder where there is room for the set.
    fn with_room(set: &[Part], spare: Option<&Path>, database: &Path, doing: &str) -> Result<Self> {
        let needed: u64 = set.iter().map(|part| part.bytes).sum();
        let mut why = Vec::new();
        for place in [Some(std::env::temp_dir().as_path()), spare].into_iter().flatten() {
            remove_forsaken(place);
            match room(place) {
                Ok(free) if free < needed => {
                    why.push(format!("{} has no room for {needed} bytes", place.display()));
                }
                Ok(_) => match Self::new(place) {
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

    fn new(place: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        let directory = builder.prefix(PREFIX).permissions(Permissions::from_mode(0o700)).tempdir_in(place)?;
        let registration = Registration::folder(directory.path());
        let lock = File::open(directory.path())?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { directory, _lock: lock, _registration: registration })
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join("copy.db")
    }

    /// Copies the set, and gives whether it is of one moment: nothing has changed since `before`, in content either.
    fn fill(&self, database: &Path, before: &Look, doing: &str) -> Result<bool> {
        let set = before.set(database);
        for part in &set {
            copy(part, &self.name_of(part)).map_err(|e| failed(part, e, doing))?;
        }
        for part in &set {
            if !is_same(part, &self.name_of(part)).map_err(|e| failed(part, e, doing))? {
                return Ok(false);
            }
        }
        Ok(Look::at(database, doing)? == *before)
    }

    fn name_of(&self, part: &Part) -> PathBuf {
        with_suffix(&self.database(), part.suffix)
    }

    /// Lets SQLite apply what is to be applied, into one file, and takes its name away.
    fn recover(self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.database(), flags)?;
        // Nobody else uses it: no shared memory is needed, and no flushing.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF")?;
        connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        Ok(connection)
    }
}

fn failed(part: &Part, error: io::Error, doing: &str) -> Error {
    io_error(format!("{doing}: copy {}, to recover it", part.path.display()), &part.path, error)
}

/// How many bytes this user may still put into a folder's file system.
fn room(place: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(place)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

fn copy(part: &Part, to: &Path) -> io::Result<()> {
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(&part.path)?.take(part.bytes), &mut made)?;
    Ok(())
}

/// Whether what counts of the file is in its copy as it is.
fn is_same(part: &Part, copy: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(&part.path)?.take(part.bytes), File::open(copy)?);
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

/// Removes the copies in `place` that killed processes of this user have left. One without a file is left alone: it may belong to a
/// process that has not come to locking it.
fn remove_forsaken(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    let mine = rustix::process::geteuid().as_raw();
    for entry in entries.filter_map(|entry| entry.ok()) {
        let path = entry.path();
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let owned = named && fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir() && m.uid() == mine);
        if owned && fs::read_dir(&path).is_ok_and(|mut files| files.next().is_some()) && is_forsaken(&path) {
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
    use super::*;

    fn scene() -> (TempDir, PathBuf, Look) {
        let place = tempfile::tempdir().unwrap();
        let database = place.path().join("a.db");
        fs::write(&database, vec![7; 3 << 20]).unwrap();
        fs::write(with_suffix(&database, "-journal"), b"\xd9\xd5 and so on").unwrap();
        let look = Look::at(&database, "try").unwrap();
        (place, database, look)
    }

    #[test]
    fn a_copy_is_for_its_owner_alone() {
        let (place, database, look) = scene();
        let folder = Folder::new(place.path()).unwrap();
        assert!(folder.fill(&database, &look, "try").unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.directory.path()), 0o700);
        for suffix in ["", "-journal"] {
            let copy = with_suffix(&folder.database(), suffix);
            assert_eq!(mode(&copy), 0o600);
            assert_eq!(fs::read(copy).unwrap(), fs::read(with_suffix(&database, suffix)).unwrap());
        }
        let path = folder.directory.path().to_path_buf();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn what_changes_meanwhile_is_no_copy() {
        for change in ["", "-journal", "-wal"] {
            let (place, database, look) = scene();
            let folder = Folder::new(place.path()).unwrap();
            fs::write(with_suffix(&database, change), vec![8; 3 << 20]).unwrap();
            assert!(!folder.fill(&database, &look, "try").unwrap(), "{change:?}");
        }
    }

    #[test]
    fn one_byte_is_a_difference() {
        let (_place, database, look) = scene();
        let copied = with_suffix(&database, "-copy");
        for (at, length) in [(0, 3 << 20), ((3 << 20) - 1, 3 << 20), (0, (3 << 20) + 1), (0, (3 << 20) - 1)] {
            let mut bytes = vec![7; length];
            if length == 3 << 20 {
                assert!(fs::write(&copied, &bytes).is_ok() && is_same(&look.set(&database)[0], &copied).unwrap());
                bytes[at] = 8;
            }
            fs::write(&copied, bytes).unwrap();
            assert!(!is_same(&look.set(&database)[0], &copied).unwrap(), "{at} {length}");
        }
    }
}
