//! The list of what is in an archive, in the lines of `pg_restore -l`: it is written, somebody may edit it, and it is read.

mod created;

use std::collections::HashSet;

use bstr::{BString, ByteSlice};
use jiff::tz::TimeZone;
use pgformat::{Compression, DumpId, Entry, Header};

use super::{Included, Request, select};
use crate::Result;
use crate::printable::escaped;

/// How a list looks, beside what is in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Every entry, whatever is asked for, and below each the numbers of those that it depends on.
    pub verbose: bool,
    /// The compression as its level, as pg_restore before 16 shows it.
    pub level: bool,
}

/// The lines for an archive with this header and these entries, in the time of a zone.
///
/// # Errors
/// None; a selection could name what is not there.
pub fn lines(header: &Header, entries: &[Entry], zone: &TimeZone) -> Result<Vec<String>> {
    // Listed is what a restore of everything restores: not what only says how the others are to be read, nor the database
    // itself and what is said about it.
    lines_of(header, entries, zone, &Request::of(Included::default()), Style::default())
}

/// As [`lines`], of what is asked for, in its order.
///
/// # Errors
/// A selection names what is not there.
pub fn lines_of(
    header: &Header,
    entries: &[Entry],
    zone: &TimeZone,
    request: &Request<'_>,
    style: Style,
) -> Result<Vec<String>> {
    let mut lines = vec![
        ";".to_owned(),
        format!("; Archive created at {}", created::shown(&header.created, zone)),
        format!(";     dbname: {}", shown(&header.dbname)),
        format!(";     TOC Entries: {}", entries.len()),
        format!(";     Compression: {}", compression(header.compression, style)),
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
    let chosen = select::select(entries, request)?;
    for at in select::order(entries, request, &select::places(entries))? {
        if !style.verbose && !chosen[..][at].any() {
            continue;
        }
        let entry = &entries[at];
        lines.push(line(entry));
        if style.verbose && !entry.dependencies.is_empty() {
            let on: Vec<String> = entry.dependencies.iter().map(|id| id.0.to_string()).collect();
            lines.push(format!(";\tdepends on: {}", on.join(" ")));
        }
    }
    Ok(lines)
}

fn compression(compression: Compression, style: Style) -> String {
    match compression {
        Compression::Gzip(level) if style.level => level.map_or(-1, i64::from).to_string(),
        Compression::None if style.level => "0".to_owned(),
        other => other.to_string().split(':').next().unwrap_or_default().to_owned(),
    }
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

/// Reads a list of entries as `lifeboat list` and `pg_restore -l` write it, which somebody may have edited: the number of an
/// entry is at the beginning of a line, and what is after a semicolon is a comment. What else there is in the lines that
/// make no sense is handed to `ignored`, with the number of the line.
pub fn parse(text: &[u8], entries: &[Entry], mut ignored: impl FnMut(usize, &str)) -> Vec<DumpId> {
    let last = entries.iter().map(|entry| entry.dump_id).max().unwrap_or(DumpId(0));
    let mut list = Vec::new();
    let mut seen = HashSet::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if line.is_empty() {
            continue;
        }
        let digits = line.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(line.len());
        let id = line[..digits].to_str().ok().and_then(|digits| digits.parse().ok()).map(DumpId);
        match id {
            Some(id) if id.0 > 0 && id <= last && seen.insert(id) => list.push(id),
            _ => ignored(number + 1, &line.to_str_lossy()),
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(id: i32, desc: &str, texts: [Option<String>; 3]) -> Entry {
        let mut entry = Entry::new(DumpId(id), desc);
        [entry.schema, entry.tag, entry.owner] = texts.map(|text| text.map(Into::into));
        entry
    }

    proptest! {
        /// Whatever entries are called, the list that is written names each of them once, in its order, and nothing else.
        #[test]
        fn what_is_written_is_read(
            names in proptest::collection::vec(("[A-Z ;\\n]*", proptest::array::uniform3(any::<Option<String>>())), 0..20),
            first in 1..i32::MAX - 20,
        ) {
            let mut entries: Vec<Entry> = (first..).zip(names).map(|(id, (desc, texts))| entry(id, &desc, texts)).collect();
            entries.reverse();
            let list: String = entries.iter().map(|entry| line(entry) + "\n").collect();
            let mut ignored = Vec::new();
            let read = parse(list.as_bytes(), &entries, |line, text| ignored.push((line, text.to_owned())));
            prop_assert_eq!(ignored, []);
            prop_assert_eq!(read, entries.iter().map(|entry| entry.dump_id).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_list_may_be_edited() {
        let entries: Vec<Entry> = [1, 5, 9].map(|id| Entry::new(DumpId(id), "TABLE")).into();
        let text = b";\n; Archive created at noon\n;\n9; 1259 16384 TABLE public a alice\n;5; TABLE\n  1\r\n\nx; y\n9;\n10; z\n-1\n";
        let mut ignored = Vec::new();
        let list = parse(text, &entries, |line, text| ignored.push((line, text.to_owned())));
        assert_eq!(list, [DumpId(9), DumpId(1)]);
        assert_eq!(ignored, [(8, "x".into()), (9, "9".into()), (10, "10".into()), (11, "-1".into())]);
    }
}
