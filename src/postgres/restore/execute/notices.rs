//! What the server says beside its answers. Some of it means that it has not done what it was told.

use crate::postgres::archive::EntryName;
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::summary::EntryError;
use crate::printable;
use crate::progress::{Level, Message};
use crate::wire::{Notice, sqlstate};

/// What a warning says about a statement that the server took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// It was done.
    Done,
    /// Not, for want of privileges.
    NotPermitted,
    /// Not all of it.
    NotAll,
}

impl Run<'_> {
    /// Passes on what the server had to say meanwhile, and puts down what of it means that something was not done for `entry`.
    pub(in crate::postgres::restore) fn pass_on_notices(&mut self, entry: Option<usize>) {
        let notices = self.target.take_notices();
        self.take_notices(entry, b"", notices);
    }

    /// As [`Run::pass_on_notices`], with what the server said to a `statement`.
    pub(in crate::postgres::restore) fn take_notices(
        &mut self,
        entry: Option<usize>,
        statement: &[u8],
        notices: Vec<Notice>,
    ) {
        let mut undone: Vec<(Means, Notice)> = Vec::new();
        for notice in notices {
            match entry.map_or(Means::Done, |_| means(&notice)) {
                Means::Done => {
                    let subject =
                        entry.map_or("the server".to_owned(), |entry| EntryName::of(&self.entries[entry]).to_string());
                    let level = if notice.severity == "WARNING" { Level::Warning } else { Level::Debug };
                    self.reporter.message(Message::new(level, subject, printable::notice(&notice)));
                }
                means => undone.push((means, notice)),
            }
        }
        let Some((entry, (means, first))) = entry.zip(undone.first()) else { return };
        let mut error = EntryError::notice(&self.entries[entry], statement, first);
        error.needs = self.needs(statement, &error);
        if undone.len() > 1 {
            error.message.push_str(&format!(", and {} more such warnings", undone.len() - 1));
        }
        self.put_down_undone(entry, *means, error);
    }

    /// Puts down that something is not there although no statement failed. That ends nothing: there is no error to stop at,
    /// and no transaction that has failed.
    fn put_down_undone(&mut self, entry: usize, means: Means, error: EntryError) {
        let subject = error.entry.to_string();
        let (level, words, list) = match means {
            Means::NotPermitted => (Level::Warning, "left to a superuser", &mut self.summary.left),
            _ => (Level::Error, "not done", &mut self.summary.errors),
        };
        let text = format!("{words}: {}", error.what_happened());
        list.push(error);
        self.reporter.message(Message::new(level, subject, text));
        self.failed.insert(entry);
    }
}

fn means(notice: &Notice) -> Means {
    if notice.severity != "WARNING" {
        return Means::Done;
    }
    if notice.is_any(&[sqlstate::PRIVILEGE_NOT_REVOKED, sqlstate::PRIVILEGE_NOT_GRANTED]) {
        // None, or not all.
        return Means::NotPermitted;
    }
    // A newer server's attribute of a type, an operator or an aggregate: the object is made without. Else also statistics that
    // are not taken as they are (those of ranges never are, say): ANALYZE makes them anew.
    if notice.is(sqlstate::SYNTAX_ERROR) { Means::NotAll } else { Means::Done }
}
