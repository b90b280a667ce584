//! What is handed out to workers in a piece.

use std::collections::HashSet;
use std::ops::{Index, IndexMut, Range};

use crate::postgres::archive::EntryIndex;

/// The place of an item among those of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemIndex(usize);

impl ItemIndex {
    /// What there is for each item, with its place.
    pub fn enumerate<T>(each: &[T]) -> impl Iterator<Item = (Self, &T)> {
        each.iter().enumerate().map(|(n, of_item)| (Self(n), of_item))
    }

    pub fn all(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(Self)
    }
}

/// Items, or what there is for each of them.
impl<T> Index<ItemIndex> for [T] {
    type Output = T;

    fn index(&self, n: ItemIndex) -> &T {
        &self[n.0]
    }
}

impl<T> IndexMut<ItemIndex> for [T] {
    fn index_mut(&mut self, n: ItemIndex) -> &mut T {
        &mut self[n.0]
    }
}

/// How an entry locks the tables that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Others of this sort may lock the same table: they make indexes.
    Shared,
    Exclusive,
}

/// How far an item has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It waits, for others or for a worker.
    Waiting,
    Running,
    Done,
}

/// What is to be done for one entry.
#[derive(Debug, Clone)]
pub struct Item {
    pub entry: EntryIndex,
    pub steps: Range<usize>,
    /// The items that wait for this one.
    pub then: Vec<ItemIndex>,
    /// How many items this one waits for.
    pub waits_for: usize,
    pub tables: HashSet<EntryIndex>,
    pub lock: Lock,
    pub cost: u64,
    pub progress: Progress,
}

impl Item {
    /// Whether this one and another would wait for each other's locks.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        (self.lock == Lock::Exclusive || other.lock == Lock::Exclusive) && !self.tables.is_disjoint(&other.tables)
    }
}
