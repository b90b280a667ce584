//! Sessions of others that are in the way, told to a person: whose they are, since when they are at it, and what they do.

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

use crate::printable;
use crate::wire::{Result, Row};

/// What a query asks for, of `a`, the rows of `pg_stat_get_activity`, so that [`OtherSession::of`] can read it. A role that may
/// not see what others do is shown their process, role and application.
pub(crate) const COLUMNS: &str = "\
    a.pid, pg_catalog.pg_get_userbyid(a.usesysid)::pg_catalog.text AS role, \
    a.application_name::pg_catalog.text AS application, a.backend_type::pg_catalog.text AS backend, \
    a.xact_start IS NOT NULL AS is_in_transaction, \
    pg_catalog.to_char(pg_catalog.timezone('UTC', coalesce(a.xact_start, a.backend_start)), \
      'YYYY-MM-DD HH24:MI:SS') AS since, \
    a.query::pg_catalog.text AS statement";

/// What stands in the place of a statement that the role may not see.
const HIDDEN: &str = "<insufficient privilege>";
/// How much of a statement is shown.
const SHOWN: usize = 60;
/// How many sessions are named.
pub(crate) const NAMED: usize = 5;

/// A session of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherSession {
    /// The server's process.
    pub(crate) pid: i32,
    role: Option<BString>,
    application: BString,
    backend: BString,
    is_in_transaction: bool,
    since: Option<BString>,
    statement: BString,
}

impl OtherSession {
    /// The session that a row of [`COLUMNS`] is about.
    pub(crate) fn of(row: Row<'_>) -> Result<Self> {
        let or_nothing = |name| Ok::<_, crate::wire::Error>(row.opt_string(name)?.unwrap_or_default());
        Ok(Self {
            pid: row.i32("pid")?,
            role: row.opt_string("role")?,
            application: or_nothing("application")?,
            backend: or_nothing("backend")?,
            is_in_transaction: row.bool("is_in_transaction")?,
            since: row.opt_string("since")?,
            statement: or_nothing("statement")?,
        })
    }

    /// Its role, if it has one.
    pub(crate) fn role(&self) -> Option<&BStr> {
        self.role.as_ref().map(|role| role.as_bstr())
    }

    /// What it calls itself, if it does.
    pub(crate) fn application(&self) -> Option<&BStr> {
        Some(self.application.as_bstr()).filter(|name| !name.is_empty())
    }

    /// When its transaction began, or else the session, in UTC; not everybody may know.
    pub(crate) fn since(&self) -> Option<&BStr> {
        self.since.as_ref().map(|since| since.as_bstr())
    }
}

impl fmt::Display for OtherSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |text: &BString| printable::name(text.as_bstr());
        write!(f, "process {}", self.pid)?;
        match &self.role {
            Some(role) => write!(f, " of {}", named(role))?,
            None if !self.backend.is_empty() => write!(f, " ({})", named(&self.backend))?,
            None => {}
        }
        if !self.application.is_empty() {
            write!(f, " ({})", named(&self.application))?;
        }
        if let Some(since) = &self.since {
            let what = if self.is_in_transaction { "in a transaction" } else { "connected" };
            write!(f, ", {what} since {} UTC", named(since))?;
        }
        if !self.statement.is_empty() && self.statement != HIDDEN {
            write!(f, ": {}", first_words(self.statement.as_bstr()))?;
        }
        Ok(())
    }
}

/// Several of them, in one line.
pub(crate) fn in_words(sessions: &[OtherSession]) -> String {
    let mut words: Vec<String> = sessions.iter().take(NAMED).map(ToString::to_string).collect();
    if sessions.len() > NAMED {
        words.push(format!("and {} more", sessions.len() - NAMED));
    }
    words.join("; ")
}

/// The beginning of a statement. What stands in literals may be secret, a password above all: none is shown.
fn first_words(statement: &BStr) -> String {
    let line = printable::on_one_line(statement.trim_ascii().as_bstr());
    let literal = line.find(['\'', '$']).unwrap_or(line.len());
    let end = line.char_indices().nth(SHOWN).map_or(line.len(), |(at, _)| at).min(literal);
    match &line[..end] {
        all if end == line.len() => all.to_owned(),
        some => format!("{} ...", some.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_shown_without_literals_and_on_one_line() {
        for (statement, shown) in [
            ("UPDATE t\n  SET a = 1", "UPDATE t SET a = 1"),
            ("ALTER ROLE bob PASSWORD 'geheim'", "ALTER ROLE bob PASSWORD ..."),
            ("DO $$ BEGIN END $$", "DO ..."),
            ("SELECT '\u{1b}[31m'", "SELECT ..."),
            ("\u{1b}[31m", "\\u{1b}[31m"),
        ] {
            assert_eq!(first_words(statement.into()), shown);
        }
        let long = "SELECT ".to_owned() + &"ü".repeat(100);
        assert_eq!(first_words(long.as_str().into()), format!("SELECT {} ...", "ü".repeat(53)));
    }

    #[test]
    fn what_the_role_may_not_see_is_left_out() {
        let mut session = OtherSession {
            pid: 7,
            role: Some("app\n".into()),
            application: "psql".into(),
            backend: "client backend".into(),
            is_in_transaction: true,
            since: Some("2026-04-24 03:00:00".into()),
            statement: "LOCK TABLE t".into(),
        };
        let said = "process 7 of app\\n (psql), in a transaction since 2026-04-24 03:00:00 UTC: LOCK TABLE t";
        assert_eq!(session.to_string(), said);
        (session.since, session.statement) = (None, HIDDEN.into());
        assert_eq!(session.to_string(), "process 7 of app\\n (psql)");
        (session.role, session.application, session.backend) = (None, "".into(), "autovacuum worker".into());
        assert_eq!(session.to_string(), "process 7 (autovacuum worker)");
        assert_eq!(in_words(&vec![session; 6]).matches("autovacuum").count(), 5);
    }
}
