//! What happens to the entries of an archive while it is restored, for callers who have words of their own for it. To all others it
//! is told in the engine's words, by messages.

use crate::wire::ServerError;

/// What is begun for an entry, or has failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum EntryEvent<'a> {
    /// Its object is dropped.
    Drops,
    /// Its object is made.
    Makes,
    /// A statement is run that stands for data: the value of a sequence, say.
    Runs,
    /// Rows are loaded.
    Loads,
    /// Large objects are written.
    LoadsLargeObjects,
    /// One of them is begun with.
    LoadsLargeObject(u32),
    /// So many of them were written.
    LoadedLargeObjects(u64),
    /// The restore goes on in the database that it has made.
    Connects,
    /// Its rows are left out, because their table could not be made.
    LeftOut,
    /// Something of it failed.
    Failed(EntryFailure<'a>),
}

/// What failed of an entry.
#[derive(Debug)]
#[non_exhaustive]
pub struct EntryFailure<'a> {
    /// What was being done.
    pub work: Work<'a>,
    /// The server's report, if it is the server that refused it.
    pub report: Option<&'a ServerError>,
    /// Why, in words, on one line.
    pub why: &'a str,
}

/// What is done for an entry, with the statement where it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work<'a> {
    /// A statement that the archive has, or that its data consists of.
    Statement(&'a [u8]),
    /// A definition, or what belongs to one.
    Definition(&'a [u8]),
    /// A setting for what follows.
    Setting(&'a [u8]),
    /// Rows that the server takes by COPY, once it has taken the statement.
    Rows(&'a [u8]),
    /// The content of a large object.
    LargeObject(u32),
    /// What no statement is needed for.
    Other,
}
