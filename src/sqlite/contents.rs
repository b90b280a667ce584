//! What is in a database: its objects, and how many rows each table has.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::digest::quoted;
use super::error::{CallContext, words};
use super::header::Header;
use super::integrity::{is_lacking, text};
use super::source::{Opening, Source, pass_over_unknown_collations};
use crate::error::Result;
use crate::progress::Reporter;

/// How long a writer is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(10);

/// What a database file holds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Contents {
    /// What the file says about itself.
    pub header: Header,
    /// The encoding of its texts.
    pub encoding: String,
    /// The number an application keeps for its own schema version.
    pub user_version: i64,
    /// The number that says which application the file belongs to.
    pub application_id: i64,
    /// Tables, indexes, views and triggers, in the order of their creation.
    pub objects: Vec<Object>,
}

/// A table, index, view or trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table that it belongs to; its own name for a table or a view.
    pub table: String,
    /// For a table: its rows, or why they cannot be counted.
    pub rows: Option<std::result::Result<u64, Uncounted>>,
}

/// Why the rows of a table cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uncounted {
    /// What SQLite says.
    pub why: String,
    /// Whether the database is to blame: otherwise something is missing that the application has, such as the module of a virtual
    /// table.
    pub damage: bool,
}

/// Reads what is in the database file at `path`, which may be in use.
pub fn contents(path: &Path, reporter: &dyn Reporter) -> Result<Contents> {
    let doing = format!("list what is in {}", path.display());
    let header = Header::read(path, &doing)?;
    let source = Source::open(path, Opening::new(WAIT, reporter.cancellation()), &doing)?;
    let contents = of(&source, header, &doing)?;
    source.check_undisturbed(&doing)?;
    Ok(contents)
}

/// Reads what is in a database whose file says this about itself.
pub(super) fn of(source: &Source, header: Header, doing: &str) -> Result<Contents> {
    let about = CallContext { doing, database: &source.path, written: None, waited: WAIT };
    read(&source.connection, header).map_err(|e| about.failed(e))
}

fn read(connection: &Connection, header: Header) -> rusqlite::Result<Contents> {
    pass_over_unknown_collations(connection)?;
    // One transaction, so that all the numbers are of one moment.
    connection.execute_batch("BEGIN")?;
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get(0));
    let encoding = connection.query_row("PRAGMA encoding", [], |row| row.get(0))?;
    let (user_version, application_id) = (number("PRAGMA user_version")?, number("PRAGMA application_id")?);
    let mut statement = connection.prepare("SELECT type, name, tbl_name FROM sqlite_schema ORDER BY rowid")?;
    let mut objects = statement
        .query_map([], |row| Ok(Object { kind: text(row, 0)?, name: text(row, 1)?, table: text(row, 2)?, rows: None }))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for object in objects.iter_mut().filter(|o| o.kind == "table") {
        let count = format!("SELECT count(*) FROM {}", quoted(&object.name));
        let counted = connection.query_row(&count, [], |row| row.get::<_, i64>(0));
        let uncounted = |e: rusqlite::Error| Uncounted { why: words(&e), damage: !is_lacking(&e) };
        object.rows = Some(counted.map(i64::unsigned_abs).map_err(uncounted));
    }
    connection.execute_batch("COMMIT")?;
    Ok(Contents { header, encoding, user_version, application_id, objects })
}
