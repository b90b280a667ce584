//! What a restore is to do: the same for all its connections, and never changed.

use pgformat::Entry;

use crate::EntryEvent;
use crate::postgres::archive::{EntryIndex, EntryName};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::cost::Cost;
use crate::postgres::restore::plan::{Plan, Step};
use crate::progress::{Level, Message, Part, Reporter};
use crate::words::Words;

/// A plan with all that it was made from, and whoever is told how far it has come.
pub struct Job<'a> {
    pub plan: &'a Plan,
    pub entries: &'a [Entry],
    pub options: &'a RestoreOptions,
    pub reporter: &'a dyn Reporter,
    pub cost: &'a Cost,
    /// The major version of the server whose database the archive is of; 0 if that is not known.
    pub made_by: i32,
}

impl<'a> Job<'a> {
    pub fn name(&self, at: EntryIndex) -> EntryName {
        EntryName::of(&self.entries[at])
    }

    pub fn say(&self, level: Level, at: EntryIndex, text: impl Into<Words>) {
        self.message(level, self.name(at).to_string(), text);
    }

    pub fn message(&self, level: Level, subject: impl Into<Words>, text: impl Into<Words>) {
        self.reporter.message(Message::new(level, subject, text));
    }

    /// Tells what happens to an entry; whether whoever is told has words of his own for it.
    pub fn tell(&self, at: EntryIndex, event: &EntryEvent<'_>) -> bool {
        self.reporter.entry(&self.entries[at], event)
    }

    pub fn current(&self, at: EntryIndex) {
        self.reporter.current(&self.name(at).to_string());
    }

    /// The part that a step has in what is to be done.
    pub fn part(&self, step: &Step) -> Part<'a> {
        self.cost.part(self.entries, step, self.reporter)
    }

    /// The entries that one depends on, as far as the archive has them.
    pub fn on(&self, at: EntryIndex) -> impl Iterator<Item = EntryIndex> + use<'a> {
        let plan = self.plan;
        self.entries[at].dependencies.iter().filter_map(|id| plan.places.get(id).copied())
    }
}
