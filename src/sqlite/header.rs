//! The first 100 bytes of a database file: is it one, and is all of it there?

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::{Error, ErrorKind, Result};
use crate::output::io_error;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const LENGTH: usize = 100;
/// Where the two bytes stand that say how the file is written: both 1 for a rollback journal, both 2 for a log.
const VERSIONS_AT: u64 = 18;

/// How a database makes its changes atomic, as far as its file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalMode {
    /// A rollback journal, which exists only during a transaction.
    Rollback,
    /// A write-ahead log, kept in the -wal file.
    Wal,
}

impl JournalMode {
    /// SQLite's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rollback => "delete",
            Self::Wal => "wal",
        }
    }
}

impl JournalMode {
    /// How the database file at `path` says that it is written; nothing, if what it says makes no sense.
    ///
    /// Fails if the file cannot be read.
    pub fn of_file(path: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Vec::with_capacity(LENGTH);
        File::open(path)?.take(LENGTH as u64).read_to_end(&mut bytes)?;
        Ok(Self::of_versions(bytes.get(VERSIONS_AT as usize..).unwrap_or_default()))
    }

    fn of_versions(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1, 1, ..] => Some(Self::Rollback),
            [2, 2, ..] => Some(Self::Wal),
            _ => None,
        }
    }
}

/// What a database file says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Bytes in a page.
    pub page_size: u32,
    /// Pages in the file as the header counts them; absent where the writer did not keep the count.
    pub page_count: Option<u32>,
    /// How it is written.
    pub journal_mode: JournalMode,
    /// Bytes in the file.
    pub file_size: u64,
}

impl Header {
    /// Reads the header of the file at `path`. `doing` says what for, worded to follow "could not".
    ///
    /// Fails if there is no such file, or it is not an SQLite database.
    pub fn read(path: &Path, doing: &str) -> Result<Self> {
        let not_one = |why: String| Error::new(ErrorKind::Archive, doing).why(why);
        let shown = path.display();
        let found = fs::metadata(path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::new(ErrorKind::Io, doing).why(format!("there is no file {shown}")).hint(
                "check the path; in a URL sqlite:///a.db is relative to the current folder, sqlite:////a.db is not",
            ),
            _ => io_error(doing, path, e),
        })?;
        if found.is_dir() {
            return Err(not_one(format!("{shown} is a folder")));
        }
        if !found.is_file() {
            return Err(not_one(format!("{shown} is not a regular file")));
        }
        let mut bytes = Vec::with_capacity(LENGTH);
        File::open(path)
            .and_then(|f| f.take(LENGTH as u64).read_to_end(&mut bytes))
            .map_err(|e| io_error(doing, path, e))?;
        Self::parse(&bytes, found.len()).map_err(|(why, hint)| not_one(format!("{shown} {why}")).hint(hint))
    }

    /// Reads the header of a file that is open already. Gives nothing if it is not an SQLite database.
    pub fn of(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; LENGTH];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(Self::parse(&bytes, file.metadata()?.len()).ok()),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn parse(bytes: &[u8], file_size: u64) -> Result<Self, (&'static str, &'static str)> {
        let wrong_file = "is this the right file?";
        if bytes.is_empty() {
            return Err((
                "is empty (0 bytes)",
                "nothing was ever stored in it, or it was cut off: is this the right file?",
            ));
        }
        let Some(bytes) = bytes.first_chunk::<LENGTH>() else {
            return Err(("is too short to be an SQLite database", wrong_file));
        };
        if !bytes.starts_with(MAGIC) {
            return Err(match bytes {
                [b'P', b'G', b'D', b'M', b'P', ..] => (
                    "is an archive of a PostgreSQL database, not an SQLite database",
                    "give the URL of the PostgreSQL database that it is to be restored into",
                ),
                [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                    ("is a compressed file, not an SQLite database", "uncompress it first")
                }
                _ => ("is not an SQLite database (or it is an encrypted one)", wrong_file),
            });
        }
        let damaged = "it is damaged: take another backup file";
        let page_size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65_536,
            size if size.is_power_of_two() && size >= 512 => u32::from(size),
            _ => return Err(("has an impossible page size in its header", damaged)),
        };
        let Some(journal_mode) = JournalMode::of_versions(&bytes[18..]) else {
            return Err(("was written in a format version that is not known", damaged));
        };
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        // The count only holds if it was written by the same change as the change counter.
        let page_count = Some(word(28)).filter(|&count| count > 0 && word(24) == word(92));
        Ok(Self { page_size, page_count, journal_mode, file_size })
    }

    /// Why the file cannot be complete, if it cannot.
    pub fn truncated(&self) -> Option<String> {
        let expected = u64::from(self.page_count?) * u64::from(self.page_size);
        (self.file_size < expected)
            .then(|| format!("it has {} bytes, but its header says {expected}: it is cut off", self.file_size))
    }
}

/// Sets how the database file at `path`, which nobody has open and no file stands beside, is going to be written.
pub fn set_journal_mode(path: &Path, mode: JournalMode) -> io::Result<()> {
    let version = match mode {
        JournalMode::Rollback => 1,
        JournalMode::Wal => 2,
    };
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().write(true).custom_flags(nofollow).open(path)?;
    file.seek(SeekFrom::Start(VERSIONS_AT))?;
    file.write_all(&[version, version])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..16].copy_from_slice(MAGIC);
        bytes[16..20].copy_from_slice(&[0x10, 0, 1, 1]);
        bytes[31] = 3;
        bytes
    }

    #[test]
    fn a_sound_header() {
        let header = Header::parse(&sample(), 3 * 4096).unwrap();
        assert_eq!((header.page_size, header.page_count), (4096, Some(3)));
        assert_eq!(header.journal_mode, JournalMode::Rollback);
        assert_eq!(header.truncated(), None);
    }

    #[test]
    fn a_missing_page_is_noticed() {
        assert!(Header::parse(&sample(), 3 * 4096 - 1).unwrap().truncated().is_some());
    }

    #[test]
    fn a_count_that_does_not_hold_is_not_believed() {
        let mut bytes = sample();
        bytes[24] = 1;
        assert_eq!(Header::parse(&bytes, 100).unwrap().page_count, None);
    }

    #[test]
    fn the_largest_page() {
        let mut bytes = sample();
        bytes[16..18].copy_from_slice(&[0, 1]);
        assert_eq!(Header::parse(&bytes, 100).unwrap().page_size, 65_536);
    }

    #[test]
    fn what_is_no_database() {
        for (bytes, says) in [
            (&b""[..], "empty"),
            (b"SQLite format 3\0", "too short"),
            (&[0x1f; 100], "not an SQLite"),
            (&[b"PGDMP".as_slice(), &[0; 95]].concat(), "PostgreSQL"),
            (&[&[0x1f, 0x8b][..], &[0; 98]].concat(), "compressed"),
            (&[MAGIC.as_slice(), &[0; 84]].concat(), "page size"),
        ] {
            let (why, _) = Header::parse(bytes, 100).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}
