//! How much work a plan is, in bytes of the archive: for the order in which it is done, and for how far it has come.

use std::collections::{HashMap, HashSet};

use pgformat::kinds::EntryGroup;
use pgformat::{Entry, Section};

use crate::postgres::archive::{EntryIndex, kinds, select};
use crate::postgres::restore::plan::{Action, Plan, Step, large_objects};
use crate::progress::{Part, Phase, Reporter, Unit};

/// What a statement takes, whatever it does: about as long as so many bytes of rows.
const STATEMENT: u64 = 16 * 1024;
/// One of very many statements that are sent together.
pub const OF_MANY: u64 = 1024;
/// A statement that goes through rows once more takes this part of what it took to bring them in.
const AGAIN: u64 = 4;
/// From which work on somebody notices how long a statement takes.
const LONG: u64 = 256 * 1024;
/// What the text of a step takes in a script.
const TEXT: u64 = 128;

/// The work of a plan.
#[derive(Debug)]
pub struct Cost {
    data: Vec<Option<u64>>,
    /// The size of the rows that go through the hands of each entry's definition.
    rows: Vec<u64>,
    statement: u64,
}

impl Cost {
    /// The work on a server. `sizes` are those of the entries' data in the archive, where they are known.
    pub fn on_server(plan: &Plan, entries: &[Entry], sizes: Vec<Option<u64>>) -> Self {
        let rows = Rows::of(plan, entries, &sizes);
        let rows = EntryIndex::enumerate(entries).map(|(at, entry)| rows.behind(at, entry) / AGAIN).collect();
        Self { data: sizes, rows, statement: STATEMENT }
    }

    /// The work of writing a script, in which an index is some text.
    pub fn of_script(entries: &[Entry], sizes: Vec<Option<u64>>) -> Self {
        Self { data: sizes, rows: vec![0; entries.len()], statement: TEXT }
    }

    /// The work for the entry at this place, as far as it is known.
    pub fn of_entry(&self, at: EntryIndex) -> u64 {
        let data = at.of(&self.data).copied().flatten().unwrap_or(0);
        data.saturating_add(at.of(&self.rows).copied().unwrap_or(0))
    }

    /// Whether a step takes so long that others should not be held up by its answer.
    pub fn is_long(&self, step: &Step) -> bool {
        matches!(step.action, Action::Define(_)) && step.entry.of(&self.rows).is_some_and(|rows| *rows >= LONG)
    }

    /// The data that a step reads, and its work besides. The data is `None` where its size is not known.
    fn of_step(&self, entries: &[Entry], step: &Step) -> (Option<u64>, u64) {
        match &step.action {
            Action::CopyRows { .. } | Action::RunData { .. } | Action::LargeObjects { .. } => {
                (step.entry.of(&self.data).copied().flatten(), self.statement)
            }
            Action::Define(_) => {
                let rows = step.entry.of(&self.rows).copied().unwrap_or(0);
                (Some(0), rows.saturating_add(self.statement))
            }
            Action::EachLargeObject { oids_of, .. } => {
                let many = oids_of.of(entries).map_or(0, large_objects::count);
                (Some(0), many.saturating_mul(self.statement.min(OF_MANY)))
            }
            _ => (Some(0), self.statement),
        }
    }

    /// A phase that consists of these steps. Its total is known if the sizes of all data in it are.
    pub fn phase<'a>(&self, name: &'a str, entries: &[Entry], steps: &[Step]) -> Phase<'a> {
        let mut total = Some(0_u64);
        let mut besides = 0_u64;
        for step in steps {
            let (data, more) = self.of_step(entries, step);
            total = total.zip(data).map(|(total, data)| total.saturating_add(data));
            besides = besides.saturating_add(more);
        }
        let phase = Phase::new(name, Unit::Bytes).besides(besides);
        total.map_or(phase, |total| phase.of(total))
    }

    /// The part that a step has in the phase.
    pub fn part<'a>(&self, entries: &[Entry], step: &Step, reporter: &'a dyn Reporter) -> Part<'a> {
        let (data, besides) = self.of_step(entries, step);
        Part::new(reporter, data, besides)
    }
}

/// The rows that are in tables when something is made of them.
struct Rows<'a> {
    entries: &'a [Entry],
    places: HashMap<pgformat::DumpId, EntryIndex>,
    /// The rows of each relation that is known to have some.
    of_relation: HashMap<EntryIndex, u64>,
    /// The relations whose rows another one shows: the partitions of a table.
    parts: HashMap<EntryIndex, Vec<EntryIndex>>,
}

