//! Columns of the shared catalogs that nobody knew when this was written: what they say would be lost.

use bstr::ByteSlice;

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalog::known_columns;
use crate::printable;
use crate::wire::{Query, Rows};
use crate::words::Choice;

pub(super) fn query() -> Query {
    Query::new(
        "the columns of the catalogs of roles and tablespaces",
        "SELECT c.relname AS catalog, a.attname AS column FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND a.attnum > 0 AND NOT a.attisdropped \
         AND c.relname IN ('pg_authid', 'pg_auth_members', 'pg_db_role_setting', 'pg_parameter_acl', 'pg_tablespace', \
           'pg_shdescription', 'pg_shseclabel') ORDER BY 1, a.attnum",
    )
}

/// Checks that there are none.
pub(super) fn check(rows: &Rows) -> Result<()> {
    for row in rows.iter() {
        let (catalog, column) = (row.text("catalog")?, row.text("column")?);
        let is_known = known_columns(catalog).is_some_and(|mut known| known.any(|known| column == known));
        if !is_known {
            let (catalog, column) = (printable::name(catalog), printable::name(column.as_bstr()));
            return Err(Error::new(ErrorKind::Incomplete, "read the roles and tablespaces")
                .why(format!("the server's catalog {catalog} has a column {column}, which is not known"))
                .hint("use a newer lifeboat, or go on without what it says: " + Choice::AcceptUnknown));
        }
    }
    Ok(())
}
