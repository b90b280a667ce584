//! Which databases there are.

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::select::database_pattern;
use crate::postgres::session::Session;
use crate::printable;
use crate::wire::{Param, Query};

/// The databases of the session's server that can be connected to, `template1` first and then by their names, but for the
/// template that nobody changes and for those that match one of the patterns.
///
/// # Errors
/// A pattern with dots, which part no database's name.
pub fn databases(session: &mut Session, exclude: &[BString]) -> Result<Vec<BString>> {
    let mut expressions = Vec::with_capacity(exclude.len());
    for pattern in exclude {
        let expression = database_pattern(pattern.as_bstr()).ok_or_else(|| {
            Error::new(ErrorKind::Usage, "find the databases to leave out").why(format!(
                "improper qualified name (too many dotted names): {}",
                printable::name(pattern.as_bstr())
            ))
        })?;
        expressions.push(expression);
    }
    let query = Query::new(
        "the databases",
        "SELECT d.datname FROM pg_catalog.pg_database AS d \
         WHERE d.datallowconn AND d.datconnlimit <> -2 AND d.datname <> 'template0' \
         AND NOT EXISTS (SELECT FROM pg_catalog.unnest($1) AS p (expression) \
           WHERE d.datname OPERATOR(pg_catalog.~) p.expression COLLATE pg_catalog.\"default\") \
         ORDER BY d.datname <> 'template1', d.datname",
    );
    let rows = session.connection().run(&query.param(Param::texts(&expressions)))?;
    rows.iter().map(|row| Ok(row.string("datname")?)).collect()
}
