//! What is known and planned of a restore before anything is done.

use std::borrow::Cow;
use std::io::Read;

use pgformat::kinds::EntryGroup;
use pgformat::{Entry, Reader};

use crate::Result;
use crate::postgres::archive::kinds;
use crate::postgres::archive::select::is_extended;
use crate::postgres::restore::found::Found;
use crate::postgres::restore::non_superuser::foreign_objects::{self, Question};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::{Destination, Plan};
use crate::postgres::restore::{check, plan, security_definers, source};
use crate::postgres::version::ServerVersion;
use crate::progress::{Message, Reporter};
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
    let options = as_taken(options, entries, server, reporter);
    let plan = plan::plan(entries, source::version(archive.header()), &options, &destination(server, &options))?;
    if options.verify {
        check::texts(entries, &plan.wanted)?;
    }
    plan.settings.check_strings(entries, server)?;
    if options.literal {
        return Ok(Prepared { plan, options, found: Found::NOT_LOOKED_FOR });
    }
    plan.tell_unmatched(entries, reporter);
    plan.tell_row_oids(archive, reporter);
    security_definers::tell(entries, &plan, &options, target, reporter);
    let found = Found::look(&plan, entries, &options, target)?;
    Ok(Prepared { plan, options, found })
}

/// What the server understands, in the words of the tools that the options name.
fn destination(server: ServerVersion, options: &RestoreOptions) -> Destination {
    Destination { owners_by_kind: options.dialect.owners_by_kind(), ..Destination::of(server) }
}

impl Prepared<'_> {
    /// For the role that the restore will take: where that is no superuser, the plan is made with what belongs to others
    /// in the target.
    pub fn for_role<R: Read>(self, target: &mut Connection, archive: &Reader<R>) -> Result<Self> {
        let Self { plan, options, found } = self;
        let entries = archive.entries();
        let question = Question { entries, settings: &plan.settings, wanted: &plan.wanted, options: &options };
        let Some(foreign) = foreign_objects::ask(target, question)? else {
            return Ok(Self { plan, options, found });
        };
        let server = ServerVersion::new(target.server_version());
        let destination = Destination { foreign: Some(foreign), ..destination(server, &options) };
        let plan = plan::plan(entries, source::version(archive.header()), &options, &destination)?;
        Ok(Self { plan, options, found })
    }
}

/// `options` as they are for a server of this version: without the statistics where it has no functions for them, which
/// is said once and not as an error for each. They are no loss, for the server can make them anew.
fn as_taken<'a>(
    options: &'a RestoreOptions,
    entries: &[Entry],
    server: ServerVersion,
    reporter: &dyn Reporter,
) -> Cow<'a, RestoreOptions> {
    if !options.statistics || server.restores_extended_statistics() {
        return Cow::Borrowed(options);
    }
    let statistics = server.restores_statistics();
    let left_out =
        |entry: &&Entry| kinds::group(entry) == EntryGroup::StatisticsData && (!statistics || is_extended(entry));
    let count = entries.iter().filter(left_out).count();
    if count > 0 {
        let of = match (statistics, count) {
            (false, 1) => "relation in the archive",
            (false, _) => "relations in the archive",
            (true, 1) => "extended statistics object in the archive",
            (true, _) => "extended statistics objects in the archive",
        };
        let since = if statistics { 19 } else { 18 };
        let text = format!(
            "those of {count} {of} are left out: the server is PostgreSQL {server}, and only {since} and later take any; \
             make them with ANALYZE"
        );
        reporter.message(Message::warning("statistics", text));
    }
    Cow::Owned(RestoreOptions { statistics, extended_statistics: false, ..options.clone() })
}
