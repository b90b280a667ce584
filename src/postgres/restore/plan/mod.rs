//! From an archive's table of contents to the steps that restore it. No server is asked and nothing is read but the
//! table of contents, so that every option can be tested, listed and written as a script.

pub mod cost;
mod destination;
mod drop_statement;
pub mod large_objects;
pub mod owner;
mod planner;
mod settings;
mod standard_strings;
pub mod step;
mod subscription;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Read;

use bstr::BString;
use pgformat::kinds::{EntryGroup, RestorePass};
use pgformat::{DumpId, Entry, Reader, Section};

pub use destination::Destination;
use planner::Planner;
pub use step::{Action, Heading, Purpose, Step};

use crate::Result;
use crate::postgres::archive::{ArchiveSettings, Chosen, EntryIndex, EntryName, kinds, select};
use crate::postgres::restore::non_superuser::review::Steps;
use crate::postgres::restore::non_superuser::role_limits::RoleLimits;
use crate::postgres::restore::options::RestoreOptions;
use crate::progress::{Message, Reporter};

/// What is to be done, in order. Nothing of it is changed once it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// What the archive says about the session.
    pub settings: ArchiveSettings,
    /// The statements that begin the session.
    pub session: Vec<BString>,
    /// What takes away, before anything is made.
    pub drops: Vec<Step>,
    /// What makes. The steps of an entry follow each other.
    pub steps: Vec<Step>,
    /// What is wanted of each entry.
    pub wanted: Vec<Chosen>,
    /// Names in the options that match nothing in the archive, in words.
    pub unmatched: Vec<String>,
    /// Whether that is to be told.
    pub tells_unmatched: bool,
    /// Where each entry is among the archive's entries.
    pub places: HashMap<DumpId, EntryIndex>,
    /// Which entries may be restored beside others; none where everything goes over one connection.
    pub apart: Vec<bool>,
    /// What is left alone, because of the role that carries it out.
    pub role_limits: RoleLimits,
}

/// Plans the restore of an archive with these `entries`, made in a format of this `(major, minor)` version.
///
/// # Errors
/// Options that name what is not there; settings in the archive that make no sense.
pub fn plan(entries: &[Entry], version: (u8, u8), options: &RestoreOptions, destination: &Destination) -> Result<Plan> {
    let settings = ArchiveSettings::of(entries)?;
    let (wanted, unmatched) = select::select_and_tell(entries, &options.request())?;
    let places = select::places(entries);
    let order = select::order(entries, &options.request(), &places)?;
    let apart = match options.jobs > 1 && !destination.is_script {
        true => entries_apart(entries, &wanted),
        false => vec![false; entries.len()],
    };
    // With no definition wanted at all it is a restore of data only, asked for or not.
    let data_only = !options.schema || !wanted.iter().any(|wanted| wanted.definition);
    let mut planner = Planner::new(entries, places, version, options, destination, &settings, data_only);
    if options.clean {
        // A database that is made anew is dropped with all that is in it, and nothing else may be: the connection is
        // still one to another database.
        let is_there = |at: EntryIndex| !options.create || kinds::group(&entries[at]) == EntryGroup::Database;
        let is_wanted = |at: EntryIndex| wanted[..][at].definition || wanted[..][at].data;
        order.iter().rev().filter(|at| is_there(**at) && is_wanted(**at)).for_each(|at| planner.drop(*at));
    }
    let drops = planner.end_of_drops();
    for pass in [RestorePass::Main, RestorePass::Acl, RestorePass::PostAcl] {
        for &at in order.iter().filter(|at| wanted[..][**at].any() && kinds::pass(&entries[**at]) == pass) {
            // What is carried out apart must not rely on the settings of what comes before it.
            if apart[..][at] || planner.steps.last().is_some_and(|before| apart[..][before.entry]) {
                planner.forget_settings();
            }
            planner.restore(at, wanted[..][at])?;
        }
    }
    let Planner { steps, places, .. } = planner;
    let (Steps { drops, steps }, role_limits) = match &destination.foreign {
        Some(foreign) => Steps { drops, steps }.for_role(entries, options, foreign, settings.standard_strings),
        None => (Steps { drops, steps }, RoleLimits::default()),
    };
    let session = settings::session(&settings, options, destination);
    let tells_unmatched = !options.literal;
    Ok(Plan { settings, session, drops, steps, wanted, unmatched, tells_unmatched, places, apart, role_limits })
}

