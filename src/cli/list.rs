//! `lifeboat list`.

use std::path::PathBuf;

use serde_json::json;

use super::Common;
use super::report::Outcome;
use crate::error::Result;
use crate::sqlite::{self, Contents};

const EXAMPLES: &str = "\
Examples:
  lifeboat list app.dump
  lifeboat list app-2026-04-24.db --json";

/// Show what is in a backup file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An archive of a PostgreSQL database, or an SQLite database
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: Args, _: &Common) -> Result<Outcome> {
    let contents = sqlite::contents(&args.file)?;
    Ok(Outcome::new(lines(&contents), as_json(&args.file, &contents)))
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
            Some(Err(why)) => format!(" (rows not counted: {why})"),
            None if object.table != object.name => format!(" on {}", object.table),
            None => String::new(),
        };
        lines.push(format!("{} {}{more}", object.kind.to_uppercase(), one_line(&object.name)));
    }
    lines
}

/// A name must not look like two lines of the list.
fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn as_json(file: &std::path::Path, contents: &Contents) -> serde_json::Value {
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
