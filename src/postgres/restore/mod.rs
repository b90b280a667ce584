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
mod interrupt;
pub(in crate::postgres) mod kinds;
mod large_objects;
mod list_file;
mod lo_data;
mod options;
mod owner;
mod plan;
#[cfg(test)]
mod plan_tests;
mod planner;
mod rows;
mod script;
pub(in crate::postgres) mod select;
mod session;
mod source;
mod statements;
mod statistics;
mod subscription;
mod summary;
mod target;
mod transaction;

use std::io::Read;

use bstr::BStr;
use pgformat::{Header, Reader};

pub use execute::{Connect, Data, TakeObject, TakeRows, execute};
pub use list_file::parse_list;
pub use options::{RestoreOptions, Sections, Selection};
pub use plan::{Action, Heading, Plan, Purpose, Step, plan};
pub use script::{RestrictKey, ScriptSummary, script};
pub use select::Wanted;
pub use session::{ArchiveSettings, Target};
pub use source::archive_error;
pub use summary::{EntryError, EntryName, RestoreSummary};
pub use target::refuse_unforced;

use crate::postgres::version::ServerVersion;
use crate::progress::Reporter;
use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

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
    let nowhere = |database: &BStr| {
        Err(Error::new(ErrorKind::Internal, format!("go on in database \"{database}\""))
            .why("this restore was not told how to connect to another database"))
    };
    restore_through(target, &nowhere, archive, options, reporter)
}

/// As [`restore`]; with `create` in `options`, `connect` makes the connection to the database that was made, and `target`
/// becomes that.
///
/// # Errors
/// As [`restore`]; with `create`, an archive that says nothing of its database, or `target` being a connection to that.
pub fn restore_through<R: Read>(
    target: &mut Connection,
    connect: &Connect<'_>,
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    let entries = archive.shared_entries();
    let version = version(archive.header());
    let server = ServerVersion(target.server_version());
    let options = statistics::as_taken(options, &entries, server, reporter);
    let options = options.as_ref();
    let plan = plan(&entries, version, options, &Target::of(server))?;
    plan.tell_unmatched(reporter);
    refuse_unforced(&plan, &entries, options, target)?;
    source::check_end(archive)?;
    execute(&plan, &entries, options, target, connect, archive, reporter)
}

/// The version of the archive's format, as [`plan()`] wants it.
fn version(header: &Header) -> (u8, u8) {
    (header.version.major, header.version.minor)
}
