//! What stands beside a database file and belongs to its content: without it, the file may be half a transaction, or an old state.
//!
//! A rollback journal holds what pages were before the transaction that wrote them, a log holds what pages are to become. SQLite
//! applies either when it opens the database, if it may write; here is found out whether there is anything to apply.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::output::{folder_of, io_error, with_suffix};

/// The header of a log. One that is no longer holds no transaction.
const LOG_HEADER: u64 = 32;
/// What a journal begins with, and ends with where it names a super-journal.
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// Behind a super-journal's name: its length, its checksum and the magic number.
const TRAILER: u64 = 16;
/// Before it: the number of a page that no database has.
const BEFORE_NAME: u64 = 4;
/// No file system has longer paths.
const LONGEST_NAME: u64 = 1 << 16;

/// What has to be applied to a database file before its content is that of the last committed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PendingRecovery {
    /// A journal: a transaction that was not committed is to be rolled back. It has so many bytes before it names a super-journal,
    /// if it does.
    Journal(PathBuf, u64),
    /// A log that holds transactions.
    Log(PathBuf),
    /// A journal of a transaction over several databases, of which cannot be known whether it was committed: the super-journal that
    /// would tell has a path that means nothing here.
    Undecided(PathBuf, PathBuf),
}

/// Finds out what has to be applied to the database at `database` (a path by which SQLite would open it). A transaction that another
/// process is in just now looks the same as one that was broken off. `doing` says what for, worded to follow "could not".
pub(super) fn pending(database: &Path, doing: &str) -> Result<Option<PendingRecovery>> {
    let log = with_suffix(database, "-wal");
    if length(&log).map_err(|e| io_error(doing, &log, e))?.is_some_and(|bytes| bytes > LOG_HEADER) {
        return Ok(Some(PendingRecovery::Log(log)));
    }
    let journal = with_suffix(database, "-journal");
    of_journal(&journal).map_err(|e| io_error(doing, &journal, e))
}

/// As [`pending`], of the journal alone.
fn of_journal(journal: &Path) -> io::Result<Option<PendingRecovery>> {
    match length(journal)? {
        None | Some(0) => Ok(None),
        Some(bytes) => match look_into(journal, bytes) {
            // Its transaction has come to its end meanwhile.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => Ok(None),
            other => other,
        },
    }
}

/// A journal is done with when it is removed, or cut to nothing, or when its header is overwritten with zeros.
fn look_into(journal: &Path, bytes: u64) -> io::Result<Option<PendingRecovery>> {
    let mut file = File::open(journal)?;
    let mut first = [0];
    file.read_exact(&mut first)?;
    if first == [0] {
        return Ok(None);
    }
    let Some((name, before)) = super_journal(&mut file, bytes)? else {
        return Ok(Some(PendingRecovery::Journal(journal.to_path_buf(), bytes)));
    };
    if length(&name)?.is_some() {
        return Ok(Some(PendingRecovery::Journal(journal.to_path_buf(), before)));
    }
    // It was removed, which is what commits such a transaction, or it never was here: the application saw other folders.
    let beside = name.file_name().is_some_and(|file| folder_of(journal).join(file).exists());
    let lost = beside || !folder_of(&name).is_dir();
    Ok(lost.then(|| PendingRecovery::Undecided(journal.to_path_buf(), name)))
}

/// The super-journal that a journal of `bytes` bytes names at its end, and where in the file that begins.
fn super_journal(journal: &mut File, bytes: u64) -> io::Result<Option<(PathBuf, u64)>> {
    let Some(trailer_at) = bytes.checked_sub(TRAILER) else { return Ok(None) };
    let mut trailer = [0; TRAILER as usize];
    journal.seek(SeekFrom::Start(trailer_at))?;
    journal.read_exact(&mut trailer)?;
    let [l0, l1, l2, l3, c0, c1, c2, c3, magic @ ..] = trailer;
    let (length, checksum) = (u32::from_be_bytes([l0, l1, l2, l3]), u32::from_be_bytes([c0, c1, c2, c3]));
    let Some(name_at) = trailer_at.checked_sub(u64::from(length)) else { return Ok(None) };
    if magic != JOURNAL_MAGIC || length == 0 || u64::from(length) > LONGEST_NAME {
        return Ok(None);
    }
    let mut name = vec![0; length as usize];
    journal.seek(SeekFrom::Start(name_at))?;
    journal.read_exact(&mut name)?;
    // The letters are added up as what C calls char, which has a sign on some machines.
    let unsigned = name.iter().fold(0_u32, |sum, b| sum.wrapping_add(u32::from(*b)));
    let signed = name.iter().fold(0_u32, |sum, b| sum.wrapping_add_signed(i32::from(b.cast_signed())));
    let valid = checksum == unsigned || checksum == signed;
    Ok(valid.then(|| (PathBuf::from(OsStr::from_bytes(&name)), name_at.saturating_sub(BEFORE_NAME))))
}

