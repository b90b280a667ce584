//! Turns entries into steps, one after the other.

use std::collections::HashMap;

use bstr::{BString, ByteSlice};
use pgformat::kinds::EntryGroup;
use pgformat::{DumpId, Entry, Section};

use crate::postgres::archive::copy_statement::CopyStatement;
use crate::postgres::archive::{ArchiveSettings, Chosen, EntryIndex, EntryName, copy_statement, kinds, text};
use crate::postgres::relkind::Relkind;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::{
    Action, Destination, Heading, Step, drop_statement, large_objects, owner, standard_strings, subscription,
};
use crate::sql::Encoding;
use crate::sql::quote;
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// A plan in the making: the steps so far, and what is set when they have been taken.
pub struct Planner<'a> {
    entries: &'a [Entry],
    pub places: HashMap<DumpId, EntryIndex>,
    old_large_objects: bool,
    options: &'a RestoreOptions,
    destination: &'a Destination,
    fixed_path: bool,
    data_only: bool,
    standard_strings: bool,
    /// Whether the archive's string literals must be written anew for the target to read them as they are meant.
    escapes: bool,
    /// Who does what follows, empty for the one who began; `None` where that is not known.
    user: Option<BString>,
    schema: Option<BString>,
    tablespace: Option<BString>,
    access_method: Option<BString>,
    pub steps: Vec<Step>,
}

impl<'a> Planner<'a> {
    pub fn new(
        entries: &'a [Entry],
        places: HashMap<DumpId, EntryIndex>,
        version: (u8, u8),
        options: &'a RestoreOptions,
        destination: &'a Destination,
        settings: &ArchiveSettings,
        data_only: bool,
    ) -> Self {
        Self {
            entries,
            places,
            old_large_objects: version < (1, 12),
            options,
            destination,
            fixed_path: settings.search_path.is_some(),
            data_only,
            standard_strings: settings.standard_strings || !destination.nonstandard_strings,
            escapes: !settings.standard_strings && !destination.nonstandard_strings,
            user: None,
            schema: None,
            tablespace: None,
            access_method: None,
            steps: Vec::new(),
        }
    }

    fn push(&mut self, entry: EntryIndex, action: Action) {
        self.steps.push(Step { entry, action });
    }

    /// A statement of the archive's, as the target is to read it.
    fn readable(&self, statement: BString) -> BString {
        if self.escapes { standard_strings::with_escapes(&statement).unwrap_or(statement) } else { statement }
    }

    fn head(&mut self, entry: EntryIndex, heading: Heading) {
        if self.destination.is_script {
            self.push(entry, Action::Heading(heading));
        }
    }

    /// The steps so far, which are the drops.
    pub fn end_of_drops(&mut self) -> Vec<Step> {
        // The schema that the search path was set to may be gone now.
        self.schema = None;
        std::mem::take(&mut self.steps)
    }

    pub fn drop(&mut self, at: EntryIndex) {
        let action_of = if self.destination.is_script || self.options.literal {
            drop_statement::for_script
        } else {
            drop_statement::action
        };
        let Some(action) = action_of(&self.entries[at], at, self.options.if_exists) else { return };
        self.become_owner(at);
        self.use_schema(at, text(&self.entries[at].schema).to_owned());
        let action = match action {
            Action::Drop(statement) => Action::Drop(self.readable(statement)),
            other => other,
        };
        self.push(at, action);
    }

