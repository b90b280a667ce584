//! What can be told of a table of contents by itself.

use std::collections::HashMap;

use bstr::ByteSlice;
use pgformat::kinds::EntryGroup;
use pgformat::{DumpId, Entry};

use super::Problem;
use super::characters::Characters;
use crate::postgres::archive::{kinds, text};

/// Checks dependencies: those on entries that are not there are counted, for an archive of a part of a database has them;
/// entries that depend on each other in a loop have no order in which they can be restored.
pub(super) fn dependencies(entries: &[Entry], problems: &mut Vec<Problem>) -> u64 {
    let places: HashMap<DumpId, usize> = entries.iter().enumerate().map(|(at, entry)| (entry.dump_id, at)).collect();
    let mut unknown = 0;
    // How many dependencies of each entry are left, and who waits for it.
    let mut left = vec![0_usize; entries.len()];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
    for (at, entry) in entries.iter().enumerate() {
        for id in &entry.dependencies {
            match places.get(id) {
                Some(&on) => {
                    left[at] += 1;
                    waiting[on].push(at);
                }
                None => unknown += 1,
            }
        }
    }
    let mut ready: Vec<usize> = (0..entries.len()).filter(|at| left[*at] == 0).collect();
    while let Some(done) = ready.pop() {
        for at in std::mem::take(&mut waiting[done]) {
            left[at] -= 1;
            if left[at] == 0 {
                ready.push(at);
            }
        }
    }
    // Who is left is in a loop, or depends on one; following the first dependency that is left leads into it.
    if let Some(start) = left.iter().position(|left| *left > 0) {
        let next = |at: usize| {
            let on = entries[at].dependencies.iter().filter_map(|id| places.get(id).copied());
            on.into_iter().find(|on| left[*on] > 0)
        };
        let mut seen = vec![false; entries.len()];
        let mut at = start;
        while !seen[at] {
            seen[at] = true;
            at = next(at).unwrap_or(at);
        }
        let (first, mut names) = (at, Vec::new());
        loop {
            names.push(entries[at].dump_id.to_string());
            at = next(at).unwrap_or(first);
            if at == first || names.len() == 10 {
                break;
            }
        }
        let more = if at == first { "" } else { ", …" };
        let text = format!("it depends on itself, by way of the entries {}{more}", names.join(", "));
        problems.push(Problem::of(&entries[first], text));
    }
    unknown
}

/// What is wrong with the texts of an entry: a zero byte, which no server is ever sent; in what makes a relation or brings in
/// its rows, bytes that are no characters in the archive's `encoding`. A table of contents has no checksum.
pub(in crate::postgres) fn text_problem(entry: &Entry, encoding: &[u8]) -> Option<String> {
    let statements = [&entry.definition, &entry.drop_statement, &entry.copy_statement];
    let names = [&entry.tag, &entry.schema, &entry.owner, &entry.tablespace, &entry.table_access_method];
    let mut all = statements.iter().chain(&names).filter_map(|text| text.as_ref());
    if all.any(|text| text.contains(&0)) {
        return Some("there is a zero byte in what the table of contents says of it".to_owned());
    }
    let is_of_relation = kinds::group(entry) == EntryGroup::Relation || kinds::is(entry, "TABLE DATA");
    let is_wrong = is_of_relation
        && statements.iter().filter_map(|text| text.as_ref()).any(|text| !Characters::are(encoding, text));
    is_wrong.then(|| {
        let name = Characters::of(encoding).name().to_owned();
        format!("there are bytes that are no characters in {name} in what the table of contents says of it")
    })
}

/// The large objects that entries make; `None` if none does, as before 9.0, when only their content was in an archive.
pub(super) fn large_objects(entries: &[Entry], problems: &mut Vec<Problem>) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    let mut any = false;
    for entry in entries {
        let oids = match text(&entry.desc).as_bytes() {
            b"BLOB" => text(&entry.tag),
            b"BLOB METADATA" => text(&entry.definition),
            _ => continue,
        };
        any = true;
        for line in oids.lines() {
            match line.to_str().ok().and_then(|line| line.parse().ok()) {
                Some(oid) => all.push(oid),
                None => {
                    let text = format!("{:?} is not the OID of a large object", line.as_bstr());
                    problems.push(Problem::of(entry, text));
                }
            }
        }
    }
    all.sort_unstable();
    any.then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i32, desc: &str, dependencies: &[i32]) -> Entry {
        let mut entry = Entry::new(DumpId(id), desc);
        entry.tag = Some("x".into());
        entry.dependencies = dependencies.iter().map(|id| DumpId(*id)).collect();
        entry
    }

    fn problems(entries: &[Entry]) -> (u64, Vec<String>) {
        let mut problems = Vec::new();
        let unknown = dependencies(entries, &mut problems);
        (unknown, problems.into_iter().map(|problem| problem.text).collect())
    }

    #[test]
    fn loops_are_found_and_dependencies_on_nothing_counted() {
        let sound = [entry(1, "TABLE", &[]), entry(2, "TABLE DATA", &[1, 99]), entry(3, "INDEX", &[1, 2, 98])];
        assert_eq!(problems(&sound), (2, vec![]));
        let backwards = [entry(3, "TABLE", &[2]), entry(2, "TABLE", &[1]), entry(1, "TABLE", &[])];
        assert_eq!(problems(&backwards), (0, vec![]));
        let itself = [entry(1, "TABLE", &[1])];
        assert_eq!(problems(&itself), (0, vec!["it depends on itself, by way of the entries 1".into()]));
        let ring = [entry(1, "TABLE", &[2]), entry(2, "VIEW", &[3]), entry(3, "RULE", &[2, 77]), entry(4, "ACL", &[1])];
        assert_eq!(problems(&ring), (1, vec!["it depends on itself, by way of the entries 2, 3".into()]));
        let long: Vec<Entry> = (1..=50).map(|id| entry(id, "VIEW", &[id % 50 + 1])).collect();
        let text = "it depends on itself, by way of the entries 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …";
        assert_eq!(problems(&long), (0, vec![text.into()]));
    }

    #[test]
    fn large_objects_are_read_from_their_entries() {
        let mut blob = entry(1, "BLOB", &[]);
        blob.tag = Some("4000000000".into());
        let mut batch = entry(2, "BLOB METADATA", &[]);
        batch.definition = Some("7\n8\nnine\n".into());
        let mut problems = Vec::new();
        assert_eq!(large_objects(&[entry(3, "BLOBS", &[])], &mut problems), None);
        assert_eq!(large_objects(&[blob, batch], &mut problems), Some(vec![7, 8, 4_000_000_000]));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].text, "\"nine\" is not the OID of a large object");
    }
}