/// The length of a file, if it is there. Anything else that is there fails: SQLite would wait for ever for what comes out of a pipe.
fn length(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(Some(found.len())),
        Ok(_) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file, so that SQLite cannot use it"))
        }
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Device, inode, length, and when it was changed, in seconds and nanoseconds.
type FileLook = (u64, u64, u64, i64, i64);

/// What the files of a database look like from outside: nobody changed them between two looks that are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStamps {
    files: Vec<Option<FileLook>>,
    /// The first bytes of the database, in which its changes are counted.
    header: Vec<u8>,
    pending: Option<PendingRecovery>,
}

impl FileStamps {
    /// Looks at the database at `database`, and at its journal and its log.
    pub(super) fn at(database: &Path, doing: &str) -> Result<Self> {
        let mut header = Vec::with_capacity(100);
        let read = File::open(database).and_then(|file| file.take(100).read_to_end(&mut header));
        read.map_err(|e| io_error(doing, database, e))?;
        let mut files = Vec::new();
        for suffix in ["", "-journal", "-wal"] {
            let path = with_suffix(database, suffix);
            files.push(match fs::metadata(&path) {
                Ok(m) => Some((m.dev(), m.ino(), m.len(), m.mtime(), m.mtime_nsec())),
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(io_error(doing, &path, e)),
            });
        }
        Ok(Self { files, header, pending: pending(database, doing)? })
    }

    /// What has to be applied to the database before it may be read.
    pub(super) fn pending(&self) -> Option<&PendingRecovery> {
        self.pending.as_ref()
    }
}

impl PendingRecovery {
    /// The file that is to be applied.
    pub(super) fn into_path(self) -> PathBuf {
        match self {
            Self::Journal(path, _) | Self::Log(path) | Self::Undecided(path, _) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn journal_naming(name: &[u8], checksum: u32) -> Vec<u8> {
        let length = u32::try_from(name.len()).unwrap().to_be_bytes();
        [&JOURNAL_MAGIC[..], &[0; 504], &[0, 0, 0, 1], name, &length, &checksum.to_be_bytes(), &JOURNAL_MAGIC].concat()
    }

    fn found(journal: &[u8], log: &[u8]) -> Option<PendingRecovery> {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        fs::write(with_suffix(&database, "-journal"), journal).unwrap();
        fs::write(with_suffix(&database, "-wal"), log).unwrap();
        pending(&database, "try").unwrap()
    }

    #[test]
    fn what_is_done_with_is_not_pending() {
        for (journal, log) in [(&b""[..], &b""[..]), (&[0; 1024], b""), (b"", &[1; 32])] {
            assert_eq!(found(journal, log), None);
        }
        assert!(matches!(found(b"", &[1; 33]), Some(PendingRecovery::Log(_))));
        assert!(matches!(found(&journal_naming(b"", 0), b""), Some(PendingRecovery::Journal(_, 532))));
        assert!(matches!(found(b"\xd9", b""), Some(PendingRecovery::Journal(_, 1))));
    }

    #[test]
    fn what_is_no_file_fails() {
        for suffix in ["-journal", "-wal"] {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("a.db");
            let made = std::process::Command::new("mkfifo").arg(with_suffix(&database, suffix)).status().unwrap();
            assert!(made.success());
            let error = pending(&database, "try").unwrap_err().to_string();
            assert!(error.contains("not a regular file"), "{error}");
        }
    }

    #[test]
    fn a_super_journal_decides() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("x.db-mj01234567é");
        let bytes = name.as_os_str().as_bytes();
        let sum = |signed: bool| {
            let value = |b: &u8| if signed { i64::from(b.cast_signed()) } else { i64::from(*b) };
            u32::try_from(bytes.iter().map(value).sum::<i64>()).unwrap()
        };
        for checksum in [sum(false), sum(true)] {
            assert_eq!(found(&journal_naming(bytes, checksum), b""), None, "it was removed: committed");
            fs::write(&name, b"").unwrap();
            assert!(matches!(found(&journal_naming(bytes, checksum), b""), Some(PendingRecovery::Journal(_, 512))));
            fs::remove_file(&name).unwrap();
        }
        assert!(
            matches!(found(&journal_naming(bytes, 1), b""), Some(PendingRecovery::Journal(..))),
            "a wrong sum is no name"
        );
        let lost = b"/no/such/folder/x.db-mj";
        let sum = lost.iter().map(|b| u32::from(*b)).sum();
        assert!(matches!(found(&journal_naming(lost, sum), b""), Some(PendingRecovery::Undecided(..))));
    }
}
