//! What a restore would do.

use std::io::Read;

use pgformat::Reader;

use crate::Result;
use crate::postgres::archive::{Chosen, EntryIndex};
use crate::postgres::restore::dependents::{Dependent, Doubt, Losses};
use crate::postgres::restore::execute::one_session::Connect;
use crate::postgres::restore::found::Found;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::prepare::{Prepared, prepare};
use crate::postgres::restore::{check, dependents, source, writable};
use crate::progress::{Message, Reporter};
use crate::wire::Connection;

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// What is in the target.
    pub found: Found,
    /// What would become of that, in words.
    pub consequence: String,
    /// What would be dropped along with what is replaced, although it is not in the archive: a restore refuses that, unless it is
    /// asked for.
    pub lost: Vec<Dependent>,
    /// What may be lost: a restore says so, and goes on.
    pub doubtful: Vec<Doubt>,
    /// How many drops there would be before anything is made, whether or not there is something to drop.
    pub drops: usize,
    /// The entries that would be restored, in this order: each one, and what of it.
    pub entries: Vec<(EntryIndex, Chosen)>,
}

/// Says what [`restore_through`](crate::postgres::restore::restore_through) would do with the same archive and options; `force` is not
/// wanted. `connect` is for a look into the database that would be replaced as a whole. Of the archive, its table of contents is
/// read and, where its input can seek, the data, as a restore does. Nothing of
/// what it says is run: the server is asked for its version, the names of what it has and what belongs to others, in
/// transactions that can only read.
///
/// # Errors
/// As a restore before it changes anything.
pub fn preview<R: Read>(
    target: &mut Connection,
    connect: &Connect<'_>,
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<Preview> {
    if writable::is_standby(target)? {
        let text = "it is a standby, which can only be read: a restore into it is refused".to_owned();
        reporter.message(Message::warning("the server", text));
    }
    let prepared = prepare(target, archive, options, reporter)?.for_role(target, archive)?;
    prepared.plan.tell_role_limits(reporter);
    let Losses { certain: lost, doubtful } = dependents::look(target, connect, &prepared, archive.entries())?;
    let Prepared { plan, options, found } = prepared;
    source::check_end(archive)?;
    if options.jobs > 1 {
        source::check_ways(archive, options.jobs)?;
    }
    if options.verify {
        check::alone(archive, &plan.wanted, reporter)?;
    }
    let begun = plan.steps.chunk_by(|a, b| a.entry == b.entry);
    let entries = begun.filter_map(|steps| steps.first().map(|step| (step.entry, plan.wanted[..][step.entry])));
    Ok(Preview {
        consequence: found.consequence(),
        lost,
        doubtful,
        entries: entries.collect(),
        drops: plan.drops.chunk_by(|a, b| a.entry == b.entry).count(),
        found,
    })
}
