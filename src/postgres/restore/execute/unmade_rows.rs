//! Rows in a plan that go into tables which it does not make, or may not have made.

use std::collections::HashSet;
use std::ops::Range;

use bstr::{BString, ByteSlice};
use pgformat::Entry;

use crate::postgres::archive::copy_statement::CopyStatement;
use crate::postgres::archive::kinds::VIA_ROOT;
use crate::postgres::archive::{EntryIndex, copy_statement, kinds, text};
use crate::postgres::restore::execute::{Job, Ledger};
use crate::postgres::restore::plan::{Action, Step};

/// The table that an entry's rows go into: its schema and its name.
pub fn table(entry: &Entry) -> (BString, BString) {
    let copy = entry.copy_statement.as_ref().and_then(|statement| CopyStatement::parse(statement));
    let (schema, name) = match copy {
        Some(copy) => (copy.schema, copy.table),
        // Those of a partition may go into its root, which may send them to any partition.
        None => {
            let root = text(&entry.definition).strip_prefix(VIA_ROOT);
            root.and_then(copy_statement::qualified_name).unwrap_or_else(|| (None, text(&entry.tag).to_owned()))
        }
    };
    (schema.unwrap_or_else(|| text(&entry.schema).to_owned()), name)
}

/// Whether steps bring in rows, and the entry that makes their table, if the archive has one.
fn rows_of(steps: &[Step]) -> Option<Option<EntryIndex>> {
    steps.iter().find_map(|step| match &step.action {
        Action::CopyRows { table, .. } | Action::RunData { table } => Some(*table),
        _ => None,
    })
}

/// Whether the steps of an entry bring in the rows of a table.
pub fn are_rows(job: &Job<'_>, steps: &[Step]) -> bool {
    rows_of(steps).is_some() && steps.first().is_some_and(|step| kinds::is(&job.entries[step.entry], "TABLE DATA"))
}

/// The entries with rows of tables that this restore does not make, and their steps.
pub fn unmade(job: &Job<'_>) -> Vec<(EntryIndex, Range<usize>)> {
    let mut begin = 0;
    let mut found = Vec::new();
    for steps in job.plan.steps.chunk_by(|a, b| a.entry == b.entry) {
        let range = begin..begin + steps.len();
        begin = range.end;
        let is_made = |table: EntryIndex| table.of(&job.plan.wanted).is_some_and(|wanted| wanted.definition);
        if are_rows(job, steps) && !rows_of(steps).flatten().is_some_and(is_made) {
            found.push((steps[0].entry, range));
        }
    }
    found
}

/// Whether an entry's rows go into a partitioned table, and could come into a partition that could not be made.
pub fn could_go_astray(job: &Job<'_>, ledger: &Ledger<'_>, at: EntryIndex) -> bool {
    // Most often nothing has failed, and looking through all steps for each entry takes its time.
    if !ledger.has_undefined() {
        return false;
    }
    let entry = &job.entries[at];
    let root = table(entry);
    if (root.0.as_bstr(), root.1.as_bstr()) == (text(&entry.schema), text(&entry.tag)) {
        return false;
    }
    job.plan.steps.iter().any(|step| {
        rows_of(std::slice::from_ref(step)).flatten().is_some_and(|table| ledger.state(table).is_undefined())
            && table(&job.entries[step.entry]) == root
    })
}

/// The settings that hold before the step at `place`: the last of each.
pub fn settings(steps: &[Step], place: usize) -> Vec<&Action> {
    let variable = |action: &Action| match action {
        Action::Set(statement) => Some(statement.split(|byte| *byte == b'=').next().unwrap_or_default().to_vec()),
        Action::Become(_) => Some(b"SET SESSION AUTHORIZATION".to_vec()),
        _ => None,
    };
    let mut seen = HashSet::new();
    let last = steps[..place.min(steps.len())].iter().rev().map(|step| &step.action);
    let mut found: Vec<&Action> =
        last.filter(|action| variable(action).is_some_and(|name| seen.insert(name))).collect();
    // A role first: the rest is set as that.
    found.sort_by_key(|action| !matches!(action, Action::Become(_)));
    found
}
