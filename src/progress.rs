//! What the engine says while it works, and by what its caller can end it. The engine only reports; how it looks is the
//! caller's business.

use std::cell::Cell;

use pgformat::Entry;

use crate::cancellation::Cancellation;
use crate::entry_event::EntryEvent;
use crate::wire::Notice;
use crate::words::Words;

/// How much a [`Message`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// For someone who looks for a fault.
    Debug,
    /// What is being done.
    Info,
    /// Worth a look; the work goes on.
    Warning,
    /// A part of the work failed; the rest goes on.
    Error,
}

/// Something said about a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// How much it matters.
    pub level: Level,
    /// What it is about: an entry, a file, a connection.
    pub subject: Words,
    /// What is said about it, on one line.
    pub text: Words,
}

impl Message {
    /// Something said about a subject.
    pub fn new(level: Level, subject: impl Into<Words>, text: impl Into<Words>) -> Self {
        Self { level, subject: subject.into(), text: text.into() }
    }

    /// Something that is worth a look.
    pub fn warning(subject: impl Into<Words>, text: impl Into<Words>) -> Self {
        Self::new(Level::Warning, subject, text)
    }
}

/// What the work of a phase is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes of data.
    Bytes,
    /// Things that are done one after the other.
    Steps,
}

/// How many units a phase has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Total {
    /// That is seen at its end.
    Unknown,
    /// So many, perhaps more or fewer.
    About(u64),
    /// So many, and no other number, if the phase comes to its end.
    Exactly(u64),
}

/// A phase of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phase<'a> {
    /// What is done.
    pub name: &'a str,
    /// What its work is counted in.
    pub unit: Unit,
    /// How many of these there are.
    pub total: Total,
    /// The work that is not counted in units but takes its time, as so many of them: a statement that makes an index,
    /// in a phase of bytes.
    pub besides: u64,
}

impl<'a> Phase<'a> {
    /// A phase that is counted in `unit`; nobody knows how long it is.
    pub fn new(name: &'a str, unit: Unit) -> Self {
        Self { name, unit, total: Total::Unknown, besides: 0 }
    }

    /// The same with so many units, no more and no fewer.
    #[must_use]
    pub fn of(self, total: u64) -> Self {
        Self { total: Total::Exactly(total), ..self }
    }

    /// The same with about so many units.
    #[must_use]
    pub fn of_about(self, total: u64) -> Self {
        Self { total: Total::About(total), ..self }
    }

    /// The same with work besides, which takes as long as so many units.
    #[must_use]
    pub fn besides(self, besides: u64) -> Self {
        Self { besides, ..self }
    }
}

/// Takes what the engine reports. Called from several threads; a phase begins when those of the one before have ended.
pub trait Reporter: Send + Sync {
    /// Takes a message.
    fn message(&self, message: Message);
    /// A phase of the work begins.
    fn phase(&self, _: Phase<'_>) {}
    /// So many more units of the phase are done. Called for every piece of data that is read.
    fn advance(&self, _: u64) {}
    /// Of the phase's work besides, so much is done.
    fn beside(&self, _: u64) {}
    /// Of a phase whose total was known about: it is about this, as is seen now.
    fn expect(&self, _: u64) {}
    /// What is being worked on just now, for a person who watches.
    fn current(&self, _: &str) {}
    /// What happens to an entry of an archive that is restored. Whoever has words of his own for it says so, and is not told it
    /// as a message then.
    fn entry(&self, _: &Entry, _: &EntryEvent<'_>) -> bool {
        false
    }
    /// What a server has to say of a restore's statements, other than errors; as [`Reporter::entry`].
    fn notice(&self, _: &Notice) -> bool {
        false
    }
    /// By what the work can be ended from elsewhere. Without it, by nobody.
    fn cancellation(&self) -> &Cancellation {
        Cancellation::never()
    }
}

/// Takes everything and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn message(&self, _: Message) {}
}

/// Says nothing, and can end the work.
impl Reporter for Cancellation {
    fn message(&self, _: Message) {}

    fn cancellation(&self) -> &Cancellation {
        self
    }
}

/// The part that one thing has in a phase. Whatever is told of it, it counts for what it was said to be: no more on the way,
/// and no less in the end.
pub struct Part<'a> {
    reporter: &'a dyn Reporter,
    /// What is left of its units, if their number is known.
    left: Cell<Option<u64>>,
    besides: Cell<u64>,
}

impl<'a> Part<'a> {
    /// A part of so many units, or of an unknown number of them, and so much work besides.
    pub fn new(reporter: &'a dyn Reporter, units: Option<u64>, besides: u64) -> Self {
        Self { reporter, left: Cell::new(units), besides: Cell::new(besides) }
    }

    /// So many more units are done.
    pub fn advance(&self, amount: u64) {
        let amount = self.left.get().map_or(amount, |left| amount.min(left));
        self.left.set(self.left.get().map(|left| left - amount));
        if amount > 0 {
            self.reporter.advance(amount);
        }
    }

    /// So much of the work besides is done.
    pub fn beside(&self, amount: u64) {
        let amount = amount.min(self.besides.get());
        self.besides.set(self.besides.get() - amount);
        if amount > 0 {
            self.reporter.beside(amount);
        }
    }

    /// It is over, whether it was done or left out.
    pub fn end(self) {
        self.advance(self.left.get().unwrap_or(0));
        self.beside(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[derive(Default)]
    struct Sums(AtomicU64, AtomicU64);

    impl Reporter for Sums {
        fn message(&self, _: Message) {}
        fn advance(&self, amount: u64) {
            self.0.fetch_add(amount, Ordering::Relaxed);
        }
        fn beside(&self, amount: u64) {
            self.1.fetch_add(amount, Ordering::Relaxed);
        }
    }

    impl Sums {
        fn get(&self) -> (u64, u64) {
            (self.0.load(Ordering::Relaxed), self.1.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn part_counts_for_what_it_was_said_to_be() {
        let sums = Sums::default();
        let part = Part::new(&sums, Some(100), 10);
        part.advance(60);
        part.beside(4);
        assert_eq!(sums.get(), (60, 4));
        part.advance(60);
        part.beside(60);
        assert_eq!(sums.get(), (100, 10));
        part.end();
        assert_eq!(sums.get(), (100, 10));
        Part::new(&sums, Some(1), 1).end();
        assert_eq!(sums.get(), (101, 11));
    }

    #[test]
    fn part_of_unknown_size_counts_for_what_is_told() {
        let sums = Sums::default();
        let part = Part::new(&sums, None, 0);
        part.advance(60);
        part.advance(60);
        part.end();
        assert_eq!(sums.get(), (120, 0));
    }
}
