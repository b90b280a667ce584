//! What a restore says at its end.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::choice;
use crate::cli::exit;
use crate::cli::report::{Outcome, mebibytes};
use crate::connect::Target;
use crate::postgres::restore::{EntryError, RestoreSummary};
use crate::sqlite::{self, Move};

pub(super) fn of_sqlite(input: &Path, summary: &sqlite::RestoreSummary, took: Duration) -> Outcome {
    let mut lines = vec![
        "lifeboat: restore complete".to_owned(),
        "backend: sqlite".to_owned(),
        format!("database: {}", summary.database.display()),
        format!("size: {}", mebibytes(summary.bytes)),
    ];
    let told = |verb: &str, moves: &[Move]| {
        moves.iter().map(|m| format!("{verb}: {} -> {}", m.from.display(), m.to.display())).collect::<Vec<_>>()
    };
    lines.extend(told("earlier", &summary.earlier));
    lines.extend(told("previous", &summary.moved));
    if !summary.moved.is_empty() {
        lines.push("lifeboat: the previous database is kept; remove it when the restored one has proved good.".into());
    }
    let moves = |moves: &[Move]| {
        moves
            .iter()
            .map(|m| json!({"from": m.from.to_string_lossy(), "to": m.to.to_string_lossy()}))
            .collect::<Vec<_>>()
    };
    let result = json!({
        "backend": "sqlite",
        "input": input.to_string_lossy(),
        "database": summary.database.to_string_lossy(),
        "bytes": summary.bytes,
        "journal_mode": summary.journal_mode.name(),
        "previous": moves(&summary.moved),
        "earlier": moves(&summary.earlier),
        "integrity_check": "ok",
        "seconds": took.as_millis() as f64 / 1000.0,
    });
    Outcome::new(lines, result)
}

pub(super) fn of_postgres(input: &Path, target: &Target, summary: &RestoreSummary, took: Duration) -> Outcome {
    let failed = summary.failed_entries();
    let left = summary.left_entries();
    let entries = |count| if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
    let (headline, code) = if summary.rolled_back && summary.stopped {
        ("restore stopped at the first error and was rolled back: nothing was changed".to_owned(), exit::FAILED)
    } else if summary.rolled_back {
        ("restore failed and was rolled back: nothing was changed".to_owned(), exit::FAILED)
    } else if summary.stopped {
        let dropped = match summary.dropped {
            0 => String::new(),
            1 => ", and 1 object is dropped".to_owned(),
            dropped => format!(", and {dropped} objects are dropped"),
        };
        (format!("restore stopped at the first error: what was restored before it remains{dropped}"), exit::FAILED)
    } else if summary.is_complete() {
        ("restore complete".to_owned(), exit::SUCCESS)
    } else {
        let is_or_are = if left == 1 { "is" } else { "are" };
        let what = match (failed, left) {
            (0, left) => format!("{} {is_or_are} left to a superuser", entries(left)),
            (failed, 0) => format!("{} failed", entries(failed)),
            (failed, left) => format!("{} failed, and {left} {is_or_are} left to a superuser", entries(failed)),
        };
        (format!("restore finished, but {what}; each is told above"), exit::INCOMPLETE)
    };
    let mut counts = format!("entries: {} restored, {failed} failed", summary.entries);
    let more = [(summary.stays.len(), "left as they are"), (left, "left to a superuser")];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        counts.push_str(&format!(", {count} {what}"));
    }
    let lines = vec![
        format!("lifeboat: {headline}"),
        "backend: postgresql".to_owned(),
        target.describe().replacen("database ", "database: ", 1),
        counts,
        format!("rows: {}", summary.rows),
        format!("data: {}", mebibytes(summary.bytes)),
    ];
    let result = json!({
        "backend": "postgresql",
        "input": input.to_string_lossy(),
        "database": target.database().to_string(),
        "entries": summary.entries,
        "rows": summary.rows,
        "bytes": summary.bytes,
        "large_objects": summary.large_objects,
        "dropped": summary.dropped,
        "errors": errors(&summary.errors),
        "failed": failed,
        "skipped": summary
            .skipped
            .iter()
            .map(|entry| json!({"id": entry.dump_id.0, "entry": entry.to_string()}))
            .collect::<Vec<_>>(),
        "stays": summary
            .stays
            .iter()
            .map(|stay| json!({"id": stay.entry.dump_id.0, "entry": stay.entry.to_string(), "why": stay.why}))
            .collect::<Vec<_>>(),
        "left_to_superuser": errors(&summary.left),
        "stopped": summary.stopped,
        "rolled_back": summary.rolled_back,
        "seconds": took.as_millis() as f64 / 1000.0,
    });
    let mut outcome = Outcome::new(lines, result);
    outcome.code = code;
    outcome
}

fn errors(errors: &[EntryError]) -> Vec<Value> {
    errors
        .iter()
        .map(|e| {
            json!({
                "id": e.entry.dump_id.0,
                "entry": e.entry.to_string(),
                "message": e.message,
                "sqlstate": e.sqlstate,
                "detail": e.detail,
                "hint": e.hint.as_ref().map(|hint| hint.named(choice::name)),
                "needs": e.needs,
                "context": e.context,
                "statement": e.statement,
            })
        })
        .collect()
}
