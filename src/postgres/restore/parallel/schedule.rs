//! Which entries can be restored beside others, and in which order. Nothing here talks to a server.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use pgformat::kinds::Pass;
use pgformat::{DumpId, Entry, Section};

use crate::postgres::archive::Chosen;
use crate::postgres::archive::kinds;
use crate::postgres::restore::parallel::dependencies::Before;
use crate::postgres::restore::plan::Step;

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
        let is_apart = is_late && kinds::pass(entry) != Pass::Acl && wanted.get(at).is_some_and(|wanted| wanted.any());
        places.insert(entry.dump_id, at);
        apart.push(is_apart);
    }
    apart
}

/// How an entry locks the tables that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    /// Others of this sort may lock the same table: they make indexes.
    Shared,
    Exclusive,
}

/// What is to be done for one entry.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The entry's place in the archive.
    pub entry: usize,
    /// Its steps in the plan.
    pub steps: Range<usize>,
    /// The items that wait for this one.
    then: Vec<usize>,
    /// How many items this one waits for.
    waits_for: usize,
    /// Tables, by their places in the archive.
    tables: HashSet<usize>,
    lock: Lock,
    /// How much work it is.
    work: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
}

/// Items, some of which are running.
#[derive(Debug)]
pub(super) struct Schedule {
    items: Vec<Item>,
    /// Items that are rows of tables, and are not there yet.
    rows: HashSet<usize>,
    /// The items that wait until there are none of these.
    after_rows: Vec<usize>,
    /// Items that wait for nothing, the largest last.
    ready: Vec<usize>,
    running: Vec<usize>,
}

impl Schedule {
    /// A schedule of these parts of a plan's steps, each about one entry. `work` says how much there is to do for one.
    pub(super) fn new(
        entries: &[Entry],
        steps: &[Step],
        parts: Vec<Range<usize>>,
        work: impl Fn(usize) -> u64,
    ) -> Self {
        let mut items: Vec<Item> = Vec::with_capacity(parts.len());
        for part in parts {
            let entry = steps[part.start].entry;
            let lock = if kinds::is(&entries[entry], "INDEX") { Lock::Shared } else { Lock::Exclusive };
            items.push(Item {
                entry,
                steps: part,
                then: Vec::new(),
                waits_for: 0,
                tables: HashSet::new(),
                lock,
                work: work(entry),
                state: State::Waiting,
            });
        }
        let of_items: Vec<usize> = items.iter().map(|item| item.entry).collect();
        let before = Before::new(entries, &of_items);
        let rows: HashSet<usize> = (0..items.len()).filter(|n| before.is_rows(*n)).collect();
        let mut after_rows = Vec::new();
        for n in 0..items.len() {
            let mut tables: HashSet<usize> = before.tables(n).collect();
            before.said(n).for_each(|other| tables.extend(&items[other].tables));
            let mut needs = before.needs(n);
            if needs.all_rows && !rows.is_empty() {
                needs.items.retain(|other| !rows.contains(other));
                items[n].waits_for += 1;
                after_rows.push(n);
            }
            items[n].waits_for += needs.items.len();
            items[n].tables = tables;
            needs.items.into_iter().for_each(|other| items[other].then.push(n));
        }
        let mut schedule = Self { items, rows, after_rows, ready: Vec::new(), running: Vec::new() };
        let ready: Vec<usize> = (0..schedule.items.len()).filter(|n| schedule.items[*n].waits_for == 0).collect();
        schedule.add_ready(ready);
        schedule
    }

    /// The item of that number.
    pub(super) fn item(&self, n: usize) -> &Item {
        &self.items[n]
    }

    /// How many items are running.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// The largest item that can run beside those that do; it is running then. `None` if there is none at the moment.
    pub(super) fn next(&mut self) -> Option<usize> {
        if self.ready.is_empty() && self.running.is_empty() {
            // Whatever is left waits for itself, in a circle; somebody has to begin.
            let first = self.items.iter().position(|item| item.state == State::Waiting)?;
            self.add_ready(vec![first]);
        }
        let place = self.ready.iter().rposition(|n| self.running.iter().all(|other| !self.conflict(*n, *other)))?;
        let n = self.ready.remove(place);
        self.items[n].state = State::Running;
        self.running.push(n);
        Some(n)
    }

    /// Of the items that are running, the one that is most work.
    pub(super) fn largest_running(&self) -> Option<&Item> {
        self.running.iter().map(|n| &self.items[*n]).max_by_key(|item| item.work)
    }

