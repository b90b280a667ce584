//! Whether a server takes changes at all. Every entry would fail on one that does not, each with an error of its own.

use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

const HINT: &str = "nothing was changed: give the address of the primary server (target_session_attrs=read-write in the URL \
                    picks it out of several hosts)";

/// Whether the server is a standby, or is being recovered, and only reads.
///
/// # Errors
/// The server's.
pub(super) fn is_standby(target: &mut Connection) -> Result<bool> {
    Ok(target.query("SELECT pg_catalog.pg_is_in_recovery() AS it", &[])?.one()?.bool("it")?)
}

/// Refuses to change anything on a standby. `doing` says what was to be done, worded to follow "could not".
///
/// # Errors
/// [`ErrorKind::Refused`] on one; the server's.
pub fn refuse_standby(target: &mut Connection, doing: &str) -> Result<()> {
    if !is_standby(target)? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, doing)
        .why("the server is a standby, or is being recovered: it can only be read")
        .hint(HINT))
}

/// Refuses to go on in a session that can only read, although its settings were made for writing.
///
/// # Errors
/// [`ErrorKind::Refused`] in one; the server's.
pub(super) fn refuse_read_only(target: &mut Connection) -> Result<()> {
    const DOING: &str = "restore over this connection";
    refuse_standby(target, DOING)?;
    let rows =
        target.query("SELECT pg_catalog.current_setting('transaction_read_only')::pg_catalog.text AS it", &[])?;
    if rows.one()?.string("it")? != "on" {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, DOING)
        .why("the server makes every transaction read-only, whatever the session asks for")
        .hint(HINT))
}
