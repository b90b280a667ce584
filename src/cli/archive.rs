//! Opening a backup file for a verb: which kind it is, and what to say if it is the wrong one.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::console::standard_streams;
use crate::postgres::archive;
use crate::{Error, Result};

pub(crate) use crate::postgres::archive::{Archive, Input, explain_damage};

/// Opens the archive at `path`, or the one on standard input if that is `-`, and reads its table of contents. `doing` says
/// what for, worded to follow "could not".
pub(crate) fn open(path: &Path, doing: &str) -> Result<Archive> {
    match path == Path::new("-") {
        true => archive::read(standard_streams::input(doing)?, path, doing),
        false => archive::open(path, doing).map_err(|error| explain(error, path)),
    }
}

fn explain(error: Error, path: &Path) -> Error {
    if is_sqlite(path) {
        return error.hint("this is an SQLite database: give the URL of the SQLite database that it is to replace");
    }
    error
}

/// Whether the file begins as SQLite databases do.
pub(crate) fn is_sqlite(path: &Path) -> bool {
    begin(path).starts_with(b"SQLite format 3\0")
}

/// Whether it is a folder, or a file that begins as archives of PostgreSQL databases do.
pub(crate) fn is_archive(path: &Path) -> bool {
    let begin = begin(path);
    path.is_dir() || begin.starts_with(b"PGDMP") || begin.get(257..262) == Some(b"ustar")
}

/// The first bytes of a regular file.
fn begin(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if fs::metadata(path).is_ok_and(|m| m.is_file()) {
        // What cannot be read is not recognised; opening it says why.
        let _ = File::open(path).and_then(|file| file.take(512).read_to_end(&mut bytes));
    }
    bytes
}