    /// Notes that an item has ended, well or not.
    pub(super) fn done(&mut self, n: usize) {
        self.running.retain(|other| *other != n);
        self.items[n].state = State::Done;
        let mut ready = Vec::new();
        let mut then = std::mem::take(&mut self.items[n].then);
        if self.rows.remove(&n) && self.rows.is_empty() {
            then.append(&mut self.after_rows);
        }
        for then in then {
            let item = &mut self.items[then];
            item.waits_for = item.waits_for.saturating_sub(1);
            if item.waits_for == 0 && item.state == State::Waiting {
                ready.push(then);
            }
        }
        self.add_ready(ready);
    }

    fn add_ready(&mut self, more: Vec<usize>) {
        for n in more {
            // Of equals, the one that comes first in the archive is the last here.
            let key = |n: usize| (self.items[n].work, std::cmp::Reverse(n));
            let place = self.ready.partition_point(|other| key(*other) < key(n));
            self.ready.insert(place, n);
        }
    }

    /// Whether two items would wait for each other's locks.
    fn conflict(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.items[a], &self.items[b]);
        (a.lock == Lock::Exclusive || b.lock == Lock::Exclusive) && !a.tables.is_disjoint(&b.tables)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// An entry by its number, kind, section, and what it depends on.
    fn entry(id: i32, desc: &str, section: Section, on: &[i32]) -> Entry {
        Entry {
            section,
            dependencies: on.iter().map(|id| DumpId(*id)).collect(),
            has_data: desc == "TABLE DATA",
            ..Entry::new(DumpId(id), desc)
        }
    }

    fn step(entry: usize) -> Step {
        Step { entry, action: super::super::super::plan::Action::Define(Some("SELECT 1;".into())) }
    }

    /// Two tables with rows, few and many, a primary key and an index on each, and a foreign key between them.
    fn archive() -> Vec<Entry> {
        vec![
            entry(1, "TABLE", Section::PreData, &[]),
            entry(2, "TABLE", Section::PreData, &[]),
            entry(3, "TABLE DATA", Section::Data, &[1]),
            entry(4, "TABLE DATA", Section::Data, &[2]),
            entry(5, "CONSTRAINT", Section::PostData, &[1]),
            entry(6, "CONSTRAINT", Section::PostData, &[2]),
            entry(7, "INDEX", Section::PostData, &[2]),
            entry(8, "INDEX", Section::PostData, &[2]),
            entry(9, "FK CONSTRAINT", Section::PostData, &[1, 6]),
            entry(10, "COMMENT", Section::None, &[7]),
        ]
    }

    fn schedule() -> Schedule {
        let entries = archive();
        let work = |at: usize| [0, 0, 10, 1000, 2, 250, 250, 250, 2, 0][at];
        let steps: Vec<Step> = (0..entries.len()).map(step).collect();
        Schedule::new(&entries, &steps, (2..entries.len()).map(|n| n..n + 1).collect(), work)
    }

    /// The entries that begin now.
    fn begin(schedule: &mut Schedule) -> Vec<i32> {
        let mut begun = Vec::new();
        while let Some(n) = schedule.next() {
            begun.push(i32::try_from(schedule.item(n).entry).unwrap() + 1);
        }
        begun
    }

    fn end(schedule: &mut Schedule, id: i32) {
        let n = schedule.items.iter().position(|item| item.entry + 1 == usize::try_from(id).unwrap()).unwrap();
        schedule.done(n);
    }

    #[test]
    fn only_what_comes_with_or_after_the_data_is_apart() {
        let mut entries = archive();
        entries.push(entry(11, "COMMENT", Section::None, &[1]));
        entries.push(entry(12, "ACL", Section::None, &[3]));
        entries.push(entry(13, "FUNCTION", Section::PreData, &[5]));
        entries.push(entry(14, "AGGREGATE", Section::PreData, &[13]));
        let all = vec![Chosen { definition: true, data: true, ..Chosen::default() }; entries.len()];
        let apart = apart(&entries, &all);
        let ids: Vec<usize> = (0..entries.len()).filter(|n| apart[*n]).map(|n| n + 1).collect();
        assert_eq!(ids, [3, 4, 5, 6, 7, 8, 9, 10, 13, 14]);
    }

    #[test]
    fn rows_come_before_what_is_made_on_their_table_and_the_largest_first() {
        let mut schedule = schedule();
        assert_eq!(begin(&mut schedule), [4, 3]);
        assert_eq!(schedule.largest_running().unwrap().entry + 1, 4);
        end(&mut schedule, 3);
        assert_eq!(begin(&mut schedule), [5]);
        end(&mut schedule, 4);
        // A constraint and an index on one table would wait for each other, two indexes do not.
        let begun = begin(&mut schedule);
        assert_eq!(begun, [6]);
        end(&mut schedule, 6);
        assert_eq!(begin(&mut schedule), [7, 8]);
        end(&mut schedule, 5);
        // The foreign key locks both tables.
        assert_eq!(begin(&mut schedule), Vec::<i32>::new());
        end(&mut schedule, 7);
        end(&mut schedule, 8);
        assert_eq!(begin(&mut schedule), [9]);
        end(&mut schedule, 9);
        assert_eq!(begin(&mut schedule), [10]);
        end(&mut schedule, 10);
        assert_eq!(schedule.next(), None);
        assert_eq!(schedule.running(), 0);
    }

