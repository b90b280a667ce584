//! Opening an archive of a PostgreSQL database, in whichever format pg_dump wrote it: a file, a folder, or a pipe. What it is,
//! is seen by its content.
//!
//! An archive is read more than once: it is checked before it is restored. What comes out of it must be the same each time, so
//! a file stays open from the first time on, and one that was changed or replaced meanwhile is refused.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bstr::ByteSlice;
use pgformat::{Files, Folder, Reader};

use crate::error::{Error, ErrorKind, Result};
use crate::output::io_error;
use crate::words::{Choice, Words};

/// An archive that was opened. [`Reader::another`] gives more readers of the same one, each for a thread.
pub type Archive = Reader<Input>;

/// A file, or a pipe, that an archive is read from. The clone of a file has a place of its own, and that of a pipe has not.
#[derive(Debug, Clone)]
pub struct Input {
    file: Arc<File>,
    /// The place in it; `None` for what can only be read on.
    at: Option<u64>,
    /// What the file was when it was opened.
    stamp: Stamp,
    /// The first that came out of a pipe.
    head: Arc<Mutex<Vec<u8>>>,
}

/// So much of a file tells what has happened to it, and so much is kept of what comes from a pipe.
const SAMPLE: usize = 4 << 20;
const HEAD: usize = 256 * 1024;

/// What tells a file from another, or from itself after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// Its device and its number there.
    file: (u64, u64),
    length: u64,
    /// When it was changed last, in seconds and nanoseconds.
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { file: (found.dev(), found.ino()), length: found.len(), changed: (found.mtime(), found.mtime_nsec()) })
    }

    /// Fails if the file is not what it was.
    fn compare(self, now: Self) -> io::Result<()> {
        if self == now { Ok(()) } else { Err(io::Error::other("the file was changed or replaced while it was in use")) }
    }
}

impl Input {
    fn new(mut file: File) -> io::Result<Self> {
        let at = if file.metadata()?.is_file() { Some(file.stream_position()?) } else { None };
        let stamp = Stamp::of(&file)?;
        Ok(Self { file: Arc::new(file), at, stamp, head: Arc::default() })
    }

    /// The beginning of it, as far as it can be had. It is for messages: what cannot be had is not there.
    pub fn sample(&self) -> Vec<u8> {
        if self.at.is_none() {
            return self.head.lock().unwrap_or_else(PoisonError::into_inner).clone();
        }
        let (mut sample, mut length) = (vec![0; SAMPLE], 0);
        while let Ok(n @ 1..) = self.file.read_at(&mut sample[length..], length as u64) {
            length += n;
        }
        sample.truncate(length);
        sample
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.at {
            Some(at) => {
                let n = self.file.read_at(buffer, *at)?;
                // Compared when it has been read: what was changed before that shows.
                self.stamp.compare(Stamp::of(&self.file)?)?;
                *at += n as u64;
                Ok(n)
            }
            None => {
                let n = self.file.as_ref().read(buffer)?;
                let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
                let more = n.min(HEAD.saturating_sub(head.len()));
                head.extend_from_slice(&buffer[..more]);
                Ok(n)
            }
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.at.as_mut().ok_or(io::ErrorKind::Unsupported)?;
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        *at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(*at)
    }
}

/// The files of a folder, and what each was when it was opened first.
struct Within(Folder, Mutex<HashMap<String, Stamp>>);

impl Files for Within {
    type File = Input;

    fn open(&self, name: &str) -> io::Result<Option<Input>> {
        let Some(input) = self.0.open(name)?.map(Input::new).transpose()? else { return Ok(None) };
        let mut known = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.to_owned()).or_insert(input.stamp).compare(input.stamp)?;
        Ok(Some(input))
    }

    fn size(&self, name: &str) -> io::Result<Option<u64>> {
        self.0.size(name)
    }
}

