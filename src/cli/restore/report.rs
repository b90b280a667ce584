//! What a restore says at its end.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::Result;
use crate::cli::amounts::{counted, mebibytes, seconds};
use crate::cli::choice;
use crate::cli::exit;
use crate::cli::facts::EntryFacts;
use crate::cli::report::Outcome;
use crate::connect::Target;
use crate::postgres::restore::{EntryError, RestoreSummary};
use crate::sqlite::{self, Move};

pub(super) fn of_sqlite(input: &Path, summary: &sqlite::RestoreSummary, took: Duration) -> Result<Outcome> {
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
    let facts = SqliteFacts {
        backend: "sqlite",
        input: input.to_string_lossy(),
        database: summary.database.to_string_lossy(),
        bytes: summary.bytes,
        journal_mode: summary.journal_mode.name(),
        previous: moves(&summary.moved),
        earlier: moves(&summary.earlier),
        integrity_check: "ok",
        seconds: seconds(took),
    };
    Outcome::new(lines, facts)
}

#[derive(Serialize)]
struct SqliteFacts<'a> {
    backend: &'static str,
    input: Cow<'a, str>,
    database: Cow<'a, str>,
    bytes: u64,
    journal_mode: &'static str,
    previous: Vec<MoveFacts<'a>>,
    earlier: Vec<MoveFacts<'a>>,
    integrity_check: &'static str,
    seconds: f64,
}

#[derive(Serialize)]
struct MoveFacts<'a> {
    from: Cow<'a, str>,
    to: Cow<'a, str>,
}

fn moves(all: &[Move]) -> Vec<MoveFacts<'_>> {
    all.iter().map(|one| MoveFacts { from: one.from.to_string_lossy(), to: one.to.to_string_lossy() }).collect()
}

pub(super) fn of_postgres(input: &Path, target: &Target, summary: &RestoreSummary, took: Duration) -> Result<Outcome> {
    let failed = summary.failed_entries();
    let left = summary.left_entries();
    let entries = |count: usize| counted(count as u64, "entry", "entries");
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
    let stays = summary.stays.iter().map(|stay| StayFacts { entry: (&stay.entry).into(), why: &stay.why });
    let facts = PostgresFacts {
        backend: "postgresql",
        input: input.to_string_lossy(),
        database: target.database().to_string(),
        entries: summary.entries,
        rows: summary.rows,
        bytes: summary.bytes,
        large_objects: summary.large_objects,
        dropped: summary.dropped,
        failed,
        errors: summary.errors.iter().map(error).collect(),
        skipped: summary.skipped.iter().map(EntryFacts::from).collect(),
        stays: stays.collect(),
        left_to_superuser: summary.left.iter().map(error).collect(),
        stopped: summary.stopped,
        rolled_back: summary.rolled_back,
        seconds: seconds(took),
    };
    Ok(Outcome { code, ..Outcome::new(lines, facts)? })
}

#[derive(Serialize)]
struct PostgresFacts<'a> {
    backend: &'static str,
    input: Cow<'a, str>,
    database: String,
    entries: u64,
    rows: u64,
    bytes: u64,
    large_objects: u64,
    dropped: u64,
    failed: usize,
    errors: Vec<ErrorFacts<'a>>,
    skipped: Vec<EntryFacts>,
    stays: Vec<StayFacts<'a>>,
    left_to_superuser: Vec<ErrorFacts<'a>>,
    stopped: bool,
    rolled_back: bool,
    seconds: f64,
}

#[derive(Serialize)]
struct StayFacts<'a> {
    #[serde(flatten)]
    entry: EntryFacts,
    why: &'a str,
}

#[derive(Serialize)]
struct ErrorFacts<'a> {
    #[serde(flatten)]
    entry: EntryFacts,
    message: &'a str,
    sqlstate: Option<&'a str>,
    detail: Option<&'a str>,
    hint: Option<String>,
    needs: Option<&'a str>,
    context: Option<&'a str>,
    statement: &'a str,
}

fn error(error: &EntryError) -> ErrorFacts<'_> {
    ErrorFacts {
        entry: (&error.entry).into(),
        message: &error.message,
        sqlstate: error.sqlstate.as_deref(),
        detail: error.detail.as_deref(),
        hint: error.hint.as_ref().map(|hint| hint.named(choice::name)),
        needs: error.needs.as_deref(),
        context: error.context.as_deref(),
        statement: &error.statement,
    }
}
