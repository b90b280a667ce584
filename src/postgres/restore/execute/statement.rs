//! Running statements for entries, and putting down what the server refuses, or takes and does not do.

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::execute::{Client, Ledger, required_version};
use crate::postgres::restore::summary::EntryError;
use crate::progress::Level;
use crate::wire::{self, Notice, sqlstate};
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, Result, Work, printable};

/// A transaction needs more locks than the server has room for.
pub const NO_MORE_LOCKS: &str = sqlstate::OUT_OF_MEMORY;

/// What to do about that.
pub fn more_locks() -> Words {
    "a transaction holds a lock for each object that it drops or makes: raise max_locks_per_transaction on the server, or give "
        + Choice::TransactionSize
        + " N, which drops and makes so many in one transaction"
}

/// What to do where a lock did not come in time.
pub fn longer() -> Words {
    "somebody else had it all the time: wait longer (" + Choice::LockWait + "), or end that session, and restore again"
}

/// Whether a SQLSTATE says that something is not there. Not every drop has a form that lets that pass: a default's, or that of a
/// constraint of a domain.
pub fn is_absence(code: &str) -> bool {
    const UNDEFINED: [&str; 5] = [
        sqlstate::UNDEFINED_TABLE,
        sqlstate::UNDEFINED_COLUMN,
        sqlstate::UNDEFINED_OBJECT, // type, and most other objects
        sqlstate::UNDEFINED_FUNCTION,
        sqlstate::INVALID_SCHEMA_NAME,
    ];
    UNDEFINED.contains(&code)
}

/// Adds what to do to the refusal of a schema or an extension, which much of an archive may need.
pub fn advise(entry: &Entry, error: &mut EntryError) {
    if error.sqlstate.as_deref() != Some(sqlstate::INSUFFICIENT_PRIVILEGE) {
        return;
    }
    let advice = match text(&entry.desc).as_bytes() {
        b"EXTENSION" => "let a superuser create it in this database, and restore again",
        b"SCHEMA" => "the owner of the database can allow it with GRANT CREATE ON DATABASE",
        _ => return,
    };
    error.hint = Some(match error.hint.take() {
        Some(hint) => format!("{}; {advice}", hint.to_string().trim_end_matches('.')).into(),
        None => advice.into(),
    });
}

/// The statement that a work consists of, or begins with.
fn statement_of(work: Work<'_>) -> &[u8] {
    match work {
        Work::Statement(statement) | Work::Definition(statement) | Work::Setting(statement) | Work::Rows(statement) => {
            statement
        }
        Work::LargeObject(_) | Work::Other => b"",
    }
}

impl Client<'_> {
    /// Runs a statement for an entry. An error of the server's is put down; false then.
    pub fn statement(&mut self, ledger: &mut Ledger<'_>, at: EntryIndex, work: Work<'_>) -> Result<bool> {
        let statement = statement_of(work);
        match self.connection.foreign()?.execute_counting(statement) {
            Ok(rows) => {
                self.changed_rows += rows;
                Ok(true)
            }
            Err(error) => self.put_down(ledger, at, work, error.into()).map(|()| false),
        }
    }

    /// Sends statements without waiting for each one's answer; what became of each, and what the server said to it. Where the
    /// connection is lost, that of those before, and how.
    pub fn send_each(&mut self, statements: &[&[u8]]) -> Result<(Vec<wire::Told>, Option<wire::Error>)> {
        Ok(self.connection.foreign()?.execute_each_telling(statements)?)
    }

    /// Puts an error of the server's down for an entry; one that ends everything is given back.
    pub fn put_down(&self, ledger: &mut Ledger<'_>, at: EntryIndex, work: Work<'_>, error: Error) -> Result<()> {
        let statement = statement_of(work);
        let cause = self.survived(error).map_err(|error| match error.kind() {
            // A statement that cannot be run at all, such as a COPY that wants rows where none are, is the archive's fault and
            // not that of whoever gave the options.
            ErrorKind::Usage => Error::new(ErrorKind::Archive, format!("restore {}", self.job.name(at))).source(error),
            _ => error,
        })?;
        let mut error = self.entry_error(at, statement, &cause);
        error.needs = self.needs(statement, &error);
        advise(&self.job.entries[at], &mut error);
        ledger.put_down_of(at, error, (work, cause.server()));
        Ok(())
    }

    /// An error of the server's as one of an entry.
    pub fn entry_error(&self, at: EntryIndex, statement: &[u8], error: &Error) -> EntryError {
        let mut error = EntryError::server(&self.job.entries[at], statement, error);
        if self.in_transaction() && error.sqlstate.as_deref() == Some(NO_MORE_LOCKS) {
            error.hint = Some(more_locks());
        }
        if error.sqlstate.as_deref() == Some(sqlstate::LOCK_NOT_AVAILABLE) && error.hint.is_none() {
            error.hint = Some(longer());
        }
        error
    }

    /// Whether the server refused to make an entry's object because there is one.
    pub fn is_there_already(&self, at: EntryIndex, error: &Error) -> bool {
        const DUPLICATE: [&str; 5] = [
            sqlstate::DUPLICATE_TABLE,
            sqlstate::DUPLICATE_OBJECT, // type, and most other objects
            sqlstate::DUPLICATE_FUNCTION,
            sqlstate::DUPLICATE_SCHEMA,
            sqlstate::DUPLICATE_COLUMN,
        ];
        error.server().is_some_and(|report| {
            DUPLICATE.iter().any(|code| report.code == *code)
                // A second primary key.
                || (report.code == sqlstate::INVALID_TABLE_DEFINITION && kinds::is(&self.job.entries[at], "CONSTRAINT"))
        })
    }

    /// What a statement needs that this server is too old for, where it may have failed for that.
    fn needs(&self, statement: &[u8], error: &EntryError) -> Option<String> {
        // Not understood, not known, not supported.
        let codes = [
            sqlstate::SYNTAX_ERROR,
            sqlstate::UNDEFINED_OBJECT,
            sqlstate::UNDEFINED_FUNCTION,
            sqlstate::FEATURE_NOT_SUPPORTED,
            sqlstate::INVALID_PARAMETER_VALUE,
        ];
        if !error.sqlstate.as_deref().is_some_and(|code| codes.contains(&code)) {
            return None;
        }
        let (made_by, server) = (self.job.made_by, self.version());
        let major = server.major();
        match required_version::newer_than(statement, server) {
            Some((since, what)) => Some(format!("PostgreSQL {since} ({what}), and this is {major}")),
            None if server.is_before(made_by) => Some(format!(
                "perhaps a newer server than this, which is PostgreSQL {major}: the archive is of one of {made_by}"
            )),
            None => None,
        }
    }

    /// Says what was being restored when the connection was lost. Errors of the archive's say it themselves.
    pub fn during(&self, at: EntryIndex, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Connection => {
                Error::new(ErrorKind::Connection, format!("restore {}", self.job.name(at))).source(error)
            }
            _ => error,
        }
    }

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
            if self.job.reporter.notice(&notice) {
                continue;
            }
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

/// What a notice says about a statement that the server took.
enum Means {
    Done,
    /// Not, for want of privileges.
    NotPermitted,
    NotAll,
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
