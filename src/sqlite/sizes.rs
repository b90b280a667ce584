//! How much room each table takes, with its indexes.

use std::collections::HashMap;
use std::path::Path;

use super::contents::WAIT;
use super::error::CallContext;
use super::integrity::text;
use super::source::{Opening, Source};
use crate::error::Result;
use crate::progress::Reporter;

/// The bytes in the pages of each table of the database at `path`, and the same with those of its indexes. Every page is looked at.
pub(crate) fn sizes(path: &Path, reporter: &dyn Reporter) -> Result<HashMap<String, (u64, u64)>> {
    let doing = format!("see how large the tables in {} are", path.display());
    let source = Source::open(path, Opening::new(WAIT, reporter.cancellation()), &doing)?;
    let about = CallContext { doing: &doing, database: &source.path, written: None, waited: WAIT };
    let sql = "SELECT o.tbl_name, sum(d.pgsize) FILTER (WHERE o.type = 'table'), sum(d.pgsize) \
               FROM dbstat AS d JOIN sqlite_schema AS o ON o.name = d.name WHERE d.aggregate = 1 GROUP BY 1";
    let read = || {
        let mut statement = source.connection.prepare(sql)?;
        let number = |row: &rusqlite::Row<'_>, column| {
            row.get::<_, Option<i64>>(column).map(|bytes| u64::try_from(bytes.unwrap_or_default()).unwrap_or_default())
        };
        let sizes = statement.query_map([], |row| Ok((text(row, 0)?, (number(row, 1)?, number(row, 2)?))))?;
        sizes.collect::<rusqlite::Result<HashMap<_, _>>>()
    };
    let sizes = read().map_err(|error| about.failed(error))?;
    source.check_undisturbed(&doing)?;
    Ok(sizes)
}
