//! What a restore's drops would take along that is not in the archive.
//!
//! A drop without `CASCADE` takes along what depends on the object automatically, internally or as a part of it, and the members of
//! an extension: partitions with their rows, owned sequences, indexes, triggers, policies, memberships in publications. The server
//! is asked for all of that by its own dependencies, from what the plan would drop, in a fixed number of queries; then it is held
//! against the archive by kind and name.
//!
//! Not named, because they are not objects but say something about one: privileges, default ones included, comments, security labels,
//! settings, and the properties of a column other than its default.

mod additions;
mod archived;
mod columns;
mod database;
mod definition;
pub mod going;
pub mod loss;
mod names;
mod present;
mod rows;
pub mod sift;

use bstr::{BStr, ByteSlice};
use pgformat::Entry;

use archived::Archived;
pub use going::Going;
pub use loss::{Dependent, Doubt, Losses};
pub use names::{Address, Named};
pub use present::Present;
pub use rows::Moment;

use crate::postgres::restore::execute::one_session::Connect;
use crate::postgres::restore::found::Found;
use crate::postgres::restore::plan::Plan;
use crate::postgres::restore::prepare::Prepared;
use crate::progress::Reporter;
use crate::wire::{Begin, Connection};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result, printable};

/// Looks at what the plan's drops would take along, before anything is changed.
pub fn look(
    target: &mut Connection,
    connect: &Connect<'_>,
    prepared: &Prepared<'_>,
    entries: &[Entry],
) -> Result<Losses> {
    let Prepared { plan, found, .. } = prepared;
    if plan.drops.is_empty() {
        return Ok(Losses::default());
    }
    match found {
        Found::Creation { is_there: false, .. } => Ok(Losses::default()),
        Found::Creation { name, is_there: true } => {
            let mut within = connect(name.as_bstr()).map_err(|error| unseen(name.as_bstr(), error))?;
            reading(&mut within, plan, |within| database::lost(within, plan, entries))
        }
        Found::Database { .. } => reading(target, plan, |target| sift::lost(target, plan, entries, Moment::Before)),
    }
}

fn unseen(name: &BStr, error: Error) -> Error {
    Error::new(ErrorKind::Refused, format!("look at what is in database \"{name}\", which would be dropped"))
        .source(error)
        .hint(Choice::DropDependents + " drops it unseen")
}

/// Asks within a transaction that can only read, in the archive's encoding.
fn reading<T>(target: &mut Connection, plan: &Plan, ask: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
    let begin = Begin::read_only().set("client_encoding", &plan.settings.encoding).set("quote_all_identifiers", "off");
    target.begin(&begin).map_err(|error| plan.settings.not_spoken(error.into()))?;
    let asked = ask(target);
    if !target.is_broken() {
        target.rollback()?;
    }
    asked
}

/// Refuses to go on where something would be lost. What goes all the same, and what may, is given back.
///
/// # Errors
/// [`ErrorKind::Refused`], with what it is; as [`look`].
pub fn refuse(
    target: &mut Connection,
    connect: &Connect<'_>,
    prepared: &Prepared<'_>,
    entries: &[Entry],
) -> Result<Losses> {
    let losses = look(target, connect, prepared, entries)?;
    match losses.certain.is_empty() || prepared.options.drop_dependents {
        true => Ok(losses),
        false => Err(loss::refusal(&losses.certain, prepared.found.database())),
    }
}

/// As [`refuse`], and says what goes or may go, right before it does.
pub fn refuse_and_tell(
    target: &mut Connection,
    connect: &Connect<'_>,
    prepared: &Prepared<'_>,
    entries: &[Entry],
    reporter: &dyn Reporter,
) -> Result<()> {
    match refuse(target, connect, prepared, entries) {
        Err(error) if prepared.options.drop_dependents && error.kind() == ErrorKind::Refused => {
            let subject = format!("database \"{}\"", printable::name(prepared.found.database()));
            loss::warn(reporter, subject, "it is dropped unseen");
        }
        losses => loss::tell(&losses?, reporter),
    }
    Ok(())
}
