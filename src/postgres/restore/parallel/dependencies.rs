//! What has to be there before an entry can be restored: what the archive says that it depends on, and what it does not say.

use std::collections::{HashMap, HashSet};

use bstr::ByteSlice;
use pgformat::kinds::Group;
use pgformat::{DumpId, Entry, Section};

use crate::postgres::archive::kinds::VIA_ROOT;
use crate::postgres::archive::kinds::{self, text};
use crate::postgres::archive::select;

/// What items wait for, by their numbers.
pub(super) struct Before<'a> {
    entries: &'a [Entry],
    /// The entry of each item.
    items: &'a [usize],
    places: HashMap<DumpId, usize>,
    item_of: HashMap<usize, usize>,
    /// The items with the rows of a table.
    rows_of: HashMap<usize, Vec<usize>>,
    /// Items with rows that go into a partitioned table, and from there into any of its partitions.
    through_root: Vec<usize>,
    /// The partitions and children of a table.
    below: HashMap<usize, Vec<usize>>,
    /// The items that make triggers, by the triggers' names.
    triggers: HashMap<&'a [u8], Vec<usize>>,
}

/// What one item waits for.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// These items.
    pub items: HashSet<usize>,
    /// All rows that there are.
    pub all_rows: bool,
}

impl<'a> Before<'a> {
    /// For items that are about these entries.
    pub(super) fn new(entries: &'a [Entry], items: &'a [usize]) -> Self {
        let mut before = Self {
            entries,
            items,
            places: select::places(entries),
            item_of: items.iter().enumerate().map(|(n, entry)| (*entry, n)).collect(),
            rows_of: HashMap::new(),
            through_root: Vec::new(),
            below: HashMap::new(),
            triggers: HashMap::new(),
        };
        for (at, entry) in entries.iter().enumerate() {
            let is_child = |table: &usize| entries[*table].tag == entry.tag && entries[*table].schema == entry.schema;
            let tables: Vec<usize> = before.on(entry).filter(|on| before.is_relation(*on)).collect();
            let (below, above) = match () {
                () if kinds::is(entry, "TABLE ATTACH") => tables.into_iter().partition(is_child),
                () if before.is_relation(at) => (vec![at], tables),
                () => continue,
            };
            for table in above {
                before.below.entry(table).or_default().extend(&below);
            }
        }
        for (n, at) in items.iter().enumerate() {
            let entry = &entries[*at];
            if before.is_rows(n) {
                let tables: Vec<usize> = before.on(entry).collect();
                tables.into_iter().for_each(|table| before.rows_of.entry(table).or_default().push(n));
                if text(&entry.definition).starts_with(VIA_ROOT) {
                    before.through_root.push(n);
                }
            } else if let Some(name) = before.trigger(entry).filter(|_| text(&entry.definition).starts_with(b"CREATE "))
            {
                before.triggers.entry(name).or_default().push(n);
            }
        }
        before
    }

    /// Whether the item is rows of a table.
    pub(super) fn is_rows(&self, n: usize) -> bool {
        kinds::is(&self.entries[self.items[n]], "TABLE DATA")
    }

    fn is_relation(&self, at: usize) -> bool {
        kinds::group(&self.entries[at]) == Group::Relation
    }

    /// The entries that an entry says that it depends on.
    fn on(&self, entry: &'a Entry) -> impl Iterator<Item = usize> + use<'_, 'a> {
        entry.dependencies.iter().filter_map(|id| self.places.get(id).copied())
    }

    /// The tables that an item says that it depends on.
    pub(super) fn tables(&self, n: usize) -> impl Iterator<Item = usize> + use<'_, 'a> {
        self.on(&self.entries[self.items[n]]).filter(|at| self.is_relation(*at))
    }

    /// The items that an item says that it depends on.
    pub(super) fn said(&self, n: usize) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let items = self.on(&self.entries[self.items[n]]).filter_map(|at| self.item_of.get(&at).copied());
        items.filter(move |other| *other != n)
    }

    /// A trigger's name, without that of its table.
    fn trigger(&self, entry: &'a Entry) -> Option<&'a [u8]> {
        let table = Some(entry).filter(|entry| kinds::is(entry, "TRIGGER"))?;
        let table = self.on(table).find(|at| self.is_relation(*at))?;
        text(&entry.tag).strip_prefix(text(&self.entries[table].tag).as_bytes())?.strip_prefix(b" ")
    }

    /// What the item waits for.
    pub(super) fn needs(&self, n: usize) -> Needs {
        let entry = &self.entries[self.items[n]];
        let mut needs = Needs { items: self.said(n).collect(), all_rows: false };
        if entry.section == Section::Data {
            return needs;
        }
        let definition = text(&entry.definition);
        // A constraint of a domain that older rows need not meet.
        needs.all_rows = definition.starts_with(b"ALTER DOMAIN ");
        // What needs a table needs its rows once there are any. What is made for the tables below it too, a trigger or a
        // constraint that older rows need not meet, would hold for rows that come later there, and change or refuse them.
        let is_alone = kinds::is(entry, "INDEX")
            || (kinds::is(entry, "CONSTRAINT") && definition.starts_with(b"ALTER TABLE ONLY "));
        let mut tables: Vec<usize> = self.tables(n).collect();
        let mut seen: HashSet<usize> = tables.iter().copied().collect();
        while let Some(table) = tables.pop() {
            needs.items.extend(self.rows_of.get(&table).into_iter().flatten());
            if !is_alone {
                let below = self.below.get(&table).into_iter().flatten();
                tables.extend(below.filter(|below| seen.insert(**below)));
            }
        }
        if !is_alone && !seen.is_empty() && !self.through_root.is_empty() {
            needs.all_rows = true;
        }
        // A trigger that a partition has from its parent is only switched on or off there, with no word of the parent's.
        if let Some(name) = self.trigger(entry).filter(|_| !definition.starts_with(b"CREATE ")) {
            needs.items.extend(self.triggers.get(name).into_iter().flatten());
        }
        needs.items.remove(&n);
        needs
    }
}