    pub fn restore(&mut self, at: EntryIndex, wanted: Chosen) -> Result<()> {
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
            self.define(at, Heading::Definition)?;
            if kinds::group(entry) == EntryGroup::Database {
                self.connect(at);
            }
        }
        if wanted.data && entry.has_data {
            self.load(at)?;
        }
        if wanted.statistics {
            self.define(at, Heading::Statistics)?;
        }
        Ok(())
    }

    fn define(&mut self, at: EntryIndex, heading: Heading) -> Result<()> {
        let entry = &self.entries[at];
        self.use_settings(at);
        self.head(at, heading);
        if let Some(each) = large_objects::definition(self.entries, at, &self.places)? {
            for action in each {
                self.push(at, action);
            }
        } else if !text(&entry.definition).trim_ascii().is_empty() {
            let other = if kinds::is(entry, "SUBSCRIPTION") {
                Some(subscription::without_unknown_options(text(&entry.definition).into(), self.destination))
            } else {
                owner::other_definition(entry, self.options)
            };
            let other = match (&other, self.escapes) {
                (None, true) => standard_strings::with_escapes(text(&entry.definition)),
                _ => other.map(|statement| self.readable(statement)),
            };
            self.push(at, Action::Define(other));
        }
        let is_comment = text(&entry.definition).starts_with(b"--");
        if self.options.owner
            // The schema that is only spoken of is there already, and not its owner's.
            && (!self.options.session_authorization || (kinds::is(entry, "SCHEMA") && is_comment))
            && let Some(action) = owner::change(entry, at, self.options, self.destination.owners_by_kind)
        {
            self.push(at, action);
        }
        // A partitioned table has no storage, and so does not take the default.
        if entry.relkind == Relkind::PartitionedTable.letter()
            && let Some(method) = self.access_method_of(entry)
        {
            let method = [b" SET ACCESS METHOD ", self.options.quoted(&method).as_slice(), b";"].concat();
            self.push(at, Action::Alter(self.alter_table(entry, &method)));
        }
        if kinds::group(entry) == EntryGroup::Acl {
            // Privileges that others granted are granted in their names.
            self.user = None;
        }
        Ok(())
    }

    /// Goes on in the database that the entry made: nothing of what was set holds there.
    fn connect(&mut self, at: EntryIndex) {
        self.push(at, Action::Connect(text(&self.entries[at].tag).into()));
        self.forget_settings();
    }

    /// Takes nothing for set any more: what follows is done in another session.
    pub fn forget_settings(&mut self) {
        (self.user, self.schema, self.tablespace, self.access_method) = (None, None, None, None);
    }

    fn load(&mut self, at: EntryIndex) -> Result<()> {
        let entry = &self.entries[at];
        self.use_settings(at);
        let table = self.table_of(entry);
        self.head(at, Heading::Data);
        let disable = self.data_only && self.options.disable_triggers && kinds::is(entry, "TABLE DATA");
        let superuser = self.options.superuser.clone().unwrap_or_default();
        if disable {
            self.become_user(at, superuser.clone());
            self.push(at, Action::Alter(self.alter_table(entry, b" DISABLE TRIGGER ALL;")));
            self.become_owner(at);
        }
        let action = match text(&entry.desc).as_bytes() {
            b"BLOBS" => {
                self.use_schema(at, "pg_catalog".into());
                Action::LargeObjects {
                    create: self.old_large_objects,
                    replace: self.old_large_objects && self.options.clean,
                }
            }
            b"BLOB COMMENTS" => {
                self.use_schema(at, "pg_catalog".into());
                Action::RunData { table: None }
            }
            _ => match entry.copy_statement.as_ref().filter(|statement| !statement.trim_ascii().is_empty()) {
                Some(statement) if CopyStatement::parse(statement).is_none() => {
                    return Err(Error::new(ErrorKind::Archive, format!("restore {}", EntryName::of(entry)))
                        .why(copy_statement::IS_NONE)
                        .hint("nothing was changed; " + Choice::List + " can leave the entry out"));
                }
                Some(statement) => Action::CopyRows { statement: statement.clone(), table },
                None => Action::RunData { table },
            },
        };
        self.push(at, action);
        if disable {
            self.become_user(at, superuser);
            self.push(at, Action::Alter(self.alter_table(entry, b" ENABLE TRIGGER ALL;")));
        }
        Ok(())
    }

    /// Lets the entry's owner do what follows, where that is how owners come to their objects.
    fn become_owner(&mut self, at: EntryIndex) {
        if self.options.owner && self.options.session_authorization {
            self.become_user(at, text(&self.entries[at].owner).into());
        }
    }

    /// Lets `user` do what follows; an empty name is that of the one who began.
    fn become_user(&mut self, at: EntryIndex, user: BString) {
        if self.user.as_ref() == Some(&user) {
            return;
        }
        let mut statement = b"SET SESSION AUTHORIZATION ".to_vec();
        match user.is_empty() {
            true => statement.extend_from_slice(b"DEFAULT"),
            false => quote::literal(&mut statement, user.as_bstr(), self.standard_strings, Encoding::Safe),
        }
        statement.push(b';');
        self.push(at, Action::Become(statement.into()));
        self.user = Some(user);
    }

    /// The entry that makes the table whose rows `entry` holds.
    fn table_of(&self, entry: &Entry) -> Option<EntryIndex> {
        let at = entry.dependencies.first().and_then(|id| self.places.get(id)).copied()?;
        let table = &self.entries[at];
        (table.section == Section::PreData && table.tag == entry.tag && table.schema == entry.schema).then_some(at)
    }

    fn use_settings(&mut self, at: EntryIndex) {
        let entry = &self.entries[at];
        self.become_owner(at);
        self.use_schema(at, text(&entry.schema).to_owned());
        if self.options.tablespaces
            && let Some(tablespace) = &entry.tablespace
            && self.tablespace.as_ref() != Some(tablespace)
        {
            let name = if tablespace.is_empty() { b"''".to_vec() } else { self.options.quoted(tablespace) };
            self.set(at, "default_tablespace", &name);
            self.tablespace = Some(tablespace.clone());
        }
        if entry.relkind != Relkind::PartitionedTable.letter()
            && let Some(method) = self.access_method_of(entry)
            && self.access_method.as_ref() != Some(&method)
        {
            self.set(at, "default_table_access_method", &self.options.quoted(&method));
            self.access_method = Some(method);
        }
    }

    /// The access method to ask the target for. One without table access methods has `heap` and nothing else; asking
    /// it for another must fail, and be seen to.
    fn access_method_of(&self, entry: &Entry) -> Option<BString> {
        let method = entry.table_access_method.as_ref().filter(|_| self.options.table_access_methods)?;
        (self.destination.table_access_methods || method != "heap").then(|| method.clone())
    }

    /// Sets the search path to the entry's schema, in archives that rely on it.
    fn use_schema(&mut self, at: EntryIndex, schema: BString) {
        if self.fixed_path || schema.is_empty() || self.schema.as_ref() == Some(&schema) {
            return;
        }
        let mut path = self.options.quoted(&schema);
        if schema != "pg_catalog" {
            path.extend_from_slice(b", pg_catalog");
        }
        self.set(at, "search_path", &path);
        self.schema = Some(schema);
    }

    fn alter_table(&self, entry: &Entry, change: &[u8]) -> BString {
        [b"ALTER TABLE ", owner::qualified_name(entry, self.options).as_slice(), change].concat().into()
    }

    fn set(&mut self, at: EntryIndex, setting: &str, value: &[u8]) {
        let statement = [b"SET ", setting.as_bytes(), b" = ", value, b";"].concat();
        self.push(at, Action::Set(statement.into()));
    }
}
