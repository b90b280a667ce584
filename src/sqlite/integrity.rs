//! What SQLite finds in a database: damage, which makes a copy worthless, and rows that break the constraints of their table, which an
//! application has put in and which are read and copied like any others.
//!
//! `PRAGMA integrity_check` reports both in one list of texts. They are told apart by how a text begins: before the names of tables,
//! columns and indexes, which may be any text, stands one that is SQLite's own, and the SQLite that speaks is built in.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use super::digest::{digest, quoted};
use super::error::{is_damage, words};
use super::source::pass_over_unknown_collations;

/// How many faults are collected; a damaged file has either few or very many.
const MOST_FAULTS: usize = 10;
/// How many rows the check of one table reports at most; that of the whole database takes a number.
const MOST_OF_A_TABLE: usize = 100;
/// How many kinds of broken constraints are told apart.
const MOST_KINDS: usize = 100;

/// How the texts about constraints begin: NOT NULL, the types of STRICT tables, the types that columns of others convert to, CHECK.
const BROKEN: [&str; 9] = [
    "NULL value in ",
    "non-BLOB value in ",
    "non-INT value in ",
    "non-INTEGER value in ",
    "non-REAL value in ",
    "non-TEXT value in ",
    "NUMERIC value in ",
    "TEXT value in ",
    "CHECK constraint failed in ",
];
/// Of an index over computed numbers, which another machine has computed a little differently.
const IMPRECISE: (&str, &str) = ("index ", " stores an imprecise floating-point value for row ");

/// What was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    /// Damage; nothing, if there is none.
    pub faults: Vec<String>,
    /// Rows that break constraints.
    pub violations: Violations,
    /// What could not be checked here, and why: a table, and what is to be said of it.
    pub unchecked: Vec<(String, String)>,
}

/// Rows that break constraints, counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Violations {
    kinds: BTreeMap<String, u64>,
    others: u64,
}

impl Violations {
    fn add(&mut self, kind: &str) {
        if let Some(count) = self.kinds.get_mut(kind) {
            *count = count.saturating_add(1);
        } else if self.kinds.len() < MOST_KINDS {
            self.kinds.insert(kind.to_owned(), 1);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    /// How many there are. A row counts once for each constraint that it breaks.
    pub(super) fn count(&self) -> u64 {
        self.kinds.values().fold(self.others, |sum, count| sum.saturating_add(*count))
    }

    /// Each kind with its number.
    pub(super) fn lines(&self) -> Vec<String> {
        let rows = |n: u64| if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
        let mut lines: Vec<String> = self.kinds.iter().map(|(kind, n)| format!("{kind} ({})", rows(*n))).collect();
        if self.others > 0 {
            lines.push(format!("other constraints ({})", rows(self.others)));
        }
        lines
    }
}

/// Runs SQLite's full check over the database, as far as it goes without code that only the application has.
///
/// Fails if the check itself could not be made.
pub(super) fn examine(connection: &Connection) -> rusqlite::Result<Findings> {
    let mut found = Findings::default();
    match of_all(connection, &mut found) {
        Ok(()) => {}
        Err(e) if is_damage(&e) => found.faults.push(words(&e)),
        Err(e) if is_lacking(&e) => {
            found = Findings::default();
            table_by_table(connection, &mut found)?;
        }
        Err(e) => return Err(e),
    }
    if found.faults.is_empty() {
        name_unknown_modules(connection, &mut found)?;
    }
    Ok(found)
}

fn of_all(connection: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let told = run(connection, &format!("integrity_check({MOST_FAULTS})"), found)?;
    if told < MOST_FAULTS || !found.faults.is_empty() {
        return Ok(());
    }
    // Broken constraints have filled the list, and damage may come after them.
    *found = Findings::default();
    run(connection, &format!("integrity_check({})", i32::MAX), found)?;
    Ok(())
}

/// Runs a check and sorts what it reports; gives how much that was.
fn run(connection: &Connection, pragma: &str, found: &mut Findings) -> rusqlite::Result<usize> {
    let stale = search_indexes_of_other_tables(connection)?;
    let mut statement = connection.prepare(&format!("PRAGMA {pragma}"))?;
    let mut rows = statement.query([])?;
    let mut told = 0;
    while let Some(row) = rows.next()? {
        let text = text(row, 0)?;
        if text == "ok" {
            continue;
        }
        told += 1;
        if let Some(kind) = broken_constraint(&text) {
            found.violations.add(kind);
        } else if let Some(name) = stale.iter().find(|name| speaks_of(&text, name)) {
            let text = format!("{text}: keeping it up with the rows that it is an index of is the application's part");
            found.unchecked.push((name.clone(), text));
        } else {
            // A text of many lines begins with a heading.
            let lines = text.lines().filter(|line| *line != "*** in database main ***");
            found.faults.extend(lines.map(str::to_owned));
            if found.faults.len() >= MOST_FAULTS {
                break;
            }
        }
    }
    Ok(told)
}

/// What is broken, if that is what a text says; without the number of the row.
fn broken_constraint(text: &str) -> Option<&str> {
    let imprecise = text.starts_with(IMPRECISE.0).then(|| text.rfind(IMPRECISE.1)).flatten();
    match imprecise {
        Some(at) => text.get(..at + IMPRECISE.1.len() - " for row ".len()),
        None => BROKEN.iter().any(|begin| text.starts_with(begin)).then_some(text),
    }
}

/// Full-text indexes (FTS4) of rows that are in a table of the application's: keeping the two together is the application's part.
fn search_indexes_of_other_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let with_segments = "SELECT name FROM sqlite_schema AS v WHERE type = 'table' AND rootpage = 0
         AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = v.name || '_segdir')
         AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = v.name || '_content')";
    names(connection, with_segments)
}

