//! In which order the parts of a plan are restored beside each other. Nothing here talks to a server.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use pgformat::Entry;
use pgformat::kinds::RestorePass;

use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::parallel::dependencies::Dependencies;
use crate::postgres::restore::parallel::{Item, ItemIndex, Lock, Progress};
use crate::postgres::restore::plan::{Plan, Step};

/// The steps of a pass: what is carried out in order, statements that follow each other together, and what may be carried out
/// beside others, entry by entry.
pub fn parts(plan: &Plan, entries: &[Entry], pass: RestorePass) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut in_order, mut beside): (Vec<Range<usize>>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    let mut begin = 0;
    for steps in plan.steps.chunk_by(|a, b| a.entry == b.entry) {
        let part = begin..begin + steps.len();
        begin = part.end;
        let at = steps[0].entry;
        if kinds::pass(&entries[at]) != pass {
            continue;
        }
        match in_order.last_mut() {
            _ if plan.is_apart(at) => beside.push(part),
            Some(last) if last.end == part.start => last.end = part.end,
            _ => in_order.push(part),
        }
    }
    (in_order, beside)
}

/// Items, some of which are running.
#[derive(Debug)]
pub struct Schedule {
    pub(super) items: Vec<Item>,
    /// Items that are rows of tables, and are not there yet.
    rows: HashSet<ItemIndex>,
    /// The items that wait until there are none of these.
    after_rows: Vec<ItemIndex>,
    /// Items that wait for nothing, the largest last.
    ready: Vec<ItemIndex>,
    running: Vec<ItemIndex>,
}

impl Schedule {
    /// A schedule of these parts of a plan's steps, each about one entry. `cost` says how much there is to do for one.
    pub fn new(entries: &[Entry], steps: &[Step], parts: Vec<Range<usize>>, cost: impl Fn(EntryIndex) -> u64) -> Self {
        let item = |part: Range<usize>| {
            let entry = steps[part.start].entry;
            let lock = if kinds::is(&entries[entry], "INDEX") { Lock::Shared } else { Lock::Exclusive };
            Item {
                entry,
                steps: part,
                then: Vec::new(),
                waits_for: 0,
                tables: HashSet::new(),
                lock,
                cost: cost(entry),
                progress: Progress::Waiting,
            }
        };
        let items = parts.into_iter().map(item).collect();
        let (rows, after_rows) = (HashSet::new(), Vec::new());
        let mut schedule = Self { items, rows, after_rows, ready: Vec::new(), running: Vec::new() };
        schedule.connect(entries);
        let is_ready = |n: &ItemIndex| schedule.items[..][*n].waits_for == 0;
        let ready: Vec<ItemIndex> = ItemIndex::all(schedule.items.len()).filter(is_ready).collect();
        schedule.add_ready(ready);
        schedule
    }

    /// Finds out which items wait for which, and which tables each is about.
    fn connect(&mut self, entries: &[Entry]) {
        let items = self.items.as_mut_slice();
        let of_items: Vec<EntryIndex> = items.iter().map(|item| item.entry).collect();
        let dependencies = Dependencies::new(entries, &of_items);
        self.rows = ItemIndex::all(items.len()).filter(|n| dependencies.is_rows(*n)).collect();
        for n in ItemIndex::all(items.len()) {
            let mut tables: HashSet<EntryIndex> = dependencies.tables(n).collect();
            dependencies.said(n).for_each(|other| tables.extend(&items[other].tables));
            items[n].tables = tables;
            let mut waits = dependencies.of(n);
            if waits.all_rows && !self.rows.is_empty() {
                waits.items.retain(|other| !self.rows.contains(other));
                items[n].waits_for += 1;
                self.after_rows.push(n);
            }
            items[n].waits_for += waits.items.len();
            waits.items.into_iter().for_each(|other| items[other].then.push(n));
        }
    }

    pub fn item(&self, n: ItemIndex) -> &Item {
        &self.items[..][n]
    }

    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// The largest item that can run beside those that do; it is running then. `None` if there is none at the moment.
    pub fn next(&mut self) -> Option<ItemIndex> {
        if self.ready.is_empty() && self.running.is_empty() {
            // Whatever is left waits for itself, in a circle; somebody has to begin.
            let (first, _) = ItemIndex::enumerate(&self.items).find(|(_, item)| item.progress == Progress::Waiting)?;
            self.add_ready(vec![first]);
        }
        let can_run = |n: &ItemIndex| self.running.iter().all(|other| !self.item(*n).conflicts_with(self.item(*other)));
        let place = self.ready.iter().rposition(can_run)?;
        let n = self.ready.remove(place);
        self.items[..][n].progress = Progress::Running;
        self.running.push(n);
        Some(n)
    }

    pub fn largest_running(&self) -> Option<&Item> {
        self.running.iter().map(|n| self.item(*n)).max_by_key(|item| item.cost)
    }

    /// Notes that an item has ended, well or not.
    pub fn done(&mut self, n: ItemIndex) {
        self.running.retain(|other| *other != n);
        let ended = &mut self.items[..][n];
        ended.progress = Progress::Done;
        let mut then = std::mem::take(&mut ended.then);
        if self.rows.remove(&n) && self.rows.is_empty() {
            then.append(&mut self.after_rows);
        }
        let mut ready = Vec::new();
        for then in then {
            let item = &mut self.items[..][then];
            item.waits_for = item.waits_for.saturating_sub(1);
            if item.waits_for == 0 && item.progress == Progress::Waiting {
                ready.push(then);
            }
        }
        self.add_ready(ready);
    }

    fn add_ready(&mut self, more: Vec<ItemIndex>) {
        for n in more {
            // Of equals, the one that comes first in the archive is the last here.
            let key = |n: ItemIndex| (self.item(n).cost, Reverse(n));
            let place = self.ready.partition_point(|other| key(*other) < key(n));
            self.ready.insert(place, n);
        }
    }
}
