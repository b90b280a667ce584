//! The tables of a live database.

use std::path::Path;
use std::time::Duration;

use bstr::BString;

use super::table::{Contents, Rows, Source, Table};
use crate::cli::progress::Console;
use crate::connect::Target;
use crate::postgres::dump::DumpOptions;
use crate::postgres::status::{RowCount, TableStatus, status};
use crate::sqlite::{self, Object};
use crate::{Database, Result};

pub(super) fn contents(
    database: &Database,
    exact: bool,
    role: Option<String>,
    lock_wait: Duration,
    console: &Console,
) -> Result<Contents> {
    match database {
        Database::Sqlite(target) => of_sqlite(&target.path, Source::Database, console),
        Database::Postgres(target) => {
            let options = DumpOptions::default().role(role.map(BString::from)).lock_wait(Some(lock_wait));
            of_postgres(target, &options, exact, console)
        }
    }
}

fn of_postgres(target: &Target, options: &DumpOptions, exact: bool, console: &Console) -> Result<Contents> {
    let found = status(&|| target.connect(), options, exact, console)?;
    let table = |table: TableStatus| Table {
        schema: Some(table.schema),
        name: table.name,
        rows: match table.rows {
            RowCount::Exact(number) => Rows::exact(number),
            RowCount::Estimated(number) => Rows::estimated(number),
            RowCount::Unknown(why) => Rows::not_counted(why),
        },
        bytes: table.bytes,
        total_bytes: table.total_bytes,
        stored_bytes: None,
    };
    Ok(Contents {
        source: Source::Database,
        name: target.describe(),
        tables: found.tables.into_iter().map(table).collect(),
        large_objects: Some(found.large_objects),
    })
}

/// Of an SQLite database, be it live or a backup.
pub(super) fn of_sqlite(path: &Path, source: Source, console: &Console) -> Result<Contents> {
    let found = sqlite::contents(path, console)?;
    let mut sizes = sqlite::sizes(path, console)?;
    let table = |object: Object| {
        let size = sizes.remove(&object.name);
        Table {
            schema: None,
            rows: match object.rows {
                Some(Ok(number)) => Rows::exact(number),
                Some(Err(uncounted)) => Rows::not_counted(uncounted.why),
                None => Rows::default(),
            },
            name: object.name.into(),
            bytes: size.map(|(bytes, _)| bytes),
            total_bytes: size.map(|(_, bytes)| bytes),
            stored_bytes: None,
        }
    };
    let mut tables: Vec<Table> = found.objects.into_iter().filter(|object| object.kind == "table").map(table).collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Contents { source, name: path.display().to_string(), tables, large_objects: None })
}
