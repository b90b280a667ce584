//! What a restore did, and what it could not do.

use std::collections::HashSet;
use std::fmt;

use bstr::{BStr, ByteSlice};
use pgformat::{DumpId, Entry};

use crate::Error;
use crate::postgres::archive::EntryName;
use crate::printable::on_one_line;
use crate::wire::Notice;
use crate::words::Words;

/// The outcome of a restore that came to its end, or to its first error where it was to stop there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreSummary {
    /// Entries restored without an error.
    pub entries: u64,
    /// Rows that the server stored.
    pub rows: u64,
    /// Bytes of rows and large objects that the server took.
    pub bytes: u64,
    /// Large objects written.
    pub large_objects: u64,
    /// Objects dropped before they were made anew, or found not to be there.
    pub dropped: u64,
    /// What failed, in the order in which it did.
    pub errors: Vec<EntryError>,
    /// Data that was left out because its table could not be made.
    pub skipped: Vec<EntryName>,
    /// What belongs to others, and stays because it is as the archive wants it.
    pub stays: Vec<Stay>,
    /// What the role that restores may not do, and what goes along with that: it is left to a superuser.
    pub left: Vec<EntryError>,
    /// Drops that failed because what they name, or what it belongs to, is not there, which is what a drop is for.
    pub ignored: u64,
    /// Whether it stopped at the first error, as was asked.
    pub stopped: bool,
    /// Whether nothing of it remains: it was one transaction, and that was rolled back.
    pub rolled_back: bool,
}

impl RestoreSummary {
    /// How many entries failed. One may have several errors: an object that could not be dropped, and so not be made anew.
    pub fn failed_entries(&self) -> usize {
        let of_errors = self.errors.iter().map(|error| error.entry.dump_id);
        let failed: HashSet<DumpId> = of_errors.chain(self.skipped.iter().map(|entry| entry.dump_id)).collect();
        failed.len()
    }

    /// How many entries are left to a superuser.
    pub fn left_entries(&self) -> usize {
        self.left.iter().map(|left| left.entry.dump_id).collect::<HashSet<DumpId>>().len()
    }

    /// Whether everything that was wanted is there now.
    pub fn is_complete(&self) -> bool {
        self.errors.is_empty() && self.left.is_empty() && self.skipped.is_empty() && !self.stopped && !self.rolled_back
    }
}

/// An entry whose object stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stay {
    /// The entry.
    pub entry: EntryName,
    /// Why.
    pub why: String,
}

/// Something that could not be done for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryError {
    /// The entry.
    pub entry: EntryName,
    /// The beginning of the statement; without what may be a password in it.
    pub statement: String,
    /// The server's message, or what else was wrong.
    pub message: String,
    /// The server's SQLSTATE, if it was the server's error.
    pub sqlstate: Option<String>,
    /// What the server said in detail.
    pub detail: Option<String>,
    /// What the server advised, or what else would help.
    pub hint: Option<Words>,
    /// Where it happened, such as the line of a COPY.
    pub context: Option<String>,
    /// What the statement needs that the server does not have, where that is known.
    pub needs: Option<String>,
}

impl EntryError {
    /// `error`, met by `statement` for `entry`.
    pub fn server(entry: &Entry, statement: &[u8], error: &Error) -> Self {
        match error.server() {
            Some(report) => Self::notice(entry, statement, report),
            None => Self::other(entry, statement, error.to_string()),
        }
    }

    /// What the server said to a `statement` for `entry` that it took.
    pub(super) fn notice(entry: &Entry, statement: &[u8], notice: &Notice) -> Self {
        let field = |field: &Option<bstr::BString>| field.as_ref().map(|text| on_one_line(text.as_bstr()));
        Self {
            sqlstate: Some(on_one_line(notice.code.as_bstr())),
            detail: field(&notice.detail),
            hint: field(&notice.hint).map(Words::from),
            context: field(&notice.context),
            ..Self::other(entry, statement, on_one_line(notice.message.as_bstr()))
        }
    }

    /// Something that the server has no word for.
    pub fn other(entry: &Entry, statement: &[u8], message: impl Into<String>) -> Self {
        Self {
            entry: EntryName::of(entry),
            statement: beginning(statement),
            message: message.into(),
            sqlstate: None,
            detail: None,
            hint: None,
            context: None,
            needs: None,
        }
    }
}

impl EntryError {
    /// What is wrong, without the entry's name.
    pub fn what_happened(&self) -> Words {
        let mut result = Words::from(self.message.as_str());
        if let Some(sqlstate) = &self.sqlstate {
            result = result + format!(" (SQLSTATE {sqlstate})");
        }
        let words = |text: &Option<String>| text.as_deref().map(Words::from);
        let parts = [
            ("; it needs ", words(&self.needs)),
            ("; detail: ", words(&self.detail)),
            ("; hint: ", self.hint.clone()),
            ("; context: ", words(&self.context)),
            ("; statement: ", Some(Words::from(self.statement.as_str())).filter(|statement| !statement.is_empty())),
        ];
        for (what, part) in parts {
            if let Some(part) = part {
                result = result + what + part;
            }
        }
        result
    }
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.entry, self.what_happened())
    }
}

/// As much of a statement as an error shows.
const SHOWN: usize = 300;

/// The beginning of a statement, on one line. Options of foreign servers' users and the connection strings of
/// subscriptions hold passwords, and end it.
fn beginning(statement: &[u8]) -> String {
    let statement = statement.trim_ascii();
    let secret =
        [b" OPTIONS (".as_slice(), b" CONNECTION '"].into_iter().filter_map(|words| statement.find(words)).min();
    let shown = secret.unwrap_or(statement.len()).min(SHOWN);
    let mut result = on_one_line(BStr::new(&statement[..shown]));
    if shown < statement.len() {
        result.push_str(" …");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_with_several_errors_failed_once() {
        let entry = |id| Entry::new(DumpId(id), "TABLE");
        let error = |id| EntryError::other(&entry(id), b"", "no");
        let summary = RestoreSummary {
            errors: vec![error(1), error(1), error(2)],
            skipped: vec![EntryName::of(&entry(3))],
            ..RestoreSummary::default()
        };
        assert_eq!(summary.failed_entries(), 3);
        assert_eq!(RestoreSummary::default().failed_entries(), 0);
    }

    #[test]
    fn a_statement_is_shown_in_part_and_without_passwords() {
        assert_eq!(beginning(b"CREATE TABLE t (\n    a integer\n);\n"), "CREATE TABLE t ( a integer );");
        let mapping = b"CREATE USER MAPPING FOR bob SERVER s OPTIONS (\n    password 'secret'\n);";
        assert_eq!(beginning(mapping), "CREATE USER MAPPING FOR bob SERVER s …");
        let subscription = b"CREATE SUBSCRIPTION s CONNECTION 'host=h password=secret' PUBLICATION p;";
        assert_eq!(beginning(subscription), "CREATE SUBSCRIPTION s …");
        assert_eq!(beginning(&[b'x'; 1000]), "x".repeat(SHOWN) + " …");
        assert_eq!(beginning(b"a\x1b[31m"), "a\\u{1b}[31m");
    }
}
