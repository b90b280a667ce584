//! What the engine says while it works. The engine only reports; how it looks is the command line's business.

/// How much a [`Message`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
pub struct Message {
    /// How much it matters.
    pub level: Level,
    /// What it is about: an entry, a file, a connection.
    pub subject: String,
    /// What is said about it, on one line.
    pub text: String,
}

/// Takes what the engine reports. Called from several threads.
pub trait Reporter: Send + Sync {
    /// Takes a message.
    fn message(&self, message: Message);
    /// A phase of the work begins: what it is, and how many units it has (bytes, rows, entries), where that is known.
    fn phase(&self, name: &str, total: Option<u64>);
    /// `amount` more units of the current phase are done.
    fn advance(&self, amount: u64);
    /// What is being worked on just now, for a person who watches.
    fn current(&self, what: &str);
}

/// Takes everything and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn message(&self, _: Message) {}
    fn phase(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn current(&self, _: &str) {}
}
