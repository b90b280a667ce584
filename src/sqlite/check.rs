//! Is a database file sound?

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::digest::digest;
use super::error::{About, Unopened, is_damage, words};
use super::source::{Opening, Source, pass_over_unknown_collations};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Level, Message, Phase, Reporter, Unit};

/// How many faults are collected; a damaged file has either few or very many.
const MOST_FAULTS: usize = 10;
/// How many of them an error message tells.
const SHOWN_FAULTS: usize = 3;

/// Runs SQLite's full integrity check over the file at `path`, which nobody writes to and nothing stands beside.
///
/// Fails with what is wrong with it. `doing` says what the check is for, worded to follow "could not"; `hint` says what to
/// do if it is damaged.
pub fn check_file(path: &Path, doing: &str, hint: &str, reporter: &dyn Reporter) -> Result<()> {
    reporter.phase(Phase::new("check", Unit::Steps));
    reporter.current("PRAGMA integrity_check");
    let found = faults(path, doing, reporter)?;
    if found.is_empty() {
        return Ok(());
    }
    let shown = found.get(..SHOWN_FAULTS).unwrap_or(&found).join("; ");
    let more = if found.len() > SHOWN_FAULTS { "; and more" } else { "" };
    Err(Error::new(ErrorKind::Archive, doing).why(format!("it is damaged: {shown}{more}")).hint(hint))
}

/// What SQLite's full integrity check finds wrong with the file at `path`: nothing, if it is sound.
///
/// Fails if the check itself could not be made. Where it needs code that only the application has (a collation, a
/// function), what can be checked without is checked, and a warning says so.
pub fn faults(path: &Path, doing: &str, reporter: &dyn Reporter) -> Result<Vec<String>> {
    let about = About { doing, database: path, written: None, waited: Duration::ZERO };
    match Source::try_open(path, Opening { wait: Duration::ZERO, spare: None }, doing) {
        Ok(source) => faults_of(&source, doing, reporter),
        Err(Unopened::Sqlite(e)) if is_damage(&e) => Ok(vec![words(&e)]),
        Err(Unopened::Sqlite(e)) => Err(about.failed(e)),
        Err(Unopened::Other(e)) => Err(e),
    }
}

/// As [`faults`], of a database that is open.
pub(super) fn faults_of(source: &Source, doing: &str, reporter: &dyn Reporter) -> Result<Vec<String>> {
    let about = About { doing, database: &source.path, written: None, waited: Duration::ZERO };
    match run(&source.connection, "integrity_check", None) {
        Ok(found) => return Ok(found),
        Err(e) if is_damage(&e) => return Ok(vec![words(&e)]),
        Err(e) if !needs_application(&e) => return Err(about.failed(e)),
        Err(_) => {}
    }
    without_application(&source.connection, reporter).map_err(|e| about.failed(e))
}

/// Checks each table as far as it goes without code that only the application has.
fn without_application(connection: &Connection, reporter: &dyn Reporter) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut lacking = Vec::new();
    for name in table_names(connection)? {
        match run(connection, "integrity_check", Some(&name)) {
            Ok(more) => found.extend(more),
            Err(e) if is_damage(&e) => found.push(format!("table {name}: {}", words(&e))),
            Err(e) if needs_application(&e) => {
                reporter.message(Message {
                    level: Level::Warning,
                    subject: name.clone(),
                    text: format!("checked without its indexes and CHECKs, which need the application's own code: {e}"),
                });
                lacking.push(name);
            }
            Err(e) => return Err(e),
        }
    }
    // Only now: a table that can be checked in full must not be checked with a collation that is not its own.
    pass_over_unknown_collations(connection)?;
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    for name in lacking {
        match run(connection, "quick_check", Some(&name)) {
            Ok(more) => found.extend(more),
            Err(e) if is_damage(&e) => found.push(format!("table {name}: {}", words(&e))),
            Err(e) if needs_application(&e) => match digest(connection, name.clone()) {
                Ok(_) => {}
                Err(e) if is_damage(&e) => found.push(format!("table {name}: {}", words(&e))),
                Err(e) => return Err(e),
            },
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}

fn run(connection: &Connection, pragma: &str, table: Option<&str>) -> rusqlite::Result<Vec<String>> {
    let argument = match table {
        Some(name) => format!("'{}'", name.replace('\'', "''")),
        None => MOST_FAULTS.to_string(),
    };
    let mut statement = connection.prepare(&format!("PRAGMA {pragma}({argument})"))?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = Vec::new();
    for row in rows {
        let row = row?;
        // A row of many lines begins with a heading.
        let faults = row.lines().filter(|line| !matches!(*line, "ok" | "*** in database main ***"));
        found.extend(faults.map(str::to_owned));
    }
    Ok(found)
}

fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn needs_application(error: &rusqlite::Error) -> bool {
    let text = error.to_string();
    ["no such collation sequence", "no such function", "unknown function", "no such module"]
        .iter()
        .any(|missing| text.contains(missing))
}
