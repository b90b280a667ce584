//! What is in an archive of a PostgreSQL database: the same lines as `pg_restore -l`, which can be given back to it.

use std::path::Path;

use bstr::{BString, ByteSlice};
use jiff::tz::TimeZone;
use pgformat::{Entry, Header, Section};
use serde_json::json;

use super::{created, one_line};
use crate::cli::archive::{Archive, open};
use crate::cli::report::Outcome;
use crate::error::Result;
use crate::postgres::restore::{RestoreOptions, select};

pub(super) fn list(file: &Path, is_json: bool) -> Result<Outcome> {
    let archive = open(file, &format!("list what is in {}", file.display()))?;
    // Of either, many entries make a lot.
    Ok(match is_json {
        true => Outcome::new(Vec::new(), as_json(file, &archive)),
        false => Outcome::new(lines(&archive)?, json!({})),
    })
}

fn lines(archive: &Archive) -> Result<Vec<String>> {
    let header = archive.header();
    let mut lines = vec![
        ";".to_owned(),
        format!("; Archive created at {}", created::shown(&header.created, &TimeZone::system())),
        format!(";     dbname: {}", shown(&header.dbname)),
        format!(";     TOC Entries: {}", archive.entries().len()),
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
    let everything = RestoreOptions { acl: true, ..RestoreOptions::default() };
    let wanted = select(archive.entries(), &everything)?;
    let listed = archive.entries().iter().zip(wanted).filter(|(_, wanted)| wanted.any());
    lines.extend(listed.map(|(entry, _)| line(entry)));
    Ok(lines)
}

/// The line of an entry.
pub(in crate::cli) fn line(entry: &Entry) -> String {
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