impl<'a> Rows<'a> {
    fn of(plan: &Plan, entries: &'a [Entry], sizes: &[Option<u64>]) -> Self {
        let places = select::places(entries);
        let mut rows = Self { entries, places, of_relation: HashMap::new(), parts: HashMap::new() };
        let is_wanted = |at: EntryIndex, what: fn(&select::Chosen) -> bool| at.of(&plan.wanted).is_some_and(what);
        for (at, entry) in EntryIndex::enumerate(entries) {
            if kinds::is(entry, "TABLE DATA") {
                let size = at.of(sizes).copied().flatten().unwrap_or(0);
                for table in rows.relations(entry) {
                    // A table that is made without its rows is empty; one that is there already has them.
                    if is_wanted(at, |wanted| wanted.data) || !is_wanted(table, |wanted| wanted.definition) {
                        let sum = rows.of_relation.entry(table).or_default();
                        *sum = sum.saturating_add(size);
                    }
                }
            } else if kinds::is(entry, "TABLE ATTACH")
                && let [parent, part, ..] = rows.relations(entry)[..]
            {
                rows.parts.entry(parent).or_default().push(part);
            }
        }
        rows
    }

    /// The relations that an entry depends on.
    fn relations(&self, entry: &Entry) -> Vec<EntryIndex> {
        let on = entry.dependencies.iter().filter_map(|id| self.places.get(id).copied());
        on.filter(|at| kinds::group(&self.entries[*at]) == EntryGroup::Relation).collect()
    }

