//! What is in an SQLite database.

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;

use crate::cli::amounts::counted;
use crate::cli::report::Outcome;
use crate::postgres::archive::list::one_line;
use crate::sqlite::{self, Contents};
use crate::{Cancellation, Result};

pub(super) fn list(file: &Path, cancellation: &Cancellation) -> Result<Outcome> {
    let contents = sqlite::contents(file, cancellation)?;
    let objects = contents.objects.iter().map(|object| ObjectFacts {
        r#type: &object.kind,
        name: &object.name,
        table: &object.table,
        rows: object.rows.as_ref().and_then(|rows| rows.as_ref().ok()).copied(),
    });
    let facts = Facts {
        file: file.to_string_lossy(),
        format: "sqlite",
        bytes: contents.header.file_size,
        page_size: contents.header.page_size,
        journal_mode: contents.header.journal_mode.name(),
        encoding: &contents.encoding,
        user_version: contents.user_version,
        application_id: contents.application_id,
        objects: objects.collect(),
    };
    Outcome::new(lines(&contents), facts)
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
            Some(Ok(rows)) => format!(" ({})", counted(*rows, "row", "rows")),
            Some(Err(uncounted)) => format!(" (rows not counted: {})", uncounted.why),
            None if object.table != object.name => format!(" on {}", object.table),
            None => String::new(),
        };
        lines.push(format!("{} {}{more}", object.kind.to_uppercase(), one_line(&object.name)));
    }
    lines
}

#[derive(Serialize)]
struct Facts<'a> {
    file: Cow<'a, str>,
    format: &'static str,
    bytes: u64,
    page_size: u32,
    journal_mode: &'static str,
    encoding: &'a str,
    user_version: i64,
    application_id: i64,
    objects: Vec<ObjectFacts<'a>>,
}

#[derive(Serialize)]
struct ObjectFacts<'a> {
    r#type: &'a str,
    name: &'a str,
    table: &'a str,
    rows: Option<u64>,
}
