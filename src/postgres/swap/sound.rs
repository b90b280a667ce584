//! The last look at a restored database before it takes another one's place.

use bstr::ByteSlice;

use crate::wire::{Connection, Query};
use crate::{Error, ErrorKind, Result, printable};

/// Checks what a restore without errors can leave all the same: an index or a key that is not valid, which no archive has. (That each
/// table has as many rows as were sent is an error of the restore's if it is not so.)
///
/// # Errors
/// There is one; the server's.
pub(crate) fn check(connection: &mut Connection) -> Result<()> {
    let query = Query::new(
        "what is not valid",
        "SELECT i.indexrelid::pg_catalog.regclass::pg_catalog.text AS name FROM pg_catalog.pg_index AS i \
         WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) ORDER BY 1 LIMIT 5",
    );
    let rows = connection.run(&query)?;
    let names: Vec<String> =
        rows.iter().map(|row| Ok(printable::name(row.text("name")?.as_bstr()))).collect::<Result<_>>()?;
    if names.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Server, "find the restored database sound")
        .why(format!("indexes in it are not valid: {}", names.join(", "))))
}