    fn named(entry: Entry, tag: &str, definition: &str) -> Entry {
        Entry { tag: Some(tag.into()), definition: Some(definition.into()), ..entry }
    }

    /// A schedule of all that does not come before the data.
    fn schedule_of(entries: &[Entry]) -> Schedule {
        let steps: Vec<Step> = (0..entries.len()).map(step).collect();
        let late = (0..entries.len()).filter(|n| entries[*n].section != Section::PreData);
        Schedule::new(entries, &steps, late.map(|n| n..n + 1).collect(), |_| 0)
    }

    #[test]
    fn trigger_of_a_partition_is_switched_when_its_parents_was_made() {
        let disable = "ALTER TABLE \"a part\" DISABLE TRIGGER t;\n";
        let mut schedule = schedule_of(&[
            named(entry(1, "TABLE", Section::PreData, &[]), "a part", ""),
            named(entry(2, "TABLE", Section::PreData, &[]), "whole", ""),
            named(entry(3, "TRIGGER", Section::PostData, &[1]), "a part t", disable),
            named(entry(4, "TRIGGER", Section::PostData, &[2]), "whole t", "CREATE TRIGGER t …"),
            named(entry(5, "TRIGGER", Section::PostData, &[1]), "a part own", "CREATE TRIGGER own …"),
        ]);
        assert_eq!(begin(&mut schedule), [4, 5]);
        end(&mut schedule, 4);
        assert_eq!(begin(&mut schedule), Vec::<i32>::new());
        end(&mut schedule, 5);
        assert_eq!(begin(&mut schedule), [3]);
    }

    #[test]
    fn rows_come_before_what_would_hold_for_them_though_they_are_of_another_table() {
        let archive = |data: &str| {
            vec![
                named(entry(1, "TABLE", Section::PreData, &[]), "whole", ""),
                named(entry(2, "TABLE", Section::PreData, &[]), "part", ""),
                named(entry(3, "TABLE", Section::PreData, &[2]), "child of part", ""),
                named(entry(4, "TABLE ATTACH", Section::PreData, &[1, 2]), "part", ""),
                entry(5, "DOMAIN", Section::PreData, &[]),
                named(entry(6, "TABLE DATA", Section::Data, &[3]), "child of part", data),
                named(entry(7, "TABLE DATA", Section::Data, &[2]), "part", data),
                named(entry(8, "CONSTRAINT", Section::PostData, &[1]), "key", "ALTER TABLE ONLY whole ADD …"),
                named(entry(9, "TRIGGER", Section::PostData, &[1]), "whole t", "CREATE TRIGGER t …"),
                named(entry(10, "CHECK CONSTRAINT", Section::PostData, &[5]), "c", "ALTER DOMAIN d ADD …"),
                named(entry(11, "TRIGGER", Section::PostData, &[2]), "part u", "CREATE TRIGGER u …"),
            ]
        };
        let mut schedule = schedule_of(&archive(""));
        assert_eq!(begin(&mut schedule), [6, 7, 8]);
        end(&mut schedule, 8);
        end(&mut schedule, 7);
        assert_eq!(begin(&mut schedule), Vec::<i32>::new());
        end(&mut schedule, 6);
        assert_eq!(begin(&mut schedule), [9, 10, 11]);

        // These rows may go into any partition.
        let mut schedule = schedule_of(&archive("-- load via partition root whole"));
        assert_eq!(begin(&mut schedule), [6, 7, 8]);
        end(&mut schedule, 8);
        end(&mut schedule, 6);
        assert_eq!(begin(&mut schedule), Vec::<i32>::new());
        end(&mut schedule, 7);
        assert_eq!(begin(&mut schedule), [9, 10, 11]);
    }

    #[test]
    fn circle_is_broken_at_its_first_item() {
        let entries = vec![
            entry(1, "CONSTRAINT", Section::PostData, &[2]),
            entry(2, "CONSTRAINT", Section::PostData, &[1]),
            entry(3, "CONSTRAINT", Section::PostData, &[3]),
        ];
        let steps: Vec<Step> = (0..3).map(step).collect();
        let mut schedule = Schedule::new(&entries, &steps, (0..3).map(|n| n..n + 1).collect(), |_| 0);
        assert_eq!(begin(&mut schedule), [3]);
        end(&mut schedule, 3);
        assert_eq!(begin(&mut schedule), [1]);
        end(&mut schedule, 1);
        assert_eq!(begin(&mut schedule), [2]);
        end(&mut schedule, 2);
        assert_eq!(schedule.next(), None);
    }
}
