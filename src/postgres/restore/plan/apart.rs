//! Which entries can be restored beside others.

use std::collections::HashMap;

use pgformat::kinds::RestorePass;
use pgformat::{DumpId, Entry, Section};

use crate::postgres::archive::Chosen;
use crate::postgres::archive::EntryIndex;
use crate::postgres::archive::kinds;
use crate::postgres::restore::plan::step::Step;

/// For each entry, whether it may be restored beside others: what belongs to the data or comes after it, and what is said
/// about such objects or needs them. What else comes before the data is made in the archive's order, and privileges,
/// which can be about one row of a catalog, are given one after the other.
pub(in crate::postgres::restore) fn apart(entries: &[Entry], wanted: &[Chosen]) -> Vec<bool> {
    let mut places: HashMap<DumpId, usize> = HashMap::new();
    let mut apart: Vec<bool> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let after = || entry.dependencies.iter().filter_map(|id| places.get(id)).any(|&on| apart[on]);
        let is_late = match entry.section {
            Section::Data | Section::PostData => true,
            Section::None => kinds::is_dependent(entry) && after(),
            // A function, say, that returns rows of a materialized view whose key is made after the data.
            Section::PreData => after(),
        };
        let is_apart =
            is_late && kinds::pass(entry) != RestorePass::Acl && wanted.get(at).is_some_and(|wanted| wanted.any());
        places.insert(entry.dump_id, at);
        apart.push(is_apart);
    }
    apart
}

/// Whether a step is to be carried out apart from those before it: its settings must not rely on theirs.
pub fn begins_anew(apart: &[bool], before: Option<&Step>, at: EntryIndex) -> bool {
    apart[at] || before.is_some_and(|step| apart[step.entry])
}
