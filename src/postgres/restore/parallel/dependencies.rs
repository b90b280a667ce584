//! What has to be there before an entry can be restored: what the archive says that it depends on, and what it does not say.

use std::collections::{HashMap, HashSet};

use bstr::ByteSlice;
use pgformat::kinds::EntryGroup;
use pgformat::{DumpId, Entry, Section};

use crate::postgres::archive::kinds::VIA_ROOT;
use crate::postgres::archive::{EntryIndex, kinds, select, text};
use crate::postgres::restore::parallel::ItemIndex;

/// What items wait for, by their numbers.
pub(super) struct Dependencies<'a> {
    entries: &'a [Entry],
    items: &'a [EntryIndex],
    places: HashMap<DumpId, EntryIndex>,
    item_of: HashMap<EntryIndex, ItemIndex>,
    rows_of: HashMap<EntryIndex, Vec<ItemIndex>>,
    /// Items with rows that go into a partitioned table, and from there into any of its partitions.
    through_root: Vec<ItemIndex>,
    /// The partitions and children of a table.
    below: HashMap<EntryIndex, Vec<EntryIndex>>,
    triggers: HashMap<&'a [u8], Vec<ItemIndex>>,
}

/// What one item waits for.
#[derive(Debug, Default)]
pub(super) struct WaitsFor {
    pub items: HashSet<ItemIndex>,
    pub all_rows: bool,
}

impl<'a> Dependencies<'a> {
    pub(super) fn new(entries: &'a [Entry], items: &'a [EntryIndex]) -> Self {
        let mut found = Self {
            entries,
            items,
            places: select::places(entries),
            item_of: ItemIndex::enumerate(items).map(|(n, entry)| (*entry, n)).collect(),
            rows_of: HashMap::new(),
            through_root: Vec::new(),
            below: HashMap::new(),
            triggers: HashMap::new(),
        };
        for (at, entry) in EntryIndex::enumerate(entries) {
            let is_child =
                |table: &EntryIndex| entries[*table].tag == entry.tag && entries[*table].schema == entry.schema;
            let tables: Vec<EntryIndex> = found.on(entry).filter(|on| found.is_relation(*on)).collect();
            let (below, above) = match () {
                () if kinds::is(entry, "TABLE ATTACH") => tables.into_iter().partition(is_child),
                () if found.is_relation(at) => (vec![at], tables),
                () => continue,
            };
            for table in above {
                found.below.entry(table).or_default().extend(&below);
            }
        }
        for (n, at) in ItemIndex::enumerate(items) {
            let entry = &entries[*at];
            if found.is_rows(n) {
                let tables: Vec<EntryIndex> = found.on(entry).collect();
                tables.into_iter().for_each(|table| found.rows_of.entry(table).or_default().push(n));
                if text(&entry.definition).starts_with(VIA_ROOT) {
                    found.through_root.push(n);
                }
            } else if let Some(name) = found.trigger(entry).filter(|_| text(&entry.definition).starts_with(b"CREATE "))
            {
                found.triggers.entry(name).or_default().push(n);
            }
        }
        found
    }

    pub(super) fn is_rows(&self, n: ItemIndex) -> bool {
        kinds::is(&self.entries[self.items[n]], "TABLE DATA")
    }

    fn is_relation(&self, at: EntryIndex) -> bool {
        kinds::group(&self.entries[at]) == EntryGroup::Relation
    }

    /// The entries that an entry says that it depends on.
    fn on(&self, entry: &'a Entry) -> impl Iterator<Item = EntryIndex> + use<'_, 'a> {
        entry.dependencies.iter().filter_map(|id| self.places.get(id).copied())
    }

    /// The tables that an item says that it depends on.
    pub(super) fn tables(&self, n: ItemIndex) -> impl Iterator<Item = EntryIndex> + use<'_, 'a> {
        self.on(&self.entries[self.items[n]]).filter(|at| self.is_relation(*at))
    }

    /// The items that an item says that it depends on.
    pub(super) fn said(&self, n: ItemIndex) -> impl Iterator<Item = ItemIndex> + use<'_, 'a> {
        let items = self.on(&self.entries[self.items[n]]).filter_map(|at| self.item_of.get(&at).copied());
        items.filter(move |other| *other != n)
    }

    /// A trigger's name, without that of its table.
    fn trigger(&self, entry: &'a Entry) -> Option<&'a [u8]> {
        let table = Some(entry).filter(|entry| kinds::is(entry, "TRIGGER"))?;
        let table = self.on(table).find(|at| self.is_relation(*at))?;
        text(&entry.tag).strip_prefix(text(&self.entries[table].tag).as_bytes())?.strip_prefix(b" ")
    }

    pub(super) fn of(&self, n: ItemIndex) -> WaitsFor {
        let entry = &self.entries[self.items[n]];
        let mut waits = WaitsFor { items: self.said(n).collect(), all_rows: false };
        if entry.section == Section::Data {
            return waits;
        }
        let definition = text(&entry.definition);
        // A constraint of a domain that older rows need not meet.
        waits.all_rows = definition.starts_with(b"ALTER DOMAIN ");
        // What needs a table needs its rows once there are any. What is made for the tables below it too, a trigger or a
        // constraint that older rows need not meet, would hold for rows that come later there, and change or refuse them.
        let is_alone = kinds::is(entry, "INDEX")
            || (kinds::is(entry, "CONSTRAINT") && definition.starts_with(b"ALTER TABLE ONLY "));
        let mut tables: Vec<EntryIndex> = self.tables(n).collect();
        let mut seen: HashSet<EntryIndex> = tables.iter().copied().collect();
        while let Some(table) = tables.pop() {
            waits.items.extend(self.rows_of.get(&table).into_iter().flatten());
            if !is_alone {
                let below = self.below.get(&table).into_iter().flatten();
                tables.extend(below.filter(|below| seen.insert(**below)));
            }
        }
        if !is_alone && !seen.is_empty() && !self.through_root.is_empty() {
            waits.all_rows = true;
        }
        // A trigger that a partition has from its parent is only switched on or off there, with no word of the parent's.
        if let Some(name) = self.trigger(entry).filter(|_| !definition.starts_with(b"CREATE ")) {
            waits.items.extend(self.triggers.get(name).into_iter().flatten());
        }
        waits.items.remove(&n);
        waits
    }
}
