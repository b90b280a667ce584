//! Checking an SQLite database.

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;

use crate::cli::amounts::{counted, mebibytes};
use crate::cli::exit;
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::sqlite::{self, Verified};
use crate::{Level, Message, Phase, Reporter, Result, Unit};

pub(super) fn verify(path: &Path, console: &Console) -> Result<Outcome> {
    console.phase(Phase::new("check", Unit::Steps));
    console.current("PRAGMA integrity_check");
    let Verified { mut problems, violations, unchecked, contents } = sqlite::verify(path, console)?;
    let objects = contents.iter().flat_map(|c| &c.objects);
    problems.extend(objects.filter_map(|object| match &object.rows {
        Some(Err(uncounted)) if uncounted.damage => {
            Some(format!("the rows of {} cannot be counted: {}", object.name, uncounted.why))
        }
        _ => None,
    }));
    for text in &problems {
        console.message(Message::new(Level::Error, "", text.clone()));
    }
    let tables: Vec<_> = contents.iter().flat_map(|c| &c.objects).filter(|o| o.kind == "table").collect();
    let not_counted = tables.iter().filter(|table| matches!(table.rows, Some(Err(_)))).count() as u64;
    let rows: u64 = tables.iter().filter_map(|table| table.rows.as_ref()?.as_ref().ok()).sum();
    let line = if problems.is_empty() {
        let size = contents.as_ref().map(|c| c.header.file_size).unwrap_or_default();
        format!(
            "lifeboat: {} is sound: SQLite database, {} in {}{}, {}",
            path.display(),
            counted(rows, "row", "rows"),
            counted(tables.len() as u64, "table", "tables"),
            match not_counted {
                0 => String::new(),
                n => format!(" ({n} not counted)"),
            },
            mebibytes(size)
        )
    } else {
        let count = counted(problems.len() as u64, "problem", "problems");
        format!("lifeboat: {} is damaged: {count}, each is told above", path.display())
    };
    let data = tables.iter().map(|table| {
        let rows = table.rows.as_ref().map(Result::as_ref);
        TableFacts {
            entry: &table.name,
            rows: rows.and_then(Result::ok).copied(),
            not_counted: rows.and_then(Result::err).map(|uncounted| &*uncounted.why),
        }
    });
    let facts = Facts {
        file: path.to_string_lossy(),
        format: "sqlite",
        sound: problems.is_empty(),
        rows,
        bytes: contents.as_ref().map(|c| c.header.file_size),
        problems: problems.iter().map(|message| ProblemFacts { message }).collect(),
        violations: &violations,
        unchecked: &unchecked,
        data: data.collect(),
    };
    let code = if problems.is_empty() { exit::SUCCESS } else { exit::FAILED };
    Ok(Outcome { code, ..Outcome::new(vec![line], facts)? })
}

#[derive(Serialize)]
struct Facts<'a> {
    file: Cow<'a, str>,
    format: &'static str,
    sound: bool,
    rows: u64,
    bytes: Option<u64>,
    problems: Vec<ProblemFacts<'a>>,
    violations: &'a [String],
    unchecked: &'a [String],
    data: Vec<TableFacts<'a>>,
}

#[derive(Serialize)]
struct ProblemFacts<'a> {
    message: &'a str,
}

#[derive(Serialize)]
struct TableFacts<'a> {
    entry: &'a str,
    rows: Option<u64>,
    not_counted: Option<&'a str>,
}
