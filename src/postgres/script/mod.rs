//! Writes a plan as a script for psql: the same bytes that pg_restore writes for the same archive and options, or pg_dump for the
//! same database.
//!
//! It stands above dumps and restores, which know nothing of it: of an archive it takes the reader that a restore takes, and of a
//! database ([`of_database`]) a dump's session and its plan, with no archive in between.
//!
//! An archive in tar format has a script beside its data, so that it is made from here as well ([`tar_of_database`]).
//!
//! Of a hostile archive, not everything is written as it is, where pg_restore does: a line break in the kind of an entry or
//! in the versions that the archive names would end the comment that they stand in, and what psql would take for a command of
//! its own is refused (`guard.rs`).

mod compressed;
mod guard;
mod key;
mod large_objects;
mod live;
mod psql;
mod style;
mod tar;
mod text;
mod writer;

use std::io::{Read, Write};

use pgformat::Reader;

use crate::Result;
use crate::postgres::restore::RestoreOptions;
use crate::postgres::restore::plan::cost::Cost;
use crate::postgres::restore::plan::plan;
use crate::postgres::restore::source;
use crate::progress::Reporter;

use guard::Guard;
use text::Beginning;
use writer::{Job, Script};

pub use compressed::compressed;
pub(in crate::postgres) use guard::{Watch, written};
pub use key::RestrictKey;
pub use live::of_database;
pub use style::Style;
pub use tar::tar_of_database;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScriptSummary {
    /// Entries that the script restores.
    pub entries: u64,
    /// Tables whose rows are in it.
    pub tables: u64,
    /// Rows in it; of an archive, those that are COPY's.
    pub rows: u64,
    /// Large objects in it.
    pub large_objects: u64,
    /// What rows and large objects amount to.
    pub data_bytes: u64,
    /// Its size.
    pub bytes: u64,
}

/// Writes a script that restores the archive that `archive` reads, to `out`.
///
/// # Errors
/// Options that name what is not in the archive; an archive that is cut off, before anything is written where its input
/// can seek; a damaged archive; what writing fails with.
pub fn of_archive<R: Read>(
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    style: &Style,
    key: &RestrictKey,
    out: &mut dyn Write,
    reporter: &dyn Reporter,
) -> Result<ScriptSummary> {
    let entries = archive.shared_entries();
    let header = archive.header().clone();
    let plan = plan(&entries, source::version(&header), options, &style.destination())?;
    plan.tell_unmatched(&entries, reporter);
    plan.tell_row_oids(archive, reporter);
    let guard = Guard::of_archive(&plan.settings, true);
    guard.check(&plan, &entries)?;
    if !options.literal {
        source::check_end(archive)?;
    }
    let cost = Cost::of_script(&entries, source::sizes(archive)?);
    let beginning = Beginning {
        server: header.server_version.clone(),
        dumper: header.dumper_version.clone(),
        started: if style.verbose { text::created(header.created) } else { None },
    };
    let (key, is_beside_data) = (Some(key), false);
    let job = Job {
        plan: &plan,
        entries: &entries,
        options,
        style,
        key,
        is_beside_data,
        cost: &cost,
        guard: &guard,
        reporter,
    };
    let mut script = Script::new(job, out);
    script.all(&beginning, cost.phase("write", &entries, &plan.steps), archive)?;
    let summary = script.summary;
    source::finish(archive, reporter);
    Ok(summary)
}
