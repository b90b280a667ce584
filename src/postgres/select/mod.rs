//! Which objects were asked for.
//!
//! A [`Selection`] holds patterns, as they were typed; [`resolve`] finds what matches them in the database, and the
//! [`Selected`] that comes of it says what is wanted of a schema, a relation, an extension. All other objects go by the
//! schema that they are in, or, in none, by whether everything is being dumped.

mod fault;
mod path;
mod pattern;
mod resolve;

use std::collections::HashSet;

use bstr::{BStr, BString};

use super::catalogs::FIRST_USER_OID;
use super::components::Components;
use crate::options::options;

pub use fault::PatternFault;
pub(super) use pattern::of_databases as database_pattern;
pub use resolve::resolve;

/// The role that owns schema public since PostgreSQL 15, `pg_database_owner`.
const DATABASE_OWNER_ROLE: u32 = 6171;

options! {
    /// What to dump, as patterns by the rules of psql: `*` and `?` stand for any and for one character, a dot parts the
    /// schema from the name, letters are folded to lower case outside of double quotes, and regular expressions work.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Selection {
        /// Only these schemas, with what is in them.
        pub schemas: Vec<BString> = Vec::new(),
        /// None of these schemas.
        pub exclude_schemas: Vec<BString> = Vec::new(),
        /// Only these tables, views, sequences, foreign tables and materialized views.
        pub tables: Vec<BString> = Vec::new(),
        /// The same, with their partitions and the tables that inherit from them.
        pub tables_and_children: Vec<BString> = Vec::new(),
        /// None of these tables.
        pub exclude_tables: Vec<BString> = Vec::new(),
        /// The same, with their partitions and the tables that inherit from them.
        pub exclude_tables_and_children: Vec<BString> = Vec::new(),
        /// These tables without their rows.
        pub exclude_table_data: Vec<BString> = Vec::new(),
        /// The same, with their partitions and the tables that inherit from them.
        pub exclude_table_data_and_children: Vec<BString> = Vec::new(),
        /// Of the extensions only these, and nothing else unless it is selected, too.
        pub extensions: Vec<BString> = Vec::new(),
        /// Of the extensions only these, and everything else: what `include extension` means in a filter file of
        /// `pg_dump`.
        pub extensions_beside_others: Vec<BString> = Vec::new(),
        /// None of these extensions.
        pub exclude_extensions: Vec<BString> = Vec::new(),
        /// The rows of foreign tables of these foreign servers.
        pub foreign_data: Vec<BString> = Vec::new(),
        /// Every pattern of what to include must match something, not only one of each sort.
        pub strict_names: bool = false,
    }
}

impl Selection {
    /// Whether nothing was selected, so that what is not excluded is dumped.
    pub fn is_everything(&self) -> bool {
        let only = [&self.schemas, &self.tables, &self.tables_and_children, &self.extensions];
        only.iter().all(|patterns| patterns.is_empty())
    }
}

/// What was asked for, as OIDs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selected {
    /// Whether a selection of schemas, tables or extensions was made.
    is_partial: bool,
    schemas: Option<HashSet<u32>>,
    excluded_schemas: HashSet<u32>,
    relations: Option<HashSet<u32>>,
    excluded_relations: HashSet<u32>,
    excluded_data: HashSet<u32>,
    extensions: Option<HashSet<u32>>,
    excluded_extensions: HashSet<u32>,
    foreign_servers: HashSet<u32>,
}

/// What is wanted of a schema, before its membership of an extension is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfSchema {
    /// Of the schema itself.
    pub own: Components,
    /// Of the objects in it.
    pub contents: Components,
    /// Whether it is made by CREATE SCHEMA; public, unless it is asked for by name, is taken to be there.
    pub created: bool,
}

impl Selected {
    /// Whether no selection of schemas, tables or extensions was made.
    pub fn is_everything(&self) -> bool {
        !self.is_partial
    }

    /// What is wanted of a schema and of what is in it.
    pub fn schema(&self, oid: u32, name: &BStr, owner: u32) -> OfSchema {
        let all = |parts| OfSchema { own: parts, contents: parts, created: true };
        let unless_excluded = if self.relations.is_some() {
            all(Components::NONE)
        } else if let Some(schemas) = &self.schemas {
            all(if schemas.contains(&oid) { Components::ALL } else { Components::NONE })
        } else if name == "pg_catalog" {
            all(Components::PRIVILEGES)
        } else if name.starts_with(b"pg_") || name == "information_schema" {
            all(Components::NONE)
        } else if name == "public" {
            let own = if owner == DATABASE_OWNER_ROLE {
                Components::ALL.without(Components::DEFINITION)
            } else {
                Components::ALL
            };
            OfSchema { own, contents: Components::ALL, created: false }
        } else {
            all(Components::ALL)
        };
        if !self.excluded_schemas.contains(&oid) {
            return unless_excluded;
        }
        OfSchema { own: Components::NONE, contents: Components::NONE, ..unless_excluded }
    }

    /// What is wanted of a relation that is no member of an extension; `in_schema` is what is wanted in its schema.
    pub fn relation(&self, oid: u32, in_schema: Components) -> Components {
        let unless_excluded = match &self.relations {
            Some(relations) if relations.contains(&oid) => Components::ALL,
            Some(_) => Components::NONE,
            None => in_schema,
        };
        if self.excluded_relations.contains(&oid) { Components::NONE } else { unless_excluded }
    }

    /// Whether a relation's rows were not excluded.
    pub fn has_data(&self, relation: u32) -> bool {
        !self.excluded_data.contains(&relation)
    }

    /// Whether the rows of a foreign server's tables are wanted.
    pub fn has_foreign_data(&self, server: u32) -> bool {
        self.foreign_servers.contains(&server)
    }

    /// What is wanted of an extension.
    pub fn extension(&self, oid: u32) -> Components {
        if oid < FIRST_USER_OID {
            // It is in every database; what its members' privileges were changed to is not.
            return Components::PRIVILEGES;
        }
        let is_selected = self.extensions.as_ref().map_or(!self.is_partial, |extensions| extensions.contains(&oid));
        if is_selected && !self.excluded_extensions.contains(&oid) { Components::ALL } else { Components::NONE }
    }

    /// Whether the rows that users put into a configuration table are wanted. `extension` is the extension with what is
    /// wanted of it, `schema` the table's schema with the same.
    pub fn configuration(&self, extension: (u32, Components), table: u32, schema: (u32, Components)) -> bool {
        let left_out = self.extensions.as_ref().is_some_and(|extensions| !extensions.contains(&extension.0))
            || self.excluded_extensions.contains(&extension.0)
            || self.excluded_relations.contains(&table)
            || self.excluded_schemas.contains(&schema.0);
        let asked_for = extension.1.has(Components::DEFINITION)
            || self.relations.as_ref().is_some_and(|relations| relations.contains(&table))
            || schema.1.has(Components::DATA);
        asked_for && !left_out
    }

    /// What is wanted of an object that is in no schema.
    pub fn in_no_schema(&self) -> Components {
        if self.is_partial { Components::NONE } else { Components::ALL }
    }
}
