//! Checksums of tables, to show that two databases hold the same rows.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use super::error::CallContext;
use super::source::{Opening, Source, pass_over_unknown_collations};
use crate::error::Result;
use crate::progress::Reporter;

/// What a table holds, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableDigest {
    /// The table.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over all values of all rows, in the order of their keys, as hexadecimal digits.
    pub sha256: String,
}

/// Computes the checksum of every table in the database at `path`, in the order of their names, in one snapshot. What
/// virtual tables hold is in tables of their own, and counted there.
pub fn digest_file(path: &Path, reporter: &dyn Reporter) -> Result<Vec<TableDigest>> {
    let doing = format!("compute the checksums of the tables in {}", path.display());
    let wait = Duration::from_secs(60);
    let source = Source::open(path, Opening::new(wait, reporter.cancellation()), &doing)?;
    let about = CallContext { doing: &doing, database: path, written: None, waited: wait };
    let connection = &source.connection;
    let digests = || -> rusqlite::Result<Vec<TableDigest>> {
        pass_over_unknown_collations(connection)?;
        connection.execute_batch("BEGIN")?;
        let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name COLLATE BINARY";
        let names = connection
            .prepare(list)?
            .query_map([], |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let digests = names.into_iter().map(|name| digest(connection, name)).collect::<rusqlite::Result<_>>()?;
        connection.execute_batch("COMMIT")?;
        Ok(digests)
    };
    let digests = digests().map_err(|e| about.failed(e))?;
    source.check_undisturbed(&doing)?;
    Ok(digests)
}

/// Reads every stored value of every row of `table`.
pub(super) fn digest(connection: &Connection, table: String) -> rusqlite::Result<TableDigest> {
    let columns = stored_columns(connection, &table)?;
    // NOT INDEXED: by the table itself, in the order of its key, not by an index that might be damaged or say less.
    let select = format!("SELECT {} FROM {} NOT INDEXED", columns.join(", "), quoted(&table));
    let mut statement = connection.prepare(&select)?;
    let mut rows = statement.query([])?;
    let mut hash = Sha256::new();
    let mut count = 0_u64;
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns.len() {
            absorb(&mut hash, row.get_ref(column)?);
        }
    }
    let mut sha256 = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing into a string cannot fail.
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(TableDigest { table, rows: count, sha256 })
}

/// Each value with its type and its length, so that no two different rows look the same.
fn absorb(hash: &mut Sha256, value: ValueRef<'_>) {
    let mut put = |kind: u8, bytes: &[u8]| {
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    match value {
        ValueRef::Null => put(0, &[]),
        ValueRef::Integer(n) => put(1, &n.to_le_bytes()),
        ValueRef::Real(x) => put(2, &x.to_bits().to_le_bytes()),
        ValueRef::Text(text) => put(3, text),
        ValueRef::Blob(bytes) => put(4, bytes),
    }
}

/// The columns that are stored, not computed: computing may need functions that only the application has.
fn stored_columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid")?;
    statement.query_map([table], |row| Ok(quoted(&row.get::<_, String>(0)?)))?.collect()
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
