//! The plan of a restore and its script, for entries that the bytes describe: of every kind, with names and statements
//! that are put together from what means something to a plan, and depending on each other in any way. What
//! `plan_restore` finds by changing the bytes of an archive, this finds in the middle of it.
//!
//! `cargo fuzz run plan_entries`; no corpus is needed to begin with.
#![no_main]

#[path = "support/options.rs"]
mod options;
#[path = "support/plans.rs"]
mod plans;

use std::io::{Cursor, Write};

use bstr::BString;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pgformat::{Compression, DumpId, Entry, Header, Reader, Section, Version, Writer, kinds};

/// The most entries of an archive.
const ENTRIES: usize = 40;
/// What statements and names are put together from.
const WORDS: [&str; 40] = [
    " ",
    "\n",
    ";",
    ";\n",
    "'",
    "\"",
    "$$",
    "$a$",
    "--",
    "/*",
    "*/",
    "(",
    ")",
    ",",
    ".",
    "\\",
    "E'",
    "public",
    "t",
    "f(integer)",
    "CREATE ",
    "DROP ",
    "ALTER ",
    "TABLE ",
    "ONLY ",
    "IF EXISTS ",
    "CONSTRAINT ",
    "DATABASE ",
    "SCHEMA ",
    "CREATE OR REPLACE VIEW ",
    "OWNER TO ",
    "COMMENT ON ",
    "EXTENSION ",
    "ACL ",
    "LARGE OBJECT ",
    "12",
    "4000000000",
    "standard_conforming_strings",
    "SET ",
    "load-via-partition-root",
];

fn text(input: &mut Unstructured<'_>) -> Result<Option<BString>> {
    let words = input.int_in_range(0..=8u8)?;
    if words == 8 {
        return Ok(None);
    }
    let mut text = BString::default();
    for _ in 0..words {
        match usize::from(u8::from_be_bytes([input.arbitrary()?])) {
            word if word < WORDS.len() => text.extend_from_slice(WORDS[word].as_bytes()),
            // The format's strings end at a NUL nowhere, but a server's do.
            byte => text.push(byte as u8 | 1),
        }
    }
    Ok(Some(text))
}

/// A definition that a kind's own would look like, or any.
fn statement(input: &mut Unstructured<'_>, usual: &str) -> Result<Option<BString>> {
    if input.ratio(1, 2)? { Ok(Some(format!("{usual} public.t;\n").into())) } else { text(input) }
}

fn entry(input: &mut Unstructured<'_>) -> Result<Entry> {
    let id = input.int_in_range(1..=ENTRIES as i32 + 2)?;
    let kind = usize::from(input.arbitrary::<u8>()?);
    let mut entry = Entry::new(DumpId(id), "");
    entry.desc = match kinds::ALL.get(kind) {
        Some(kind) => Some(kind.desc.into()),
        None => text(input)?,
    };
    let words = entry.desc.clone().unwrap_or_default().to_string();
    entry.section =
        [Section::PreData, Section::Data, Section::PostData, Section::None][usize::from(input.int_in_range(0..=3u8)?)];
    entry.has_data = input.ratio(1, 4)?;
    entry.catalog_oid = (input.arbitrary()?, input.arbitrary()?);
    entry.tag = text(input)?;
    entry.definition = statement(input, &format!("CREATE {words}"))?;
    entry.drop_statement = statement(input, &format!("DROP {words}"))?;
    entry.copy_statement =
        if input.ratio(1, 2)? { Some("COPY public.t (a) FROM stdin;\n".into()) } else { text(input)? };
    entry.schema = text(input)?;
    entry.owner = text(input)?;
    entry.tablespace = text(input)?;
    entry.table_access_method = text(input)?;
    entry.relkind = *input.choose(b"\0rvmpSfi")?;
    for _ in 0..input.int_in_range(0..=4u8)? {
        entry.dependencies.push(DumpId(input.int_in_range(1..=ENTRIES as i32 + 3)?));
    }
    Ok(entry)
}

/// An archive of the entries, where they can be in one.
fn archive(entries: &[Entry], rows: &[u8]) -> Option<Vec<u8>> {
    let header = Header::new(Version::V1_16, Compression::None);
    let mut writer = Writer::seekable(Cursor::new(Vec::new()), header, entries.to_vec()).ok()?;
    for entry in entries.iter().filter(|entry| entry.has_data) {
        if entry.desc.as_ref().is_some_and(|desc| desc == "BLOBS") {
            let mut block = writer.large_objects(entry.dump_id).ok()?;
            let mut object = block.object(4_000_000_000).ok()?;
            object.write_all(rows).ok()?;
            object.finish().ok()?;
            block.finish().ok()?;
        } else {
            let mut data = writer.data(entry.dump_id).ok()?;
            data.write_all(rows).ok()?;
            data.finish().ok()?;
        }
    }
    Some(writer.finish().ok()?.into_inner())
}

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let choice = input.arbitrary()?;
    let mut entries = Vec::new();
    for _ in 0..input.int_in_range(0..=ENTRIES)? {
        let entry = entry(input)?;
        if entries.iter().all(|other: &Entry| other.dump_id != entry.dump_id) {
            entries.push(entry);
        }
    }
    let rows = text(input)?.unwrap_or_default();
    let list = input.bytes(input.len().min(200))?;
    let options = options::options(choice, list, &entries);
    plans::check(&entries, (1, input.int_in_range(10..=16).unwrap_or(16)), &options);
    if let Some(archive) = archive(&entries, &rows) {
        plans::check_script(&options, || Reader::seekable(Cursor::new(&archive)).ok());
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    // Too few bytes make no entries.
    let _ = check(&mut Unstructured::new(bytes));
});
