//! From an archive's table of contents to the steps that restore it. No server is asked and nothing is read but the
//! table of contents, so that every option can be tested, listed and written as a script.

pub(in crate::postgres::restore) mod cost;
pub(in crate::postgres::restore) mod drop_statement;
pub(in crate::postgres::restore) mod large_objects;
pub(in crate::postgres::restore) mod owner;
pub(in crate::postgres::restore) mod planner;
pub(in crate::postgres::restore) mod row_oids;
pub(in crate::postgres::restore) mod settings;
pub(in crate::postgres::restore) mod standard_strings;
pub(in crate::postgres::restore) mod statistics;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use bstr::BString;
use pgformat::kinds::{Group, Pass};
use pgformat::{DumpId, Entry};

use crate::Result;
use crate::postgres::archive::ArchiveSettings;
use crate::postgres::archive::kinds;
use crate::postgres::archive::select::{self, Chosen};
use crate::postgres::restore::non_superuser::Limits;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::parallel;
use crate::postgres::restore::plan::planner::Planner;
use crate::postgres::restore::plan::settings::Target;
use crate::progress::{Message, Reporter};

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Where each entry is among the archive's entries.
    pub places: HashMap<DumpId, usize>,
    /// Which entries may be restored beside others; none where everything goes over one connection.
    pub apart: Vec<bool>,
    /// What is left alone, because of the role that carries it out.
    pub limits: Limits,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The entry it is done for, as its place among the archive's entries.
    pub entry: usize,
    /// What is done.
    pub action: Action,
}

/// The comment above an entry in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    /// The entry's definition follows.
    Definition,
    /// The entry's data follows.
    Data,
    /// Statistics follow.
    Statistics,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The comment above an entry, in a script.
    Heading(Heading),
    /// A drop, one statement or more.
    Drop(BString),
    /// A drop of a base type along with the functions that it is made of: they need each other, so that neither can be
    /// dropped before the other. Only to be done if it takes nothing else along.
    DropCascade(BString),
    /// A setting for what follows.
    Set(BString),
    /// A statement that lets another role do what follows.
    Become(BString),
    /// Going on in the database of this name, which was just made or changed.
    Connect(BString),
    /// The entry's definition: statements that succeed or fail together. It is the archive's, unless there is another text:
    /// definitions can be large, and a plan needs no copy of them.
    Define(Option<BString>),
    /// What belongs to a definition but is a statement of its own: owner, access method of a partitioned table.
    Alter(BString),
    /// A statement for each of many large objects.
    EachLargeObject {
        /// What the statements are for.
        purpose: Purpose,
        /// The statement up to the OID.
        before: BString,
        /// The statement after the OID; without the semicolon.
        after: BString,
        /// The entry that lists the OIDs, as its place among the archive's entries.
        oids_of: usize,
    },
    /// Rows for a COPY statement.
    CopyRows {
        /// The statement.
        statement: BString,
        /// The entry that creates the table, if it is in the archive: rows have nowhere to go without it.
        table: Option<usize>,
    },
    /// Data that consists of statements.
    RunData {
        /// As for rows.
        table: Option<usize>,
    },
    /// Large objects.
    LargeObjects {
        /// Whether they must be created first: archives before 1.12 have no entries for that.
        create: bool,
        /// Whether an object of the same OID goes first.
        replace: bool,
    },
    /// Something the program that made the archive wanted to be said.
    Say(BString),
}

/// What statements for each large object are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Take them away.
    Drop,
    /// Make them.
    Create,
    /// Say who owns or may use them.
    Alter,
}

/// Plans the restore of an archive with these `entries`, made in a format of this `(major, minor)` version.
///
/// # Errors
/// Options that name what is not there; settings in the archive that make no sense.
pub fn plan(entries: &[Entry], version: (u8, u8), options: &RestoreOptions, target: &Target) -> Result<Plan> {
    let settings = ArchiveSettings::of(entries)?;
    let (wanted, unmatched) = select::select_and_tell(entries, &options.request())?;
    let places = select::places(entries);
    let order = select::order(entries, &options.request(), &places)?;
    // With no definition wanted at all it is a restore of data only, asked for or not.
    let data_only = !options.schema || !wanted.iter().any(|wanted| wanted.definition);
    let mut planner = Planner::new(entries, places, version, options, target, &settings, data_only);
    if options.clean {
        // A database that is made anew is dropped with all that is in it, and nothing else may be: the connection is
        // still one to another database.
        let is_there = |at: usize| !options.create || kinds::group(&entries[at]) == Group::Database;
        for &at in order.iter().rev().filter(|at| is_there(**at) && (wanted[**at].definition || wanted[**at].data)) {
            planner.drop(at);
        }
    }
    let drops = planner.end_of_drops();
    let apart = match options.jobs > 1 && !target.is_script {
        true => parallel::apart(entries, &wanted),
        false => vec![false; entries.len()],
    };
    for pass in [Pass::Main, Pass::Acl, Pass::PostAcl] {
        for &at in order.iter().filter(|at| wanted[**at].any() && kinds::pass(&entries[**at]) == pass) {
            if parallel::begins_anew(&apart, planner.steps.last(), at) {
                planner.forget_settings();
            }
            planner.restore(at, wanted[at])?;
        }
    }
    let Planner { steps, places, .. } = planner;
    let session = settings.statements(options, target);
    Ok(Plan { settings, session, drops, steps, wanted, unmatched, places, apart, limits: Limits::default() })
}

impl Plan {
    /// Whether a plan has anything to do for the entry at this place.
    pub fn is_wanted(&self, at: usize) -> bool {
        self.wanted.get(at).is_some_and(|wanted| wanted.any())
    }

    /// Says what of the options means nothing for the archive: it may be a slip.
    pub(super) fn tell_unmatched(&self, entries: &[Entry], reporter: &dyn Reporter) {
        let warn = |subject: &str, text: &str| {
            reporter.message(Message::warning(subject, text));
        };
        for name in &self.unmatched {
            warn(name, "the archive has nothing of that name that the other options leave in");
        }
        if self.unmatched.is_empty() && !self.wanted.iter().any(|wanted| wanted.any()) {
            let is_object = |entry| !matches!(kinds::group(entry), Group::Session | Group::Database);
            warn(
                "nothing to restore",
                match entries.iter().any(is_object) {
                    true => "the options leave in nothing of what is in the archive",
                    false => "there is nothing in the archive: its database was empty, or nothing of it was asked for",
                },
            );
        }
    }
}
