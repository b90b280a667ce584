//! Is a database sound, and what is in it?

use std::path::Path;

use rusqlite::Connection;

use super::check::tell;
use super::contents::{self, Contents, WAIT};
use super::error::{CallContext, OpenError, is_damage, words};
use super::header::Header;
use super::integrity::{Findings, examine, is_lacking};
use super::source::{Opening, Source};
use crate::error::Result;
use crate::progress::{Message, Reporter};

/// The largest database that is copied to see whether its rows keep to their CHECKs.
const COPIED_FOR_CHECKS: u64 = 256 << 20;

/// What a look at all of a database has shown.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verified {
    /// What is wrong with it; nothing, if it is sound.
    pub problems: Vec<String>,
    /// Rows that break constraints of their tables, which is no damage: each constraint, and how often.
    pub violations: Vec<String>,
    /// What could not be checked or counted here, and why.
    pub unchecked: Vec<String>,
    /// What is in it, if it is sound.
    pub contents: Option<Contents>,
}

/// Checks the database at `path`, which may be in use, and counts its rows. What is no damage but worth a look is also told in
/// warnings.
///
/// Fails if that could not be done.
pub fn verify(path: &Path, reporter: &dyn Reporter) -> Result<Verified> {
    let doing = format!("verify {}", path.display());
    let about = CallContext { doing: &doing, database: path, written: None, waited: WAIT };
    let opening = Opening::new(WAIT, reporter.cancellation());
    let source = match Source::try_open(path, opening, &doing) {
        Ok(source) => with_checks(source, opening, &doing).map_err(|e| about.failed(e))?,
        Err(OpenError::Sqlite(e)) if is_damage(&e) => {
            let problems = vec![words(&e)];
            return Ok(Verified { problems, violations: Vec::new(), unchecked: Vec::new(), contents: None });
        }
        Err(OpenError::Sqlite(e)) => return Err(about.failed(e)),
        Err(OpenError::Other(e)) => return Err(e),
    };
    let connection = &source.connection;
    let mut found = examine(connection).map_err(|e| about.failed(e))?;
    let mut contents = None;
    if found.faults.is_empty() {
        name_unseen_checks(connection, &mut found).map_err(|e| about.failed(e))?;
        tell(&found, reporter);
        tell_orphans(connection, reporter).map_err(|e| about.failed(e))?;
        contents = Some(contents::of(&source, Header::read(path, &doing)?, &doing)?);
    }
    source.check_undisturbed(&doing)?;
    let violations = found.violations.lines();
    let unchecked = found.unchecked.into_iter().map(|(subject, text)| format!("{subject}: {text}")).collect();
    Ok(Verified { problems: found.faults, violations, unchecked, contents })
}

/// SQLite does not read the CHECKs of a database that it may not write. A copy may be written, if it is not too large.
fn with_checks(source: Source, opening: Opening<'_>, doing: &str) -> rusqlite::Result<Source> {
    if !misses_checks(&source.connection)? {
        return Ok(source);
    }
    let small = std::fs::metadata(&source.path).is_ok_and(|m| m.len() <= COPIED_FOR_CHECKS);
    match small.then(|| Source::copied(&source.path, opening, doing)) {
        Some(Ok(copied)) => Ok(copied),
        // What cannot be had is said afterwards.
        _ => Ok(source),
    }
}

fn misses_checks(connection: &Connection) -> rusqlite::Result<bool> {
    if !connection.is_readonly("main")? {
        return Ok(false);
    }
    let mentioned = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%check%'";
    match connection.query_row(mentioned, [], |row| row.get::<_, i64>(0)) {
        // The check itself says what is wrong.
        Err(e) if is_damage(&e) => Ok(false),
        other => Ok(other? > 0),
    }
}

fn name_unseen_checks(connection: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    if misses_checks(connection)? {
        let text = "they are not looked at, because this user may not write the file, and there was no room for a copy";
        found.unchecked.push(("CHECK constraints".to_owned(), text.to_owned()));
    }
    Ok(())
}

/// Warns of rows whose foreign key names a row that is not there. SQLite does not keep anybody from making them unless it is told to.
fn tell_orphans(connection: &Connection, reporter: &dyn Reporter) -> rusqlite::Result<()> {
    let orphans =
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10";
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(orphans)?;
        let line = |row: &rusqlite::Row<'_>| {
            let (table, parent, rows): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!("{table} to {parent} ({rows})"))
        };
        statement.query_map([], line)?.collect()
    };
    let text = match read() {
        Ok(found) if found.is_empty() => return Ok(()),
        Ok(found) => format!("foreign keys that name no row: from {}", found.join(", from ")),
        Err(e) if is_lacking(&e) => format!("foreign keys are not looked at: {}", words(&e)),
        Err(e) => return Err(e),
    };
    reporter.message(Message::warning("", text));
    Ok(())
}
