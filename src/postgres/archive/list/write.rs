//! Writing the list.

use bstr::{BString, ByteSlice};
use jiff::tz::TimeZone;
use pgformat::{Entry, Header};

use super::created;
use crate::Result;
use crate::postgres::archive::{Included, Request, select};
use crate::printable::escaped;

/// The lines for an archive with this header and these entries, in the time of a zone.
///
/// # Errors
/// None; a selection could name what is not there.
pub fn lines(header: &Header, entries: &[Entry], zone: &TimeZone) -> Result<Vec<String>> {
    let mut lines = vec![
        ";".to_owned(),
        format!("; Archive created at {}", created::shown(&header.created, zone)),
        format!(";     dbname: {}", shown(&header.dbname)),
        format!(";     TOC Entries: {}", entries.len()),
        format!(";     Compression: {}", header.compression.to_string().split(':').next().unwrap_or_default()),
        format!(";     Dump Version: {}", version(header)),
        format!(";     Format: {}", header.format.name().to_uppercase()),
        format!(";     Integer: {} bytes", header.int_size),
        format!(";     Offset: {} bytes", header.offset_size),
        format!(";     Dumped from database version: {}", shown(&header.server_version)),
        format!(";     Dumped by pg_dump version: {}", shown(&header.dumper_version)),
        ";".to_owned(),
        ";".to_owned(),
        "; Selected TOC Entries:".to_owned(),
        ";".to_owned(),
    ];
    // Listed is what a restore of everything restores: not what only says how the others are to be read, nor the database
    // itself and what is said about it.
    let chosen = select(entries, &Request::of(Included::default()))?;
    let listed = entries.iter().zip(chosen).filter(|(_, chosen)| chosen.any());
    lines.extend(listed.map(|(entry, _)| line(entry)));
    Ok(lines)
}

/// The line of an entry.
pub fn line(entry: &Entry) -> String {
    let text = |field: &Option<BString>| match field {
        Some(text) if !text.is_empty() => shown(text),
        _ => "-".to_owned(),
    };
    let owner = entry.owner.as_ref().map(shown).unwrap_or_default();
    format!(
        "{}; {} {} {} {} {} {owner}",
        entry.dump_id.0,
        entry.catalog_oid.0,
        entry.catalog_oid.1,
        text(&entry.desc),
        text(&entry.schema),
        text(&entry.tag)
    )
}

fn version(header: &Header) -> String {
    format!("{}.{}-{}", header.version.major, header.version.minor, header.version.rev)
}

fn shown(text: &BString) -> String {
    one_line(&text.to_str_lossy())
}

/// A name must not look like two lines of the list. Line breaks become spaces, as in pg_restore's; what else could drive a
/// terminal, which pg_restore prints as it is, is escaped.
pub fn one_line(name: &str) -> String {
    escaped(&name.replace(['\n', '\r'], " ")).into_owned()
}
