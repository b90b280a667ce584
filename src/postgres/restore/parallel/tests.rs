//! What a schedule lets begin, and when.

use pgformat::{DumpId, Entry, Section};

use crate::postgres::archive::{Chosen, EntryIndex};
use crate::postgres::restore::parallel::schedule::Schedule;
use crate::postgres::restore::parallel::{Item, ItemIndex};
use crate::postgres::restore::plan::entries_apart;
use crate::postgres::restore::plan::{Action, Step};

/// An entry by its number, kind, section, and what it depends on.
fn entry(id: i32, desc: &str, section: Section, on: &[i32]) -> Entry {
    Entry::new(DumpId(id), desc)
        .section(section)
        .dependencies(on.iter().map(|id| DumpId(*id)).collect())
        .has_data(desc == "TABLE DATA")
}

/// A step for each entry.
fn steps(entries: &[Entry]) -> Vec<Step> {
    let step = |(entry, _)| Step { entry, action: Action::Define(Some("SELECT 1;".into())) };
    EntryIndex::enumerate(entries).map(step).collect()
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
    let cost = |at: EntryIndex| [0, 0, 10, 1000, 2, 250, 250, 250, 2, 0][at.get()];
    Schedule::new(&entries, &steps(&entries), (2..entries.len()).map(|n| n..n + 1).collect(), cost)
}

/// The entries that begin now.
fn begin(schedule: &mut Schedule) -> Vec<i32> {
    let mut begun = Vec::new();
    while let Some(n) = schedule.next() {
        begun.push(i32::try_from(schedule.item(n).entry.get()).unwrap() + 1);
    }
    begun
}

fn end(schedule: &mut Schedule, id: i32) {
    let is_it = |item: &Item| item.entry.get() + 1 == usize::try_from(id).unwrap();
    let (n, _) = ItemIndex::enumerate(&schedule.items).find(|(_, item)| is_it(item)).unwrap();
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
    let apart = entries_apart(&entries, &all);
    let ids: Vec<usize> = (0..entries.len()).filter(|n| apart[*n]).map(|n| n + 1).collect();
    assert_eq!(ids, [3, 4, 5, 6, 7, 8, 9, 10, 13, 14]);
}

#[test]
fn rows_come_before_what_is_made_on_their_table_and_the_largest_first() {
    let mut schedule = schedule();
    assert_eq!(begin(&mut schedule), [4, 3]);
    assert_eq!(schedule.largest_running().unwrap().entry.get() + 1, 4);
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
    entry.tag(tag).definition(definition)
}

/// A schedule of all that does not come before the data.
fn schedule_of(entries: &[Entry]) -> Schedule {
    let late = (0..entries.len()).filter(|n| entries[*n].section != Section::PreData);
    Schedule::new(entries, &steps(entries), late.map(|n| n..n + 1).collect(), |_| 0)
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
    let mut schedule = Schedule::new(&entries, &steps(&entries), (0..3).map(|n| n..n + 1).collect(), |_| 0);
    assert_eq!(begin(&mut schedule), [3]);
    end(&mut schedule, 3);
    assert_eq!(begin(&mut schedule), [1]);
    end(&mut schedule, 1);
    assert_eq!(begin(&mut schedule), [2]);
    end(&mut schedule, 2);
    assert_eq!(schedule.next(), None);
}
