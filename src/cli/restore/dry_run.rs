//! `lifeboat restore --dry-run`: what would be restored and replaced.

use std::path::Path;

use bstr::ByteSlice;
use pgformat::Entry;
use serde_json::json;

use crate::cli::report::{Outcome, mebibytes};
use crate::connect::Target;
use crate::postgres::archive::{EntryName, list};
use crate::postgres::restore::{Found, Preview, Relation};
use crate::sqlite::RestorePreview;

const HEADLINE: &str = "lifeboat: dry run: nothing was changed";

pub(super) fn of_sqlite(input: &Path, preview: &RestorePreview) -> Outcome {
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
    let files: Vec<_> =
        replaced.iter().map(|(path, bytes)| json!({"file": path.to_string_lossy(), "bytes": bytes})).collect();
    let result = json!({
        "backend": "sqlite",
        "dry_run": true,
        "input": input.to_string_lossy(),
        "database": database.to_string_lossy(),
        "bytes": bytes,
        "would_replace": files,
    });
    Outcome::new(lines, result)
}

pub(super) fn of_postgres(input: &Path, target: &Target, preview: &Preview, entries: &[Entry]) -> Outcome {
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
    let result = json!({
        "backend": "postgresql",
        "dry_run": true,
        "input": input.to_string_lossy(),
        "database": found.database().to_string(),
        "creates_database": matches!(found, Found::Creation { .. }),
        "would_replace": replaced,
        "in_the_way": in_the_way,
        "would_fill": filled,
        "would_lose": lost
            .iter()
            .map(|dependent| json!({
                "object": dependent.object,
                "along_with": dependent.along_with,
                "rows": dependent.rows,
                "rows_are_estimated": dependent.is_estimate,
            }))
            .collect::<Vec<_>>(),
        "may_lose": doubtful
            .iter()
            .map(|doubt| json!({"about": doubt.about, "why": doubt.why, "objects": doubt.objects}))
            .collect::<Vec<_>>(),
        "drops": drops,
        "entries": chosen()
            .map(|(entry, wanted)| json!({
                "id": entry.dump_id.0,
                "entry": EntryName::of(entry).to_string(),
                "definition": wanted.definition,
                "data": wanted.data,
                "statistics": wanted.statistics,
            }))
            .collect::<Vec<_>>(),
    });
    Outcome::new(lines, result)
}

fn names(of: &[Relation]) -> Vec<String> {
    of.iter().map(|(schema, name)| format!("{schema}.{name}")).collect()
}