    /// The size of the rows that the definition of the entry at `at` goes through: those of the table that is indexed or
    /// checked, and those that a materialized view is made of.
    fn behind(&self, at: EntryIndex, entry: &Entry) -> u64 {
        let goes_through = matches!(kinds::group(entry), EntryGroup::Index | EntryGroup::Constraint | EntryGroup::Data);
        if !goes_through || entry.section != Section::PostData {
            return 0;
        }
        let mut sum = 0_u64;
        let mut seen = HashSet::from([at]);
        let mut to_see = self.relations(entry);
        if kinds::group(entry) != EntryGroup::Data {
            // How much a materialized view has of what it is made of, nobody knows; often it is little.
            to_see.retain(|at| !kinds::is(&self.entries[*at], "MATERIALIZED VIEW"));
        }
        while let Some(relation) = to_see.pop() {
            if !seen.insert(relation) {
                continue;
            }
            match self.of_relation.get(&relation) {
                Some(size) => sum = sum.saturating_add(*size),
                // A view has the rows of what it is made of, and a partitioned table those of its partitions.
                None => match self.parts.get(&relation) {
                    Some(parts) => to_see.extend(parts),
                    None => to_see.extend(self.relations(&self.entries[relation])),
                },
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use pgformat::DumpId;

    use super::*;
    use crate::postgres::archive::Sections;
    use crate::postgres::restore::{Destination, RestoreOptions, plan};
    use crate::progress::{Silent, Total};

    const MIB: u64 = 1 << 20;

    fn entry(id: i32, desc: &str, on: &[i32]) -> Entry {
        let entry = Entry::new(DumpId(id), desc).tag(format!("{desc} {id}")).schema("public").definition("SELECT 1;");
        let entry = entry.dependencies(on.iter().map(|id| DumpId(*id)).collect());
        match desc {
            "TABLE DATA" => entry.has_data(true).copy_statement("COPY public.t FROM stdin;"),
            _ => entry,
        }
    }

    /// Two tables, a partitioned one of these two, a view of one of them, and what is made of their rows.
    fn archive() -> (Vec<Entry>, Vec<Option<u64>>) {
        let entries = vec![
            entry(1, "TABLE", &[]),
            entry(2, "TABLE", &[]),
            entry(3, "TABLE", &[]),
            entry(4, "TABLE ATTACH", &[3, 1]),
            entry(5, "TABLE ATTACH", &[3, 2]),
            entry(6, "VIEW", &[1]),
            entry(7, "MATERIALIZED VIEW", &[6]),
            entry(8, "TABLE DATA", &[1]),
            entry(9, "TABLE DATA", &[2]),
            entry(10, "INDEX", &[1]),
            entry(11, "FK CONSTRAINT", &[3, 10]),
            entry(12, "MATERIALIZED VIEW DATA", &[7]),
            entry(13, "INDEX", &[7]),
            entry(14, "TRIGGER", &[1]),
        ];
        let sizes = entries.iter().map(|entry| match entry.dump_id.0 {
            8 => Some(400 * MIB),
            9 => Some(MIB),
            _ => None,
        });
        (entries.clone(), sizes.collect())
    }

    /// The work for each entry that there is any for, the phase's total, and the work besides beyond that of each step.
    fn work(
        options: RestoreOptions,
        sizes: impl FnOnce(Vec<Option<u64>>) -> Vec<Option<u64>>,
    ) -> (Vec<(i32, u64)>, Total, u64) {
        let (entries, known) = archive();
        let options = RestoreOptions { clean: false, ..options };
        let plan = plan(&entries, (1, 16), &options, &Destination::NEWEST).unwrap();
        let work = Cost::on_server(&plan, &entries, sizes(known));
        let phase = work.phase("restore", &entries, &plan.steps);
        let of_entries = EntryIndex::enumerate(&entries).map(|(at, entry)| (entry.dump_id.0, work.of_entry(at)));
        let long: Vec<EntryIndex> =
            plan.steps.iter().filter(|step| work.is_long(step)).map(|step| step.entry).collect();
        assert!(long.iter().all(|at| work.of_entry(*at) >= LONG));
        let besides = phase.besides - plan.steps.len() as u64 * STATEMENT;
        (of_entries.filter(|(_, work)| *work > 0).collect(), phase.total, besides)
    }

    #[test]
    fn rows_count_once_more_for_what_goes_through_them() {
        let (of_entries, total, besides) = work(RestoreOptions::default(), |sizes| sizes);
        let again = [(10, 100 * MIB), (11, 401 * MIB / 4), (12, 100 * MIB)];
        assert_eq!(of_entries, [&[(8, 400 * MIB), (9, MIB)], &again[..]].concat());
        assert_eq!(total, Total::Exactly(401 * MIB));
        assert_eq!(besides, again.iter().map(|(_, work)| work).sum::<u64>());
    }

    #[test]
    fn tables_without_their_rows_are_empty() {
        let (of_entries, total, besides) = work(RestoreOptions { data: false, ..Default::default() }, |sizes| sizes);
        // The sizes of what is not wanted remain, for nobody.
        assert_eq!(of_entries, [(8, 400 * MIB), (9, MIB)]);
        assert_eq!((total, besides), (Total::Exactly(0), 0));
        // Where only the indexes are made, the rows are there.
        let sections = Sections { pre_data: false, data: false, post_data: true };
        let (of_entries, total, besides) = work(RestoreOptions { sections, ..Default::default() }, |sizes| sizes);
        assert!(of_entries.contains(&(10, 100 * MIB)), "{of_entries:?}");
        assert!(total == Total::Exactly(0) && besides > 300 * MIB, "{total:?}, {besides}");
    }

    #[test]
    fn total_is_not_known_if_the_size_of_something_wanted_is_not() {
        let without = |at: usize| {
            move |mut sizes: Vec<Option<u64>>| {
                sizes[at] = None;
                sizes
            }
        };
        assert_eq!(work(RestoreOptions::default(), without(8)).1, Total::Unknown);
        assert_eq!(work(RestoreOptions { data: false, ..Default::default() }, without(8)).1, Total::Exactly(0));
        assert_eq!(work(RestoreOptions::default(), without(0)).1, Total::Exactly(401 * MIB));
    }

    #[test]
    fn sizes_of_a_hostile_archive_are_not_too_large() {
        let (of_entries, total, _) = work(RestoreOptions::default(), |sizes| vec![Some(u64::MAX); sizes.len()]);
        assert_eq!((of_entries[0], total), ((1, u64::MAX), Total::Exactly(u64::MAX)));
    }

    #[test]
    fn script_is_mostly_its_rows() {
        let (entries, sizes) = archive();
        let plan = plan(&entries, (1, 16), &RestoreOptions::default(), &Destination::SCRIPT).unwrap();
        let work = Cost::of_script(&entries, sizes);
        let phase = work.phase("write", &entries, &plan.steps);
        assert_eq!((phase.total, phase.besides < 10_000), (Total::Exactly(401 * MIB), true));
        for step in &plan.steps {
            work.part(&entries, step, &Silent).end();
        }
    }
}
