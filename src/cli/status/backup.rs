//! The tables in a backup, whose rows are counted by reading it.

use std::collections::HashMap;
use std::path::Path;

use bstr::ByteSlice;
use pgformat::{DumpId, Entry};

use super::database::of_sqlite;
use super::table::{Contents, Rows, Source, Table};
use crate::cli::archive::{Archive, explain_damage, is_sqlite, open};
use crate::cli::progress::Console;
use crate::postgres::archive::archive_error;
use crate::postgres::verify::{Kind, Verified, verify};
use crate::{Error, ErrorKind, Result, printable};

pub(super) fn contents(file: &Path, console: &Console) -> Result<Contents> {
    if file != Path::new("-") && is_sqlite(file) {
        return of_sqlite(file, Source::Backup, console);
    }
    let doing = format!("count the rows in {}", file.display());
    let mut archive = open(file, &doing)?;
    let stored = archive.sizes().map_err(|error| explain_damage(archive_error(doing.clone(), error), &archive))?;
    let verified = verify(&mut archive, console);
    if let Some(problem) = verified.problems.first() {
        let error = Error::new(ErrorKind::Archive, doing).why(problem.text.clone());
        return Err(explain_damage(error, &archive).hint("lifeboat verify tells all that is wrong with it"));
    }
    let stored: HashMap<DumpId, Option<u64>> =
        archive.entries().iter().map(|entry| entry.dump_id).zip(stored).collect();
    Ok(Contents {
        source: Source::Backup,
        name: name(&archive, file),
        tables: tables(&archive, &verified, &stored),
        large_objects: Some(verified.large_objects),
    })
}

fn name(archive: &Archive, file: &Path) -> String {
    let header = archive.header();
    let file = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let dbname = printable::name(header.dbname.as_bstr());
    format!("{file}, {} archive of {dbname}, made {}", header.format.name(), header.created)
}

fn tables(archive: &Archive, verified: &Verified, stored: &HashMap<DumpId, Option<u64>>) -> Vec<Table> {
    let text = |text: &Option<bstr::BString>| text.clone().unwrap_or_default();
    let entries: HashMap<DumpId, &Entry> = archive.entries().iter().map(|entry| (entry.dump_id, entry)).collect();
    let of_tables = verified.data.iter().filter_map(|data| {
        let entry = entries.get(&data.entry.dump_id)?;
        let rows = match data.kind {
            Kind::Rows(number) => Rows::exact(number),
            Kind::Statements => Rows::not_counted("they are INSERT statements"),
            Kind::LargeObjects(_) => return None,
        };
        Some(Table {
            schema: Some(text(&entry.schema)),
            name: text(&entry.tag),
            rows,
            bytes: Some(data.bytes),
            total_bytes: None,
            stored_bytes: stored.get(&data.entry.dump_id).copied().flatten(),
        })
    });
    let mut tables: Vec<Table> = of_tables.collect();
    tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    tables
}
