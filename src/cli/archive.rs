//! Opening an archive of a PostgreSQL database, wherever it comes from.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use pgformat::Reader;

use crate::error::{Error, ErrorKind, Result};
use crate::output::io_error;
use crate::postgres::restore::archive_error;

/// An archive that was opened; what cannot seek is read once from its beginning to its end.
pub(crate) type Archive = Reader<Input>;

/// Where an archive comes from.
#[derive(Debug)]
pub(crate) enum Input {
    File(File),
    Stdin(io::Stdin),
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

impl io::Seek for Input {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Stdin(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Opens the archive at `path`, or the one on standard input if that is `-`, and reads its table of contents. `doing` says
/// what for, worded to follow "could not".
pub(crate) fn open(path: &Path, doing: &str) -> Result<Archive> {
    let failed = |e| explain(archive_error(doing, e), path);
    if path == Path::new("-") {
        return Reader::new(Input::Stdin(io::stdin())).map_err(failed);
    }
    let found = fs::metadata(path).map_err(|e| io_error(doing, path, e))?;
    if found.is_dir() {
        return Err(Error::new(ErrorKind::Archive, doing)
            .why(format!("{} is a folder", path.display()))
            .hint("archives in directory format (pg_dump -Fd) are not read; pg_restore reads them"));
    }
    let input = Input::File(File::open(path).map_err(|e| io_error(doing, path, e))?);
    if found.is_file() { Reader::seekable(input).map_err(failed) } else { Reader::new(input).map_err(failed) }
}

fn explain(error: Error, path: &Path) -> Error {
    if is_sqlite(path) {
        return error.hint("this is an SQLite database: give the URL of the SQLite database that it is to replace");
    }
    error
}

/// Whether the file begins as SQLite databases do.
pub(crate) fn is_sqlite(path: &Path) -> bool {
    begins_with(path, b"SQLite format 3\0")
}

/// Whether the file begins as archives of PostgreSQL databases do.
pub(crate) fn is_archive(path: &Path) -> bool {
    begins_with(path, b"PGDMP")
}

fn begins_with(path: &Path, magic: &[u8]) -> bool {
    if !fs::metadata(path).is_ok_and(|m| m.is_file()) {
        return false;
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|f| f.take(magic.len() as u64).read_to_end(&mut bytes)).is_ok() && bytes == magic
}
