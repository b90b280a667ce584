//! What programs are told of an archive in several reports.

use std::borrow::Cow;

use bstr::ByteSlice;
use pgformat::Header;
use serde::Serialize;

use crate::postgres::archive::EntryName;
use crate::postgres::verify::Kind;

/// An entry.
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

/// How much of what is in the data of an entry.
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

/// What an archive says of itself.
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