/// Opens the archive at `path` and reads its table of contents. `doing` says what for, worded to follow "could not".
///
/// # Errors
/// There is nothing of that name, or it cannot be read; it is no archive, or a damaged one.
pub fn open(path: &Path, doing: &str) -> Result<Archive> {
    let unreadable = |error| io_error(doing, path, error);
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return read(File::open(path).map_err(unreadable)?, path, doing);
    }
    let folder = Folder::new(path).map_err(unreadable)?;
    Reader::directory(Within(folder, Mutex::default())).map_err(|error| {
        let error = archive_error(doing, error);
        let contents = File::open(path.join("toc.dat")).and_then(Input::new);
        match contents.ok().and_then(|contents| pgformat::mangled(&contents.sample())) {
            Some(why) => error.why(why).hint(altered()),
            None => error,
        }
    })
}

/// As [`open`], of an archive in a file or a pipe that is open, which errors call `path`.
///
/// # Errors
/// It cannot be read; it is no archive, or a damaged one.
pub fn read(file: File, path: &Path, doing: &str) -> Result<Archive> {
    let input = Input::new(file).map_err(|error| io_error(doing, path, error))?;
    let seen = input.clone();
    let opened = if input.at.is_some() { Reader::seekable(input) } else { Reader::new(input) };
    opened.map_err(|error| explain(error, doing, &seen.sample()))
}

/// Says more of a file that is no archive, or a damaged one, than its reader can know of it.
fn explain(error: pgformat::Error, doing: &str, sample: &[u8]) -> Error {
    const UNPACK: &str = "if the archive, or a folder that is one, is in this tar file: unpack it first (tar -xf)";
    if error.io_error().is_some() {
        return archive_error(doing, error);
    }
    if sample.is_empty() {
        return Error::new(ErrorKind::Archive, doing).why("it is empty: there is not a byte in it").hint(
            "what was to write it has failed, or has not written yet: see what it said, and make another backup",
        );
    }
    let is_tar = sample.get(257..262) == Some(b"ustar") && !sample.starts_with(b"toc.dat\0");
    if let Some(why) = pgformat::mangled(sample) {
        return archive_error(doing, error).why(why).hint(altered());
    }
    let is_unknown = matches!(error.kind(), pgformat::ErrorKind::NotAnArchive(why) if why.contains("begins neither"));
    let error = archive_error(doing, error);
    match sample.lines().next() {
        _ if is_tar => error.hint(UNPACK),
        Some(line) if is_unknown && line.is_ascii() => {
            let line = line.get(..60).unwrap_or(line).as_bstr();
            let begins = Words::from(format!("it begins with {line:?}: archives are made with "));
            error.hint(begins + Choice::Backup + " or pg_dump -Fc")
        }
        _ => error,
    }
}

/// What to do about an archive that something took for text on its way.
fn altered() -> Words {
    "transfer it again as a binary file, without any change; if it was so from the beginning, make another backup with "
        + Choice::Output
}

/// Adds to an error of the archive's data what looks like the reason.
pub fn explain_damage(error: Error, archive: &Archive) -> Error {
    match pgformat::mangled(&archive.get_ref().sample()) {
        Some(why) if error.kind() == ErrorKind::Archive => {
            let hint = error.advice().map_or_else(altered, |hint| hint.clone() + "; " + altered());
            Error::new(ErrorKind::Archive, "read the archive").why(why).source(error).hint(hint)
        }
        _ => error,
    }
}

/// An error of the archive's, met while `doing`.
pub fn archive_error(doing: impl Into<Words>, error: pgformat::Error) -> Error {
    let (kind, hint) = match error.kind() {
        pgformat::ErrorKind::Io(_) => (ErrorKind::Io, None),
        pgformat::ErrorKind::NotFound(_) => (
            ErrorKind::Archive,
            Some("data in another order than the table of contents needs an input that can seek: give the file itself"),
        ),
        _ => (ErrorKind::Archive, None),
    };
    let error = Error::new(kind, doing).source(error);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
