//! From an archive's table of contents to the steps that restore it. No server is asked and nothing is read but the
//! table of contents, so that every option can be tested, listed and written as a script.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};
use pgformat::kinds::Pass;
use pgformat::{DumpId, Entry, Section};

use super::drop::{DropText, drop_text};
use super::kinds::{self, text};
use super::large_objects;
use super::options::RestoreOptions;
use super::owner;
use super::select::{self, Wanted};
use super::session::{ArchiveSettings, Target};
use super::subscription;
use crate::Result;
use crate::sql::quote;

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the archive says about the session.
    pub settings: ArchiveSettings,
    /// The statements that begin the session.
    pub session: Vec<BString>,
    /// Everything after that.
    pub steps: Vec<Step>,
    /// What is wanted of each entry.
    pub wanted: Vec<Wanted>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The entry it is done for, as its place among the archive's entries.
    pub entry: usize,
    /// What a script says above it.
    pub heading: Option<Heading>,
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
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A drop, one statement or more.
    Drop(BString),
    /// A drop of a base type along with the functions that it is made of: they need each other, so that neither can be
    /// dropped before the other. Only to be done if it takes nothing else along.
    DropCascade(BString),
    /// A setting for what follows.
    Set(BString),
    /// The entry's definition: statements that succeed or fail together.
    Define(BString),
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
    let wanted = select::select(entries, options)?;
    let mut planner = Planner {
        entries,
        old_large_objects: version < (1, 12),
        options,
        target,
        fixed_path: settings.search_path.is_some(),
        // With no definition wanted at all it is a restore of data only, asked for or not.
        data_only: !wanted.iter().any(|wanted| wanted.definition),
        standard_strings: settings.standard_strings,
        is_superuser: false,
        places: entries.iter().enumerate().map(|(at, entry)| (entry.dump_id, at)).collect(),
        schema: None,
        tablespace: None,
        access_method: None,
        steps: Vec::new(),
    };
    let order = order(entries, options, &planner.places);
    if options.clean {
        for &at in order.iter().rev().filter(|at| wanted[**at].any()) {
            planner.drop(at);
        }
        // The schema that the search path was set to may be gone now.
        planner.schema = None;
    }
    for pass in [Pass::Main, Pass::Acl, Pass::PostAcl] {
        for &at in order.iter().filter(|at| wanted[**at].any() && kinds::pass(&entries[**at]) == pass) {
            planner.restore(at, wanted[at])?;
        }
    }
    let steps = planner.steps;
    let session = settings.statements(options, target);
    Ok(Plan { settings, session, steps, wanted })
}

/// The order of the entries: the archive's, or the list's.
fn order(entries: &[Entry], options: &RestoreOptions, places: &HashMap<DumpId, usize>) -> Vec<usize> {
    match &options.list {
        Some(list) => {
            let mut seen = vec![false; entries.len()];
            let places = list.iter().filter_map(|id| places.get(id).copied());
            places.filter(|at| !std::mem::replace(&mut seen[*at], true)).collect()
        }
        None => (0..entries.len()).collect(),
    }
}

struct Planner<'a> {
    entries: &'a [Entry],
    old_large_objects: bool,
    options: &'a RestoreOptions,
    target: &'a Target,
    fixed_path: bool,
    data_only: bool,
    standard_strings: bool,
    is_superuser: bool,
    places: HashMap<DumpId, usize>,
    schema: Option<BString>,
    tablespace: Option<BString>,
    access_method: Option<BString>,
    steps: Vec<Step>,
}

