//! Checking an SQLite database.

use std::path::Path;

use serde_json::json;

use super::counted;
use crate::cli::exit;
use crate::cli::progress::Console;
use crate::cli::report::{Outcome, mebibytes};
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
    let data: Vec<_> = tables
        .iter()
        .map(|table| {
            let rows = table.rows.as_ref();
            json!({
                "entry": table.name,
                "rows": rows.and_then(|rows| rows.as_ref().ok()),
                "not_counted": rows.and_then(|rows| rows.as_ref().err()).map(|uncounted| &uncounted.why),
            })
        })
        .collect();
    let told: Vec<_> = problems.iter().map(|text| json!({"message": text})).collect();
    let result = json!({
        "file": path.to_string_lossy(),
        "format": "sqlite",
        "sound": problems.is_empty(),
        "rows": rows,
        "bytes": contents.as_ref().map(|c| c.header.file_size),
        "problems": told,
        "violations": violations,
        "unchecked": unchecked,
        "data": data,
    });
    let mut outcome = Outcome::new(vec![line], result);
    if !problems.is_empty() {
        outcome.code = exit::FAILED;
    }
    Ok(outcome)
}
