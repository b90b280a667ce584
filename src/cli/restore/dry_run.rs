//! `lifeboat restore --dry-run`: what would be restored and replaced.

use std::borrow::Cow;
use std::path::Path;

use bstr::ByteSlice;
use pgformat::Entry;
use serde::Serialize;

use crate::Result;
use crate::cli::amounts::mebibytes;
use crate::cli::facts::EntryFacts;
use crate::cli::report::Outcome;
use crate::connect::Target;
use crate::postgres::archive::{Chosen, EntryName, list};
use crate::postgres::restore::{Dependent, Doubt, Found, Preview, Relation};
use crate::sqlite::RestorePreview;

const HEADLINE: &str = "lifeboat: dry run: nothing was changed";

pub(super) fn of_sqlite(input: &Path, preview: &RestorePreview) -> Result<Outcome> {
    let RestorePreview { database, bytes, replaced } = preview;
    let mut lines = vec![
        HEADLINE.to_owned(),
        "backend: sqlite".to_owned(),
        format!("database: {}", database.display()),
        format!("size: {}", mebibytes(*bytes)),
    ];
    lines.extend(replaced.iter().map(|(path, bytes)| format!("would replace: {} ({bytes} bytes)", path.display())));
    if replaced.is_empty() {
        lines.push("would replace: nothing, for no database is there".to_owned());
    }
    let files = replaced.iter().map(|(path, bytes)| FileFacts { file: path.to_string_lossy(), bytes: *bytes });
    let facts = SqliteFacts {
        backend: "sqlite",
        dry_run: true,
        input: input.to_string_lossy(),
        database: database.to_string_lossy(),
        bytes: *bytes,
        would_replace: files.collect(),
    };
    Outcome::new(lines, facts)
}

#[derive(Serialize)]
struct SqliteFacts<'a> {
    backend: &'static str,
    dry_run: bool,
    input: Cow<'a, str>,
    database: Cow<'a, str>,
    bytes: u64,
    would_replace: Vec<FileFacts<'a>>,
}

#[derive(Serialize)]
struct FileFacts<'a> {
    file: Cow<'a, str>,
    bytes: u64,
}

pub(super) fn of_postgres(input: &Path, target: &Target, preview: &Preview, entries: &[Entry]) -> Result<Outcome> {
    let Preview { found, consequence, lost, doubtful, drops, entries: wanted } = preview;
    let chosen = || wanted.iter().filter_map(|(at, wanted)| Some((at.of(entries)?, wanted)));
    let what = match found {
        Found::Database { .. } => target.describe().replacen("database ", "database: ", 1),
        Found::Creation { name, .. } => {
            target.with_database(name.as_bstr()).describe().replacen("database ", "database to be made: ", 1)
        }
    };
    let mut lines =
        vec![HEADLINE.to_owned(), "backend: postgresql".to_owned(), what, format!("what is there: {consequence}")];
    if !lost.is_empty() {
        lines.push(format!("not brought back, and dropped only with --drop-dependents: {}", lost.len()));
        lines.extend(lost.iter().map(|dependent| format!("  {dependent}")));
    }
    if !doubtful.is_empty() {
        lines.push("what may be lost:".to_owned());
        lines.extend(doubtful.iter().map(|doubt| format!("  {}: {}", doubt.about, doubt.text())));
    }
    lines.extend([format!("drops: {drops}"), format!("entries: {} of {}, in this order", wanted.len(), entries.len())]);
    lines.extend(chosen().map(|(entry, _)| list::line(entry)));
    let [replaced, in_the_way, filled] = match found {
        Found::Database { remade, in_the_way, filled, .. } => [remade, in_the_way, filled].map(|of| names(of)),
        Found::Creation { name, is_there: true } => [vec![name.to_string()], Vec::new(), Vec::new()],
        Found::Creation { .. } => [const { Vec::new() }; 3],
    };
    let would_lose = lost.iter().map(|Dependent { object, along_with, rows, is_estimate, .. }| {
        let along_with = along_with.as_deref();
        DependentFacts { object, along_with, rows: *rows, rows_are_estimated: *is_estimate }
    });
    let may_lose = doubtful.iter().map(|Doubt { about, why, objects, .. }| DoubtFacts { about, why, objects });
    let entries = chosen().map(|(entry, &Chosen { definition, data, statistics, .. })| {
        let entry = (&EntryName::of(entry)).into();
        ChosenFacts { entry, definition, data, statistics }
    });
    let facts = PostgresFacts {
        backend: "postgresql",
        dry_run: true,
        input: input.to_string_lossy(),
        database: found.database().to_string(),
        creates_database: matches!(found, Found::Creation { .. }),
        would_replace: replaced,
        in_the_way,
        would_fill: filled,
        would_lose: would_lose.collect(),
        may_lose: may_lose.collect(),
        drops: *drops,
        entries: entries.collect(),
    };
    Outcome::new(lines, facts)
}

#[derive(Serialize)]
struct PostgresFacts<'a> {
    backend: &'static str,
    dry_run: bool,
    input: Cow<'a, str>,
    database: String,
    creates_database: bool,
    would_replace: Vec<String>,
    in_the_way: Vec<String>,
    would_fill: Vec<String>,
    would_lose: Vec<DependentFacts<'a>>,
    may_lose: Vec<DoubtFacts<'a>>,
    drops: usize,
    entries: Vec<ChosenFacts>,
}

#[derive(Serialize)]
struct DependentFacts<'a> {
    object: &'a str,
    along_with: Option<&'a str>,
    rows: Option<u64>,
    rows_are_estimated: bool,
}

#[derive(Serialize)]
struct DoubtFacts<'a> {
    about: &'a str,
    why: &'a str,
    objects: &'a [String],
}

#[derive(Serialize)]
struct ChosenFacts {
    #[serde(flatten)]
    entry: EntryFacts,
    definition: bool,
    data: bool,
    statistics: bool,
}

fn names(of: &[Relation]) -> Vec<String> {
    of.iter().map(|(schema, name)| format!("{schema}.{name}")).collect()
}
