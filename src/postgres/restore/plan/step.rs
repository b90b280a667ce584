//! What a plan consists of.

use bstr::BString;
use pgformat::Entry;

use crate::postgres::archive::EntryIndex;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The entry it is done for.
    pub entry: EntryIndex,
    /// What is done.
    pub action: Action,
}

/// The comment above an entry in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heading {
    /// The entry's definition follows.
    Definition,
    /// The entry's data follows.
    Data,
    /// Statistics follow.
    Statistics,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The comment above an entry, in a script.
    Heading(Heading),
    /// A drop, one statement or more.
    Drop(BString),
    /// A drop of a base type along with the functions that it is made of: they need each other, so that neither can be
    /// dropped before the other. Only to be done if it takes nothing else along.
    DropCascade(BString),
    /// A setting for what follows.
    Set(BString),
    /// A statement that lets another role do what follows.
    Become(BString),
    /// Going on in the database of this name, which was just made or changed.
    Connect(BString),
    /// The entry's definition: statements that succeed or fail together. It is the archive's, unless there is another text:
    /// definitions can be large, and a plan needs no copy of them.
    Define(Option<BString>),
    /// What belongs to a definition but is a statement of its own: owner, access method of a partitioned table.
    Alter(BString),
    /// A statement for each of many large objects.
    EachLargeObject {
        /// What the statements are for.
        purpose: Purpose,
        /// The statement up to the OID.
        before: BString,
        /// The statement after the OID; without the semicolon.
        after: BString,
        /// The entry that lists the OIDs.
        oids_of: EntryIndex,
    },
    /// Rows for a COPY statement.
    CopyRows {
        /// The statement.
        statement: BString,
        /// The entry that creates the table, if it is in the archive: rows have nowhere to go without it.
        table: Option<EntryIndex>,
    },
    /// Data that consists of statements.
    RunData {
        /// As for rows.
        table: Option<EntryIndex>,
    },
    /// Large objects.
    LargeObjects {
        /// Whether they must be created first: archives before 1.12 have no entries for that.
        create: bool,
        /// Whether an object of the same OID goes first.
        replace: bool,
    },
    /// Something the program that made the archive wanted to be said.
    Say(BString),
}

/// What statements for each large object are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Take them away.
    Drop,
    /// Make them.
    Create,
    /// Say who owns or may use them.
    Alter,
}

impl Step {
    /// The statement that the step consists of, if it is one that needs no data and can be sent with others.
    pub fn statement<'a>(&'a self, entries: &'a [Entry]) -> Option<&'a [u8]> {
        match &self.action {
            Action::Set(statement) | Action::Drop(statement) | Action::Alter(statement) => Some(statement),
            Action::Define(Some(statement)) => Some(statement),
            Action::Define(None) => self.entry.of(entries)?.definition.as_ref().map(|definition| definition.as_slice()),
            _ => None,
        }
    }
}
