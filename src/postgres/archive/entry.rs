//! Which entry of an archive something is about: its place there, and its name in messages.

use std::fmt;
use std::ops::{Index, IndexMut};

use bstr::ByteSlice;
use pgformat::{DumpId, Entry};

use super::text;
use crate::printable;

/// The place of an entry among those of its archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryIndex(usize);

impl EntryIndex {
    /// Its number, from 0.
    pub fn get(self) -> usize {
        self.0
    }

    /// Of what there is for each entry, that for this one.
    pub fn of<T>(self, each: &[T]) -> Option<&T> {
        each.get(self.0)
    }

    /// The entries, each with its place.
    pub fn enumerate(entries: &[Entry]) -> impl DoubleEndedIterator<Item = (Self, &Entry)> {
        entries.iter().enumerate().map(|(at, entry)| (Self(at), entry))
    }

    /// The places of so many entries.
    pub fn all(count: usize) -> impl DoubleEndedIterator<Item = Self> {
        (0..count).map(Self)
    }

    /// The first entry that is such a one.
    pub fn find(entries: &[Entry], is_such: impl FnMut(&Entry) -> bool) -> Option<Self> {
        entries.iter().position(is_such).map(Self)
    }
}

/// Entries, or what there is for each of them.
impl<T> Index<EntryIndex> for [T] {
    type Output = T;

    fn index(&self, at: EntryIndex) -> &T {
        &self[at.0]
    }
}

impl<T> IndexMut<EntryIndex> for [T] {
    fn index_mut(&mut self, at: EntryIndex) -> &mut T {
        &mut self[at.0]
    }
}

/// Which entry something is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryName {
    /// Its number in the archive.
    pub dump_id: DumpId,
    /// Its kind.
    pub desc: String,
    /// Its schema, if it has one.
    pub schema: Option<String>,
    /// Its name.
    pub tag: String,
}

impl EntryName {
    /// The name of `entry`. What is not UTF-8 in it is replaced, and control characters are escaped.
    pub fn of(entry: &Entry) -> Self {
        Self {
            dump_id: entry.dump_id,
            desc: printable::name(text(&entry.desc)),
            schema: entry
                .schema
                .as_ref()
                .filter(|schema| !schema.is_empty())
                .map(|schema| printable::name(schema.as_bstr())),
            tag: printable::name(text(&entry.tag)),
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.desc)?;
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.tag)
    }
}