/// For each entry, whether it may be restored beside others: what belongs to the data or comes after it, and what is said
/// about such objects or needs them. What else comes before the data is made in the archive's order, and privileges,
/// which can be about one row of a catalog, are given one after the other.
pub(super) fn entries_apart(entries: &[Entry], wanted: &[Chosen]) -> Vec<bool> {
    let mut places: HashMap<DumpId, usize> = HashMap::new();
    let mut apart: Vec<bool> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let after = || entry.dependencies.iter().filter_map(|id| places.get(id)).any(|&on| apart[on]);
        let is_late = match entry.section {
            Section::Data | Section::PostData => true,
            Section::None => kinds::is_dependent(entry) && after(),
            // A function, say, that returns rows of a materialized view whose key is made after the data.
            Section::PreData => after(),
        };
        let is_apart =
            is_late && kinds::pass(entry) != RestorePass::Acl && wanted.get(at).is_some_and(|wanted| wanted.any());
        places.insert(entry.dump_id, at);
        apart.push(is_apart);
    }
    apart
}

impl Plan {
    /// Whether a plan has anything to do for an entry.
    pub fn is_wanted(&self, at: EntryIndex) -> bool {
        at.of(&self.wanted).is_some_and(|wanted| wanted.any())
    }

    /// Whether the object of an entry is to be made.
    pub fn makes(&self, at: EntryIndex) -> bool {
        at.of(&self.wanted).is_some_and(|wanted| wanted.definition)
    }

    /// Whether an entry may be restored beside others.
    pub fn is_apart(&self, at: EntryIndex) -> bool {
        at.of(&self.apart).copied().unwrap_or(false)
    }

    /// Says what is left alone because of the role.
    pub fn tell_role_limits(&self, reporter: &dyn Reporter) {
        self.role_limits.messages.iter().for_each(|message| reporter.message(message.clone()));
    }

    /// Says what of the options means nothing for the archive: it may be a slip.
    pub fn tell_unmatched(&self, entries: &[Entry], reporter: &dyn Reporter) {
        if !self.tells_unmatched {
            return;
        }
        let warn = |subject: &str, text: &str| reporter.message(Message::warning(subject, text));
        for name in &self.unmatched {
            warn(name, "the archive has nothing of that name that the other options leave in");
        }
        if self.unmatched.is_empty() && !self.wanted.iter().any(|wanted| wanted.any()) {
            let is_object = |entry| !matches!(kinds::group(entry), EntryGroup::Session | EntryGroup::Database);
            warn(
                "nothing to restore",
                match entries.iter().any(is_object) {
                    true => "the options leave in nothing of what is in the archive",
                    false => "there is nothing in the archive: its database was empty, or nothing of it was asked for",
                },
            );
        }
    }

    /// Says of which tables the OIDs of rows are not restored: no server that is restored into has them, so that a table made
    /// `WITH OIDS` comes back without the column `oid`. Rows that were dumped with their OIDs are refused by the server.
    pub(in crate::postgres) fn tell_row_oids<R: Read>(&self, archive: &Reader<R>, reporter: &dyn Reporter) {
        for (entry, wanted) in archive.entries().iter().zip(&self.wanted) {
            if wanted.definition && archive.has_row_oids(entry.dump_id) {
                reporter.message(Message::warning(
                    EntryName::of(entry).to_string(),
                    "its rows had OIDs, which servers have no more: it is restored without the column oid",
                ));
            }
        }
    }
}
