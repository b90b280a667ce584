//! Opening a backup file for a verb: which kind it is, and what to say if it is the wrong one.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use bstr::ByteSlice;
use pgformat::Header;
use serde::Serialize;

use super::standard_streams;
use crate::postgres::archive::{self, EntryName};
use crate::postgres::verify::Kind;
use crate::{Error, Result};

pub(crate) use crate::postgres::archive::{Archive, Input, explain_damage};

/// An entry, as programs are told of it.
#[derive(Serialize)]
pub(crate) struct EntryFacts {
    id: i32,
    entry: String,
}

impl From<&EntryName> for EntryFacts {
    fn from(name: &EntryName) -> Self {
        Self { id: name.dump_id.0, entry: name.to_string() }
    }
}

/// How much of what is in the data of an entry, as programs are told of it.
#[derive(Serialize)]
pub(crate) struct DataFacts {
    rows: Option<u64>,
    large_objects: Option<u64>,
}

impl From<Option<Kind>> for DataFacts {
    fn from(kind: Option<Kind>) -> Self {
        let (rows, large_objects) = match kind {
            Some(Kind::Rows(rows)) => (Some(rows), None),
            Some(Kind::LargeObjects(objects)) => (None, Some(objects)),
            Some(Kind::Statements) | None => (None, None),
        };
        Self { rows, large_objects }
    }
}

/// What an archive says of itself, as programs are told of it.
#[derive(Serialize)]
pub(crate) struct HeaderFacts<'a> {
    format: &'static str,
    archive_version: String,
    compression: String,
    created: String,
    dbname: Cow<'a, str>,
    server_version: Cow<'a, str>,
}

impl<'a> From<&'a Header> for HeaderFacts<'a> {
    fn from(header: &'a Header) -> Self {
        Self {
            format: header.format.name(),
            archive_version: header.version.to_string(),
            compression: header.compression.to_string(),
            created: header.created.to_string(),
            dbname: header.dbname.to_str_lossy(),
            server_version: header.server_version.to_str_lossy(),
        }
    }
}

/// Opens the archive at `path`, or the one on standard input if that is `-`, and reads its table of contents. `doing` says
/// what for, worded to follow "could not".
pub(crate) fn open(path: &Path, doing: &str) -> Result<Archive> {
    match path.to_str() {
        Some("-") => archive::read(standard_streams::input(doing)?, path, doing),
        _ => archive::open(path, doing).map_err(|error| explain(error, path)),
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
