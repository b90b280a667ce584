//! What the server says beside its answers. Some of it means that it has not done what it was told.

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::execute::client::Client;
use crate::postgres::restore::execute::ledger::Ledger;
use crate::postgres::restore::summary::EntryError;
use crate::printable;
use crate::progress::Level;
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

impl Client<'_> {
    /// Passes on what the server had to say meanwhile, and puts down what of it means that something was not done for an entry.
    pub fn pass_on_notices(&mut self, ledger: &mut Ledger<'_>, at: Option<EntryIndex>) {
        let notices = self.connection.take_notices();
        self.take_notices(ledger, at, b"", notices);
    }

    /// As [`Client::pass_on_notices`], with what the server said to a `statement`.
    pub fn take_notices(
        &self,
        ledger: &mut Ledger<'_>,
        at: Option<EntryIndex>,
        statement: &[u8],
        notices: Vec<Notice>,
    ) {
        let mut undone: Vec<(Means, Notice)> = Vec::new();
        for notice in notices {
            match at.map_or(Means::Done, |_| means(&notice)) {
                Means::Done => {
                    let subject = at.map_or("the server".to_owned(), |at| self.job.name(at).to_string());
                    let level = if notice.severity == "WARNING" { Level::Warning } else { Level::Debug };
                    self.job.message(level, subject, printable::notice(&notice));
                }
                means => undone.push((means, notice)),
            }
        }
        let Some((at, (means, first))) = at.zip(undone.first()) else { return };
        let mut error = EntryError::notice(&self.job.entries[at], statement, first);
        error.needs = self.needs(statement, &error);
        if undone.len() > 1 {
            error.message.push_str(&format!(", and {} more such warnings", undone.len() - 1));
        }
        match means {
            Means::NotPermitted => ledger.leave(at, error, Level::Warning),
            _ => ledger.put_down_undone(at, error),
        }
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
