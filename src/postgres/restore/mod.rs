//! Restoring an archive into a PostgreSQL server: a [`plan`](plan()) made from the archive's table of contents, then an
//! executor that carries it out.
//!
//! The plan is pure: entries, options and a few facts of the target in, steps out. So it can be listed, tested and
//! written as a script without a server. The executor knows nothing of options about what to restore; it runs steps,
//! and puts down what the server refuses with the entry that it belongs to.

mod batch;
mod cascade;
mod copy_text;
mod drop;
mod drops;
mod execute;
pub(in crate::postgres) mod kinds;
mod large_objects;
mod lo_data;
mod options;
mod owner;
mod plan;
#[cfg(test)]
mod plan_tests;
mod rows;
pub(in crate::postgres) mod select;
mod session;
mod source;
mod statements;
mod statistics;
mod subscription;
mod summary;
mod target;

use std::io::Read;

use pgformat::{Header, Reader};

pub use execute::{Data, TakeObject, TakeRows, execute};
pub use options::{RestoreOptions, Sections, Selection};
pub use plan::{Action, Heading, Plan, Purpose, Step, plan};
pub use select::Wanted;
pub use session::{ArchiveSettings, Target};
pub use source::archive_error;
pub use summary::{EntryError, EntryName, RestoreSummary};
pub use target::refuse_unforced;

use crate::Result;
use crate::postgres::version::ServerVersion;
use crate::progress::Reporter;
use crate::wire::Connection;

/// Restores the archive that `archive` reads into the database that `target` is connected to.
///
/// What the server refuses is in the summary; see [`RestoreSummary::is_complete`].
///
/// # Errors
/// [`ErrorKind::Refused`](crate::ErrorKind::Refused) without `force`, before anything is changed; options that name what
/// is not in the archive; an archive that is cut off, before anything is changed where its input can seek; a damaged
/// archive; a lost connection. With `single_transaction` nothing was changed then; without, what was restored before the
/// error remains.
pub fn restore<R: Read>(
    target: &mut Connection,
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    let entries = archive.entries().to_vec();
    let version = version(archive.header());
    let server = ServerVersion(target.server_version());
    let options = statistics::as_taken(options, &entries, server, reporter);
    let options = options.as_ref();
    let plan = plan(&entries, version, options, &Target::of(server))?;
    refuse_unforced(&plan, &entries, options, target)?;
    source::check_end(archive)?;
    execute(&plan, &entries, options, target, archive, reporter)
}

/// The version of the archive's format, as [`plan()`] wants it.
fn version(header: &Header) -> (u8, u8) {
    (header.version.major, header.version.minor)
}
