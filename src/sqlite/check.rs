//! Is a database file sound?

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::About;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Level, Message, Reporter};

/// How many faults are collected; a damaged file has either few or very many.
const MOST_FAULTS: usize = 10;

/// Runs SQLite's full integrity check over the file at `path`, which nobody writes to and nothing stands beside.
///
/// Fails with what is wrong with it. `doing` says what the check is for, worded to follow "could not"; `hint` says what to
/// do if it is damaged.
pub fn check_file(path: &Path, doing: &str, hint: &str, reporter: &dyn Reporter) -> Result<()> {
    reporter.phase("check", None);
    reporter.current("PRAGMA integrity_check");
    let found = faults(path, doing, reporter)?;
    if found.is_empty() {
        return Ok(());
    }
    let more = if found.len() >= MOST_FAULTS { " (and more)" } else { "" };
    Err(Error::new(ErrorKind::Archive, doing).why(format!("it is damaged: {}{more}", found.join("; "))).hint(hint))
}

/// What SQLite's full integrity check finds wrong with the file at `path`: nothing, if it is sound.
///
/// Fails if the check itself could not be made. Where it needs code that only the application has (a collation, a
/// function), what can be checked without is checked, and a warning says so.
pub fn faults(path: &Path, doing: &str, reporter: &dyn Reporter) -> Result<Vec<String>> {
    let about = About { doing, database: path, written: None, waited: Duration::ZERO };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| about.failed(e))?;
    match run(&connection, "integrity_check", None) {
        Ok(found) => return Ok(found),
        Err(e) if is_damage(&e) => return Ok(vec![e.to_string()]),
        Err(e) if !needs_application(&e) => return Err(about.failed(e)),
        Err(_) => {}
    }
    let mut found = Vec::new();
    let names = table_names(&connection).map_err(|e| about.failed(e))?;
    for name in names {
        match run(&connection, "integrity_check", Some(&name)) {
            Ok(more) => found.extend(more),
            Err(e) if is_damage(&e) => found.push(format!("table {name}: {e}")),
            Err(e) if needs_application(&e) => {
                reporter.message(Message {
                    level: Level::Warning,
                    subject: name.clone(),
                    text: format!("its indexes could not be checked without the application's own code: {e}"),
                });
                found.extend(read_through(&connection, &name).map_err(|e| about.failed(e))?);
            }
            Err(e) => return Err(about.failed(e)),
        }
        if found.len() >= MOST_FAULTS {
            break;
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
        if row != "ok" {
            found.push(row.replace('\n', " "));
        }
    }
    Ok(found)
}

fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Reads every row of a table, which finds damage in its pages, though not in its indexes.
fn read_through(connection: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let quoted = table.replace('"', "\"\"");
    let all = format!("SELECT count(*) FROM (SELECT * FROM \"{quoted}\" NOT INDEXED)");
    match connection.query_row(&all, [], |_| Ok(())) {
        Ok(()) => Ok(None),
        Err(e) if is_damage(&e) => Ok(Some(format!("table {table}: {e}"))),
        Err(e) => Err(e),
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase | SystemIoFailure))
}

fn needs_application(error: &rusqlite::Error) -> bool {
    let text = error.to_string();
    ["no such collation sequence", "no such function", "unknown function", "no such module"]
        .iter()
        .any(|missing| text.contains(missing))
}
