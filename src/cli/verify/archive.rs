//! Checking an archive of a PostgreSQL database.

use std::path::Path;

use bstr::ByteSlice;
use serde_json::json;

use super::counted;
use crate::cli::exit;
use crate::cli::progress::Console;
use crate::cli::report::{Outcome, mebibytes};
use crate::postgres::verify::{Kind, Verified, verify_file};
use crate::{Level, Message, Reporter, Result, printable};

pub(super) fn verify(path: &Path, console: &Console) -> Result<Outcome> {
    let (archive, verified) = verify_file(path, console)?;
    for problem in &verified.problems {
        let text = problem.text.clone();
        // What the reader says names the entry by itself.
        let entry = problem.entry.as_ref().filter(|entry| !text.contains(&format!("entry {} ", entry.dump_id)));
        let subject = entry.map(ToString::to_string).unwrap_or_default();
        console.message(Message::new(Level::Error, subject, text));
    }
    let header = archive.header();
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let line = if verified.is_sound() {
        format!(
            "lifeboat: {name} is sound: {} archive {} of {}, {}",
            header.format.name(),
            header.version,
            printable::name(header.dbname.as_bstr()),
            summary(&verified)
        )
    } else {
        let unchecked = match verified.unchecked {
            0 => String::new(),
            n => format!("; the data of {} could not be checked", counted(n, "entry", "entries")),
        };
        let problems = counted(verified.count(), "problem", "problems");
        let told = if verified.more_problems == 0 { "each is told above" } else { "the first are told above" };
        format!("lifeboat: {name} is damaged: {problems}, {told}{unchecked}")
    };
    let data: Vec<_> = verified
        .data
        .iter()
        .map(|data| {
            let (rows, objects) = match data.kind {
                Kind::Rows(rows) => (Some(rows), None),
                Kind::Statements => (None, None),
                Kind::LargeObjects(objects) => (None, Some(objects)),
            };
            json!({
                "id": data.entry.dump_id.0,
                "entry": data.entry.to_string(),
                "rows": rows,
                "large_objects": objects,
                "bytes": data.bytes,
            })
        })
        .collect();
    let problems: Vec<_> = verified
        .problems
        .iter()
        .map(|problem| {
            json!({
                "id": problem.entry.as_ref().map(|entry| entry.dump_id.0),
                "entry": problem.entry.as_ref().map(ToString::to_string),
                "message": problem.text,
            })
        })
        .collect();
    let result = json!({
        "file": path.to_string_lossy(),
        "format": header.format.name(),
        "archive_version": header.version.to_string(),
        "compression": header.compression.to_string(),
        "created": header.created.to_string(),
        "dbname": header.dbname.to_str_lossy(),
        "server_version": header.server_version.to_str_lossy(),
        "sound": verified.is_sound(),
        "entries": verified.entries,
        "rows": verified.rows,
        "large_objects": verified.large_objects,
        "bytes": verified.bytes,
        "unknown_dependencies": verified.unknown_dependencies,
        "unchecked_entries": verified.unchecked,
        "problems": problems,
        "more_problems": verified.more_problems,
        "data": data,
    });
    let mut outcome = Outcome::new(vec![line], result);
    if !verified.is_sound() {
        outcome.code = exit::FAILED;
    }
    Ok(outcome)
}

fn summary(verified: &Verified) -> String {
    let of = |kind: fn(&Kind) -> bool| verified.data.iter().filter(|data| kind(&data.kind)).count() as u64;
    let (tables, statements) = (of(|kind| matches!(kind, Kind::Rows(_))), of(|kind| matches!(kind, Kind::Statements)));
    let mut parts = vec![counted(verified.entries, "entry", "entries")];
    if tables > 0 || statements == 0 {
        let rows = counted(verified.rows, "row", "rows");
        parts.push(format!("{rows} in {}", counted(tables, "table", "tables")));
    }
    if statements > 0 {
        let tables = counted(statements, "table", "tables");
        parts.push(format!("statements for the rows of {tables}, which are not counted"));
    }
    if verified.large_objects > 0 {
        parts.push(counted(verified.large_objects, "large object", "large objects"));
    }
    parts.push(format!("{} of data", mebibytes(verified.bytes)));
    parts.join(", ")
}
