//! What is in an archive of a PostgreSQL database: the same lines as `pg_restore -l`, which can be given back to it.

use std::borrow::Cow;
use std::path::Path;

use bstr::{BString, ByteSlice};
use jiff::tz::TimeZone;
use pgformat::{Entry, Section};
use serde::Serialize;

use crate::Result;
use crate::cli::archive::open;
use crate::cli::facts::HeaderFacts;
use crate::cli::report::Outcome;
use crate::postgres::archive::list;

pub(super) fn list(file: &Path, is_json: bool) -> Result<Outcome> {
    let archive = open(file, &format!("list what is in {}", file.display()))?;
    let (header, entries) = (archive.header(), archive.entries());
    // Of either, many entries make a lot.
    if !is_json {
        return Ok(Outcome::of_lines(list::lines(header, entries, &TimeZone::system())?));
    }
    let facts = Facts {
        file: file.to_string_lossy(),
        header: header.into(),
        dumped_by: header.dumper_version.to_str_lossy(),
        entries: entries.iter().map(entry).collect(),
    };
    Outcome::new(Vec::new(), facts)
}

#[derive(Serialize)]
struct Facts<'a> {
    file: Cow<'a, str>,
    #[serde(flatten)]
    header: HeaderFacts<'a>,
    dumped_by: Cow<'a, str>,
    entries: Vec<EntryFacts<'a>>,
}

#[derive(Serialize)]
struct EntryFacts<'a> {
    id: i32,
    r#type: Option<Cow<'a, str>>,
    schema: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    owner: Option<Cow<'a, str>>,
    section: &'static str,
    has_data: bool,
    depends_on: Vec<i32>,
}

fn entry(entry: &Entry) -> EntryFacts<'_> {
    let text = |field| Option::as_ref(field).map(|text: &BString| text.to_str_lossy());
    EntryFacts {
        id: entry.dump_id.0,
        r#type: text(&entry.desc),
        schema: text(&entry.schema),
        name: text(&entry.tag),
        owner: text(&entry.owner),
        section: match entry.section {
            Section::None => "none",
            Section::PreData => "pre-data",
            Section::Data => "data",
            Section::PostData => "post-data",
        },
        has_data: entry.has_data,
        depends_on: entry.dependencies.iter().map(|id| id.0).collect(),
    }
}
