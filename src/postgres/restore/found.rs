//! What a restore finds in its target, and would replace.

use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::EntryGroup;

use crate::postgres::archive::{Chosen, kinds, text};
use crate::postgres::relkind::relkinds;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::Plan;
use crate::printable::escaped;
use crate::wire::{Begin, Connection, Param};
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, Result};

/// The schema and the name of a table, a view, a sequence or the like.
pub type Relation = (BString, BString);

/// What a restore finds in its target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A database that is restored into.
    Database {
        /// Its name.
        name: BString,
        /// How many tables, views, sequences and the like users have in it, without those of extensions.
        relations: usize,
        /// Those of them that would be dropped and made anew.
        remade: Vec<Relation>,
        /// Those that would be made, but are there already and would not be dropped.
        in_the_way: Vec<Relation>,
        /// Those that would get data only.
        filled: Vec<Relation>,
    },
    /// A database that is to be made.
    Creation {
        /// Its name.
        name: BString,
        /// Whether there is one of that name.
        is_there: bool,
    },
}

/// How many names a refusal shows.
const SHOWN: usize = 5;

impl Found {
    /// Where nobody has looked, because it makes no difference.
    pub(super) const NOT_LOOKED_FOR: Self = Self::Creation { name: BString::new(Vec::new()), is_there: false };

    /// Looks at what is in the target, as far as the plan has to do with it, and changes nothing.
    ///
    /// # Errors
    /// Options that ask for what cannot be; the server's.
    pub(super) fn look(
        plan: &Plan,
        entries: &[Entry],
        options: &RestoreOptions,
        target: &mut Connection,
    ) -> Result<Self> {
        if options.create {
            return Self::creation(entries, options, target);
        }
        // Names are compared with the archive's, byte by byte.
        let begin = Begin::read_only().set("client_encoding", &plan.settings.encoding);
        target.begin(&begin).map_err(|error| plan.settings.not_spoken(error.into()))?;
        let found = Self::among_relations(plan, entries, options, target);
        if !target.is_broken() {
            target.rollback()?;
        }
        found
    }

    fn among_relations(
        plan: &Plan,
        entries: &[Entry],
        options: &RestoreOptions,
        target: &mut Connection,
    ) -> Result<Self> {
        let present = relations(target)?;
        let database = target.query("SELECT pg_catalog.current_database()::pg_catalog.text AS name", &[])?;
        let named = |is_of: fn(EntryGroup, Chosen) -> bool| -> HashSet<(&[u8], &[u8])> {
            let entries =
                entries.iter().zip(&plan.wanted).filter(|(entry, wanted)| is_of(kinds::group(entry), **wanted));
            entries.map(|(entry, _)| (text(&entry.schema).as_bytes(), text(&entry.tag).as_bytes())).collect()
        };
        let made = named(|group, wanted| group == EntryGroup::Relation && wanted.definition);
        let given_data = named(|group, wanted| group == EntryGroup::Data && wanted.data);
        let relations = present.len();
        let (mut remade, mut in_the_way, mut filled) = (Vec::new(), Vec::new(), Vec::new());
        for relation in present {
            let name = (relation.0.as_slice(), relation.1.as_slice());
            if made.contains(&name) {
                if options.clean { &mut remade } else { &mut in_the_way }.push(relation);
            } else if given_data.contains(&name) {
                filled.push(relation);
            }
        }
        Ok(Self::Database { name: database.one()?.string("name")?, relations, remade, in_the_way, filled })
    }