impl Planner<'_> {
    fn push(&mut self, entry: usize, action: Action) {
        self.steps.push(Step { entry, heading: None, action });
    }

    /// Puts a heading above the next step.
    fn head(&mut self, from: usize, heading: Heading) {
        if let Some(step) = self.steps.get_mut(from) {
            step.heading = Some(heading);
        }
    }

    fn drop(&mut self, at: usize) {
        let Some(drop) = drop_text(&self.entries[at], self.options.if_exists) else { return };
        self.use_schema(at, text(&self.entries[at].schema).to_owned());
        self.push(
            at,
            match drop {
                DropText::Statement(statement) => Action::Drop(statement),
                DropText::Cascade(statement) => Action::DropCascade(statement),
                DropText::EachLargeObject { before, after } => Action::EachLargeObject {
                    purpose: Purpose::Drop,
                    before: before.into(),
                    after: after.into(),
                    oids_of: at,
                },
            },
        );
    }

    fn restore(&mut self, at: usize, wanted: Wanted) -> Result<()> {
        let entry = &self.entries[at];
        if kinds::is(entry, "WARNING") {
            let warning =
                [&entry.definition, &entry.copy_statement].into_iter().map(text).find(|text| !text.is_empty());
            if let Some(warning) = warning {
                self.push(at, Action::Say(warning.into()));
            }
            return Ok(());
        }
        if wanted.definition || (wanted.data && !entry.has_data) {
            self.define(at)?;
        }
        if wanted.data && entry.has_data {
            self.load(at);
        }
        Ok(())
    }

    fn define(&mut self, at: usize) -> Result<()> {
        let entry = &self.entries[at];
        self.use_settings(at);
        let first = self.steps.len();
        if let Some(each) = large_objects::definition(self.entries, at, &self.places)? {
            for action in each {
                self.push(at, action);
            }
        } else if let Some(statement) = owner::definition(entry, self.options) {
            let statement = if kinds::is(entry, "SUBSCRIPTION") {
                subscription::without_unknown_options(statement, self.target)
            } else {
                statement
            };
            self.push(at, Action::Define(statement));
        }
        self.head(first, Heading::Definition);
        if self.options.owner
            && let Some(action) = owner::change(entry, at)
        {
            self.push(at, action);
        }
        // A partitioned table has no storage, and so does not take the default.
        if entry.relkind == b'p'
            && let Some(method) = self.access_method_of(entry)
        {
            let mut statement = b"ALTER TABLE ".to_vec();
            owner::qualified_name(&mut statement, entry);
            statement.extend_from_slice(b" SET ACCESS METHOD ");
            quote::ident(&mut statement, BStr::new(method.as_slice()));
            statement.push(b';');
            self.push(at, Action::Alter(statement.into()));
        }
        Ok(())
    }

    fn load(&mut self, at: usize) {
        let entry = &self.entries[at];
        self.use_settings(at);
        let table = self.table_of(entry);
        let disable = self.data_only && self.options.disable_triggers && kinds::is(entry, "TABLE DATA");
        if disable {
            self.become_superuser(at);
            self.push(at, Action::Alter(triggers(entry, "DISABLE")));
        }
        let first = self.steps.len();
        let action = match text(&entry.desc).as_bytes() {
            b"BLOBS" => Action::LargeObjects {
                create: self.old_large_objects,
                replace: self.old_large_objects && self.options.clean,
            },
            b"BLOB COMMENTS" => {
                self.use_schema(at, "pg_catalog".into());
                Action::RunData { table: None }
            }
            _ => match entry.copy_statement.as_ref().filter(|statement| !statement.trim_ascii().is_empty()) {
                Some(statement) => Action::CopyRows { statement: statement.clone(), table },
                None => Action::RunData { table },
            },
        };
        self.push(at, action);
        self.head(first, Heading::Data);
        if disable {
            self.push(at, Action::Alter(triggers(entry, "ENABLE")));
        }
    }

    /// Takes the identity of the superuser, once.
    fn become_superuser(&mut self, at: usize) {
        if !std::mem::replace(&mut self.is_superuser, true) {
            let mut statement = b"SET SESSION AUTHORIZATION ".to_vec();
            match &self.options.superuser {
                Some(name) => quote::literal(&mut statement, BStr::new(name.as_slice()), self.standard_strings),
                None => statement.extend_from_slice(b"DEFAULT"),
            }
            statement.push(b';');
            self.push(at, Action::Set(statement.into()));
        }
    }

    /// The entry that makes the table whose rows `entry` holds.
    fn table_of(&self, entry: &Entry) -> Option<usize> {
        let at = entry.dependencies.first().and_then(|id| self.places.get(id)).copied()?;
        let table = &self.entries[at];
        (table.section == Section::PreData && table.tag == entry.tag && table.schema == entry.schema).then_some(at)
    }

    fn use_settings(&mut self, at: usize) {
        let entry = &self.entries[at];
        self.use_schema(at, text(&entry.schema).to_owned());
        if self.options.tablespaces
            && let Some(tablespace) = &entry.tablespace
            && self.tablespace.as_ref() != Some(tablespace)
        {
            let mut statement = b"SET default_tablespace = ".to_vec();
            match tablespace.is_empty() {
                true => statement.extend_from_slice(b"''"),
                false => quote::ident(&mut statement, BStr::new(tablespace.as_slice())),
            }
            statement.push(b';');
            self.push(at, Action::Set(statement.into()));
            self.tablespace = Some(tablespace.clone());
        }
        if entry.relkind != b'p'
            && let Some(method) = self.access_method_of(entry)
            && self.access_method.as_ref() != Some(&method)
        {
            let mut statement = b"SET default_table_access_method = ".to_vec();
            quote::ident(&mut statement, BStr::new(method.as_slice()));
            statement.push(b';');
            self.push(at, Action::Set(statement.into()));
            self.access_method = Some(method);
        }
    }

    /// The access method to ask the target for. One without table access methods has `heap` and nothing else; asking
    /// it for another must fail, and be seen to.
    fn access_method_of(&self, entry: &Entry) -> Option<BString> {
        let method = entry.table_access_method.as_ref().filter(|_| self.options.table_access_methods)?;
        (self.target.table_access_methods || method != "heap").then(|| method.clone())
    }

    /// Sets the search path to the entry's schema, in archives that rely on it.
    fn use_schema(&mut self, at: usize, schema: BString) {
        if self.fixed_path || schema.is_empty() || self.schema.as_ref() == Some(&schema) {
            return;
        }
        let mut statement = b"SET search_path = ".to_vec();
        quote::ident(&mut statement, BStr::new(schema.as_slice()));
        if schema != "pg_catalog" {
            statement.extend_from_slice(b", pg_catalog");
        }
        statement.push(b';');
        self.push(at, Action::Set(statement.into()));
        self.schema = Some(schema);
    }
}

/// The statement that switches a table's triggers.
fn triggers(entry: &Entry, verb: &str) -> BString {
    let mut statement = b"ALTER TABLE ".to_vec();
    owner::qualified_name(&mut statement, entry);
    statement.extend_from_slice(format!(" {verb} TRIGGER ALL;").as_bytes());
    statement.into()
}

impl Plan {
    /// Whether a plan has anything to do for the entry at this place.
    pub fn is_wanted(&self, at: usize) -> bool {
        self.wanted.get(at).is_some_and(|wanted| wanted.any())
    }
}
