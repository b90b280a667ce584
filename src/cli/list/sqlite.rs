//! What is in an SQLite database.

use std::path::Path;

use serde_json::json;

use crate::cli::report::Outcome;
use crate::postgres::archive::list::one_line;
use crate::sqlite::{self, Contents};
use crate::{Cancellation, Result};

pub(super) fn list(file: &Path, cancellation: &Cancellation) -> Result<Outcome> {
    let contents = sqlite::contents(file, cancellation)?;
    Ok(Outcome::new(lines(&contents), as_json(file, &contents)))
}

fn lines(contents: &Contents) -> Vec<String> {
    let header = &contents.header;
    let mut lines = vec![
        "; SQLite database".to_owned(),
        format!("; size: {} bytes, pages of {} bytes", header.file_size, header.page_size),
        format!("; journal mode: {}, encoding: {}", header.journal_mode.name(), contents.encoding),
        format!("; user_version: {}, application_id: {}", contents.user_version, contents.application_id),
    ];
    for object in &contents.objects {
        let more = match &object.rows {
            Some(Ok(1)) => " (1 row)".to_owned(),
            Some(Ok(rows)) => format!(" ({rows} rows)"),
            Some(Err(uncounted)) => format!(" (rows not counted: {})", uncounted.why),
            None if object.table != object.name => format!(" on {}", object.table),
            None => String::new(),
        };
        lines.push(format!("{} {}{more}", object.kind.to_uppercase(), one_line(&object.name)));
    }
    lines
}

fn as_json(file: &Path, contents: &Contents) -> serde_json::Value {
    let objects: Vec<_> = contents
        .objects
        .iter()
        .map(|o| {
            let rows = o.rows.as_ref().and_then(|r| r.as_ref().ok());
            json!({"type": o.kind, "name": o.name, "table": o.table, "rows": rows})
        })
        .collect();
    json!({
        "format": "sqlite",
        "file": file.to_string_lossy(),
        "bytes": contents.header.file_size,
        "page_size": contents.header.page_size,
        "journal_mode": contents.header.journal_mode.name(),
        "encoding": contents.encoding,
        "user_version": contents.user_version,
        "application_id": contents.application_id,
        "objects": objects,
    })
}
