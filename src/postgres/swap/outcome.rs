//! What became of the transaction that renames, where the server was told to commit it and its answer is lost.

use std::thread;
use std::time::{Duration, Instant};

use bstr::{BStr, BString};

use super::names::Rename;
use super::place::Place;
use super::switch::{Given, Giving, names_of};
use crate::wire::{Connection, Param, Query};
use crate::{Error, ErrorKind, Result};

/// How long the server is asked, and how long is waited before it is asked again.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);

/// Commits. Where the answer is lost, the server is asked over another connection what became of it.
///
/// # Errors
/// It was ended before; the server did not commit, and nothing has changed.
pub(super) fn commit(
    mut connection: Connection,
    connect: &dyn Fn() -> Result<Connection>,
    place: &Place,
    aside: Rename,
    new: (&BStr, u32),
    giving: &dyn Giving,
) -> Result<Given> {
    let query = Query::new("the transaction's number", "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS id");
    let id = connection.run(&query)?.one()?.string("id")?;
    giving.commits()?;
    let Err(error) = connection.commit() else { return Ok(Given::Done(aside)) };
    let failed = |kind| {
        Error::new(kind, format!("put another database into the place of \"{}\"", place.name()))
            .hint("nothing was changed")
    };
    // It has said that it did not.
    if !connection.is_broken() {
        return Err(failed(ErrorKind::Server).source(Error::from(error)));
    }
    drop(connection);
    match outcome(connect, place, new, &id) {
        Outcome::Committed => Ok(Given::Done(aside)),
        Outcome::NotCommitted => Err(failed(ErrorKind::Connection).source(Error::from(error))),
        Outcome::NotKnown => Ok(Given::NotKnown(failed(ErrorKind::Connection).source(Error::from(error)).hint(format!(
            "the server was told to commit, and has not said whether it did: if there is a database \"{}\", it is done; \
             if there is not, the restored one is \"{}\"",
            aside.to, new.0
        )))),
    }
}

enum Outcome {
    Committed,
    NotCommitted,
    NotKnown,
}

fn outcome(connect: &dyn Fn() -> Result<Connection>, place: &Place, new: (&BStr, u32), id: &BString) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // A server that cannot be asked now may be on its way up again.
        let asked = connect().and_then(|mut other| {
            other.set_deadline(Some(deadline));
            ask(&mut other, place, new, id)
        });
        match asked {
            Ok(Some(outcome)) => return outcome,
            Ok(None) | Err(_) if Instant::now() < deadline => thread::sleep(PAUSE),
            Ok(None) | Err(_) => return Outcome::NotKnown,
        }
    }
}

/// What the server knows; nothing while the transaction is still on its way. A number alone is not believed: behind the address there may be
/// another server by now, which has used it for something else.
fn ask(connection: &mut Connection, place: &Place, (new, oid): (&BStr, u32), id: &BString) -> Result<Option<Outcome>> {
    let query = Query::new(
        "what became of a transaction",
        "SELECT pg_catalog.pg_xact_status($1::pg_catalog.text::pg_catalog.xid8) AS status",
    );
    let status = connection.run(&query.param(Param::text(id)))?.one()?.opt_string("status")?;
    let is_called = |names: &[(u32, BString)], name: &BStr| names.iter().any(|(of, is)| *of == oid && is == name);
    let names = names_of(connection, &[oid])?;
    Ok(match status.as_ref().map(|status| status.as_slice()) {
        Some(b"in progress") => None,
        Some(b"committed") if is_called(&names, place.name()) => Some(Outcome::Committed),
        Some(b"aborted") if is_called(&names, new) => Some(Outcome::NotCommitted),
        _ => Some(Outcome::NotKnown),
    })
}
