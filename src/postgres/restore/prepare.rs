//! What is known and planned of a restore before anything is done.

use std::borrow::Cow;
use std::io::Read;

use pgformat::Reader;

use crate::Result;
use crate::postgres::archive::ArchiveSettings;
use crate::postgres::archive::select;
use crate::postgres::restore::found::Found;
use crate::postgres::restore::non_superuser::foreign_objects::{self, Question};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::destination::Destination;
use crate::postgres::restore::plan::{self, Plan};
use crate::postgres::restore::{check, security_definers, source};
use crate::postgres::version::ServerVersion;
use crate::progress::Reporter;
use crate::wire::Connection;

/// A restore before anything is done.
pub struct Prepared<'a> {
    /// What is to be done.
    pub plan: Plan,
    /// The options, as far as the target can do what they ask for.
    pub options: Cow<'a, RestoreOptions>,
    /// What is in the target.
    pub found: Found,
}

/// Asks the target what it is and what belongs to others in it, plans the restore, and looks at what it would replace.
pub fn prepare<'a, R: Read>(
    target: &mut Connection,
    archive: &Reader<R>,
    options: &'a RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<Prepared<'a>> {
    let server = ServerVersion::new(target.server_version());
    let entries = archive.entries();
    let options = plan::statistics::as_taken(options, entries, server, reporter);
    let (settings, wanted) = (ArchiveSettings::of(entries)?, select::select(entries, &options.request())?);
    let question = Question { entries, settings: &settings, wanted: &wanted, options: &options };
    let destination = Destination { foreign: foreign_objects::ask(target, question)?, ..Destination::of(server) };
    let plan = plan::plan(entries, source::version(archive.header()), &options, &destination)?;
    if options.verify {
        check::texts(entries, &plan.wanted)?;
    }
    plan.settings.check_strings(entries, server)?;
    plan.tell_unmatched(entries, reporter);
    plan::row_oids::tell(archive, &plan, reporter);
    security_definers::tell(entries, &plan, &options, target, reporter);
    let found = Found::look(&plan, entries, &options, target)?;
    Ok(Prepared { plan, options, found })
}
