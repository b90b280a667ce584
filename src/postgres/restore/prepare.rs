//! What is known and planned of a restore before anything is done.

use std::borrow::Cow;
use std::io::Read;

use pgformat::Reader;

use crate::Result;
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

/// Plans the restore as for a superuser, so that what is wrong with the archive or the options is said first, and looks at what
/// it would replace.
pub fn prepare<'a, R: Read>(
    target: &mut Connection,
    archive: &Reader<R>,
    options: &'a RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<Prepared<'a>> {
    let server = ServerVersion::new(target.server_version());
    let entries = archive.entries();
    let options = plan::statistics::as_taken(options, entries, server, reporter);
    let plan = plan::plan(entries, source::version(archive.header()), &options, &Destination::of(server))?;
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

impl Prepared<'_> {
    /// For the role that the restore will take: where that is no superuser, the plan is made with what belongs to others
    /// in the target.
    ///
    /// # Errors
    /// A role that cannot be taken; a lost connection.
    pub fn for_role<R: Read>(self, target: &mut Connection, archive: &Reader<R>) -> Result<Self> {
        let Self { plan, options, found } = self;
        let entries = archive.entries();
        let question = Question { entries, settings: &plan.settings, wanted: &plan.wanted, options: &options };
        let Some(foreign) = foreign_objects::ask(target, question)? else {
            return Ok(Self { plan, options, found });
        };
        let server = ServerVersion::new(target.server_version());
        let destination = Destination { foreign: Some(foreign), ..Destination::of(server) };
        let plan = plan::plan(entries, source::version(archive.header()), &options, &destination)?;
        Ok(Self { plan, options, found })
    }
}