    /// As [`Found::look`], where the database itself is made. One cannot be made while connected to it.
    fn creation(entries: &[Entry], options: &RestoreOptions, target: &mut Connection) -> Result<Self> {
        let Some(entry) = entries.iter().find(|entry| kinds::is(entry, "DATABASE")) else {
            return Err(Error::new(ErrorKind::Usage, "create the database")
                .why("the archive does not say which: it holds a part of one")
                .hint("create it yourself, and restore into it without " + Choice::Create));
        };
        let name = text(&entry.tag);
        let rows = target.query(
            "SELECT pg_catalog.current_database()::pg_catalog.text AS current, \
                    EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1::pg_catalog.text) AS exists",
            &[Param::text(name)],
        )?;
        let row = rows.one()?;
        if row.string("current")? == *name {
            return Err(Error::new(ErrorKind::Usage, format!("create database \"{name}\""))
                .why("it is the one that the URL leads to")
                .hint("give the URL of another database on the same server, such as postgres"));
        }
        let is_there = row.bool("exists")?;
        if is_there && !options.clean {
            return Err(Error::new(ErrorKind::Refused, format!("create database \"{name}\""))
                .why("there is one of that name")
                .hint("without " + Choice::NoClean + " it is dropped before"));
        }
        Ok(Self::Creation { name: name.to_owned(), is_there })
    }

    /// The name of the database.
    pub fn database(&self) -> &BStr {
        match self {
            Self::Database { name, .. } | Self::Creation { name, .. } => name.as_bstr(),
        }
    }

    /// What a restore would do to what is there, in words.
    pub fn consequence(&self) -> String {
        let (relations, parts) = match self {
            Self::Creation { is_there: true, .. } => return "it would be dropped, with all that is in it".to_owned(),
            Self::Creation { is_there: false, .. } => return "there is none of that name".to_owned(),
            Self::Database { relations: 0, .. } => {
                return "the database is empty, and nothing would be replaced".to_owned();
            }
            Self::Database { relations, remade, in_the_way, filled, .. } => {
                let parts = [
                    (remade, "would be dropped and made anew"),
                    (in_the_way, "would be in the way of those of the archive"),
                    (filled, "would get data from the archive on top of their own"),
                ];
                (relation_count(*relations), parts)
            }
        };
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(of, _)| !of.is_empty())
            .map(|(of, verb)| format!("{} {verb}: {}", of.len(), some(of)))
            .collect();
        if parts.is_empty() {
            return format!("the database has {relations}, none of which would be touched");
        }
        format!("of its {relations}, {}", parts.join("; "))
    }

    /// Refuses to go on without `force`. A restore into a server always wants it, even if nothing is there to be replaced: a
    /// command in a cron job must not turn from harmless to destructive by what happens to be in a database.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], with what would be replaced.
    pub(super) fn refuse_unforced(&self, options: &RestoreOptions) -> Result<()> {
        if options.force {
            return Ok(());
        }
        let doing = match self {
            Self::Database { name, .. } => format!("restore into database \"{name}\" without "),
            Self::Creation { name, .. } => format!("create database \"{name}\" without "),
        };
        Err(Error::new(ErrorKind::Refused, Words::from(doing) + Choice::Force)
            .why(self.consequence())
            .hint("give " + Choice::Force + " to go ahead; " + Choice::Preview + " shows each entry"))
    }
}

/// The first names.
fn some(relations: &[Relation]) -> String {
    let names: Vec<String> =
        relations.iter().take(SHOWN).map(|(schema, name)| escaped(&format!("{schema}.{name}")).into_owned()).collect();
    let more = relations.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &more
}

fn relation_count(count: usize) -> String {
    match count {
        1 => "1 table, view or sequence".to_owned(),
        count => format!("{count} tables, views and sequences"),
    }
}

/// The relations that a user made, except those of extensions.
fn relations(target: &mut Connection) -> Result<Vec<Relation>> {
    let rows = target.query(
        concat!(
            "SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ",
            relkinds!(relations),
            " AND c.relpersistence <> 't' \
         AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype \
         = 'e') \
         ORDER BY c.relkind IN ",
            relkinds!(tables),
            " DESC, 1, 2"
        ),
        &[],
    )?;
    rows.iter().map(|row| Ok((row.string("schema")?, row.string("name")?))).collect()
}