fn speaks_of(text: &str, name: &str) -> bool {
    let of = |begin: &str| text.strip_prefix(begin).and_then(|rest| rest.strip_prefix(name));
    of("malformed inverted index for FTS4 table main.") == Some("")
        || of("unable to validate the inverted index for FTS4 table main.").is_some_and(|rest| rest.starts_with(": "))
}

/// Checks each table by itself, so that one which needs the application's code does not stand in the way of the others.
fn table_by_table(connection: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let mut lacking = Vec::new();
    for name in names(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name")?
    {
        let faults = found.faults.len();
        match run(connection, &format!("integrity_check({})", text_literal(&name)), found) {
            Ok(told) if told >= MOST_OF_A_TABLE && found.faults.len() == faults => {
                let text = format!("checked only as far as the row that breaks the {MOST_OF_A_TABLE}th constraint");
                found.unchecked.push((name, text));
            }
            Ok(_) => {}
            Err(e) if is_damage(&e) => found.faults.push(format!("table {name}: {}", words(&e))),
            Err(e) if is_lacking(&e) => {
                let why = words(&e);
                let text =
                    format!("checked without its indexes and CHECKs, which need the application's own code: {why}");
                found.unchecked.push((name.clone(), text));
                lacking.push(name);
            }
            Err(e) => return Err(e),
        }
    }
    virtual_tables(connection, found)?;
    pages_of_two_tables(connection, found)?;
    // Only now: a table that can be checked in full must not be checked with a collation that is not its own.
    pass_over_unknown_collations(connection)?;
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    lacking.into_iter().try_for_each(|name| without_application(connection, name, found))
}

/// Reads a table that cannot be checked in full.
fn without_application(connection: &Connection, name: String, found: &mut Findings) -> rusqlite::Result<()> {
    let quick = run(connection, &format!("quick_check({})", text_literal(&name)), found);
    let read = match quick {
        Err(e) if is_lacking(&e) => digest(connection, name.clone()).map(|_| ()),
        other => other.map(|_| ()),
    };
    match read {
        Err(e) if is_damage(&e) => {
            found.faults.push(format!("table {name}: {}", words(&e)));
            Ok(())
        }
        other => other,
    }
}

fn virtual_tables(connection: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    for name in names(connection, VIRTUAL)? {
        match run(connection, &format!("integrity_check({})", text_literal(&name)), found) {
            Ok(_) => {}
            Err(e) if is_damage(&e) => found.faults.push(format!("table {name}: {}", words(&e))),
            Err(e) if is_lacking(&e) => found.unchecked.push((name, virtual_text(&e))),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

const VIRTUAL: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage = 0 ORDER BY name";

fn virtual_text(why: &rusqlite::Error) -> String {
    format!(
        "not checked as a virtual table ({}); the tables that hold its rows are checked and copied like any",
        words(why)
    )
}

/// SQLite's check passes over virtual tables whose module is not there.
fn name_unknown_modules(connection: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    for name in names(connection, VIRTUAL)? {
        let told = found.unchecked.iter().any(|(table, _)| *table == name);
        match connection.prepare(&format!("SELECT 1 FROM {} LIMIT 0", quoted(&name))) {
            Ok(_) => {}
            Err(_) if told => {}
            Err(e) if is_damage(&e) => found.faults.push(format!("table {name}: {}", words(&e))),
            Err(e) if is_lacking(&e) => found.unchecked.push((name, virtual_text(&e))),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// What the check of the whole sees and that of each table cannot: a page that two of them take for theirs.
fn pages_of_two_tables(connection: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let twice = "SELECT count(*) - count(DISTINCT pageno) FROM dbstat";
    match connection.query_row(twice, [], |row| row.get::<_, i64>(0)) {
        Ok(0) => Ok(()),
        Ok(n) => {
            found.faults.push(format!("{n} pages are used twice"));
            Ok(())
        }
        Err(e) if is_damage(&e) => {
            found.faults.push(words(&e));
            Ok(())
        }
        Err(e) => Err(e),
    }
}

fn names(connection: &Connection, query: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(query)?.query_map([], |row| text(row, 0))?.collect()
}

/// A text of the schema; what is not UTF-8 in it is replaced.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes().unwrap_or_default()).into_owned())
}

fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether SQLite cannot do it here: a collation, a function, a tokenizer or a module is missing, or does not do what is asked.
pub(super) fn is_lacking(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code & 0xff == rusqlite::ffi::SQLITE_ERROR)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_do_not_make_damage_a_broken_constraint() {
        for text in [
            "wrong # of entries in index NULL value in t.a",
            "row 1 missing from index CHECK constraint failed in t",
            "non-unique entry in index TEXT value in a.b",
            "*** in database main ***\nNULL value in a.b",
            "row not in PRIMARY KEY order for index x stores an imprecise floating-point value for row ",
            "malformed inverted index for FTS5 table main.NULL value in ",
        ] {
            assert_eq!(broken_constraint(text), None, "{text}");
        }
        assert_eq!(
            broken_constraint("non-INT value in a.row 1 missing from index"),
            Some("non-INT value in a.row 1 missing from index")
        );
        let imprecise = "index i stores an imprecise floating-point value for row 17";
        assert_eq!(broken_constraint(imprecise), Some("index i stores an imprecise floating-point value"));
    }
}
