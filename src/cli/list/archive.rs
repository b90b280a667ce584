//! What is in an archive of a PostgreSQL database: the same lines as `pg_restore -l`, which can be given back to it.

use std::path::Path;

use bstr::{BString, ByteSlice};
use jiff::tz::TimeZone;
use pgformat::Section;
use serde_json::json;

use crate::Result;
use crate::cli::archive::{Archive, open};
use crate::cli::report::Outcome;
use crate::postgres::archive::list;

pub(super) fn list(file: &Path, is_json: bool) -> Result<Outcome> {
    let archive = open(file, &format!("list what is in {}", file.display()))?;
    // Of either, many entries make a lot.
    Ok(match is_json {
        true => Outcome::new(Vec::new(), as_json(file, &archive)),
        false => Outcome::new(list::lines(archive.header(), archive.entries(), &TimeZone::system())?, json!({})),
    })
}

fn as_json(file: &Path, archive: &Archive) -> serde_json::Value {
    let header = archive.header();
    let text = |field: &Option<BString>| field.as_ref().map(|text| text.to_str_lossy().into_owned());
    let entries: Vec<_> = archive
        .entries()
        .iter()
        .map(|e| {
            let section = match e.section {
                Section::None => "none",
                Section::PreData => "pre-data",
                Section::Data => "data",
                Section::PostData => "post-data",
            };
            json!({
                "id": e.dump_id.0,
                "type": text(&e.desc),
                "schema": text(&e.schema),
                "name": text(&e.tag),
                "owner": text(&e.owner),
                "section": section,
                "has_data": e.has_data,
                "depends_on": e.dependencies.iter().map(|id| id.0).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "format": header.format.name(),
        "file": file.to_string_lossy(),
        "archive_version": header.version.to_string(),
        "compression": header.compression.to_string(),
        "created": header.created.to_string(),
        "dbname": header.dbname.to_str_lossy(),
        "server_version": header.server_version.to_str_lossy(),
        "dumped_by": header.dumper_version.to_str_lossy(),
        "entries": entries,
    })
}
