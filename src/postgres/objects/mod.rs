//! The kinds of object, one file a kind.
//!
//! A kind's file owns what is peculiar to it: its catalog query (one for all objects of the kind), its [`Body`], what it
//! adds to the dependency graph, its tie-break in the order, its CREATE, DROP and ALTER text. Adding a kind is one file
//! here, one line in [`KINDS`], one directory of tests, and one row in pgformat's table of entry kinds.
//!
//! [`Body`]: super::model::Body

mod access_method;
pub mod aggregate;
mod cast;
mod collation;
mod constraint;
mod conversion;
mod database;
mod default_privileges;
mod deparse;
pub(in crate::postgres) mod event_trigger;
pub mod extended_statistics;
mod extension;
mod foreign_data_wrapper;
mod foreign_key;
mod foreign_server;
pub mod function;
mod index;
mod language;
mod large_object;
mod on_table;
mod operator;
mod operator_class;
mod operator_family;
mod operator_members;
mod policy;
pub(in crate::postgres) mod publication;
pub mod relation;
pub mod relation_statistics;
pub mod rule;
mod schema;
mod subscription;
mod text_search;
mod transform;
mod trigger;
pub mod types;

use std::fmt::Display;

use super::catalog::Scope;
use super::catalogs::Catalog;
use super::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Query, Rows};

pub use schema::Schema;

/// When a kind's queries run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before tables are locked: what is needed to know which tables those are.
    Survey,
    /// Under the locks: everything else.
    Definitions,
}

/// A kind of object.
pub trait Kind: Sync {
    /// What the kind is called in messages.
    fn name(&self) -> &'static str;

    /// The catalogs whose rows this kind accounts for.
    fn catalogs(&self) -> &'static [Catalog];

    /// The letters of `pg_class.relkind` whose rows this kind reads; the survey of relations passes them over.
    fn relation_letters(&self) -> &'static [u8] {
        &[]
    }

    /// When its queries run.
    fn stage(&self) -> Stage {
        Stage::Definitions
    }

    /// Its catalog queries: a fixed number, each for all objects at once.
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query>;

    /// Adds its objects to the model; `rows` are the results of its queries, in their order. Kinds that come before it
    /// in [`KINDS`] have added theirs.
    ///
    /// # Errors
    /// A row cannot be read, or says something that this kind does not know how to dump.
    fn collect(&self, rows: &[Rows], scope: &Scope<'_>, model: &mut Model) -> Result<()>;

    /// Adds what depends on all objects being there: dependencies that the server does not record, above all.
    ///
    /// # Errors
    /// The objects contradict each other.
    fn link(&self, _model: &mut Model, _scope: &Scope<'_>) -> Result<()> {
        Ok(())
    }
}

/// Every kind, in the order in which they are read.
pub const KINDS: &[&dyn Kind] = &[
    // Survey.
    &database::Databases,
    &extension::Extensions,
    &schema::Schemas,
    &relation::Relations,
    // Definitions.
    &types::Types,
    &function::Functions,
    &aggregate::Aggregates,
    &language::Languages,
    &cast::Casts,
    &transform::Transforms,
    &relation::Columns,
    &relation::ColumnDefaults,
    &relation::TableChecks,
    &relation::AllDetails,
    &relation::Sequences,
    &relation::Inheritance,
    &relation::Attaches,
    &rule::Rules,
    &relation::Data,
    &index::Indexes,
    &index::IndexAttaches,
    &constraint::IndexConstraints,
    &relation_statistics::AllRelationStatistics,
    &foreign_key::ForeignKeys,
    &trigger::Triggers,
    &event_trigger::EventTriggers,
    &policy::Policies,
    &default_privileges::AllDefaultPrivileges,
    &large_object::LargeObjects,
    &operator::Operators,
    &access_method::AccessMethods,
    &operator_class::OperatorClasses,
    &operator_family::OperatorFamilies,
    &text_search::Parsers,
    &text_search::Templates,
    &text_search::Dictionaries,
    &text_search::Configurations,
    &foreign_data_wrapper::ForeignDataWrappers,
    &foreign_server::ForeignServers,
    &collation::Collations,
    &conversion::Conversions,
    &extended_statistics::ExtendedStatistics,
    &publication::Publications,
    &subscription::Subscriptions,
];

/// SQL for the options in a column of foreign data (`text[]` of `name=value`) in the form that OPTIONS takes, a line each;
/// NULL where there are none.
fn foreign_options(column: &'static str) -> String {
    format!(
        "(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(o.option_name) || ' ' \
         || pg_catalog.quote_literal(o.option_value), E',\\n    ' ORDER BY o.option_name) \
         FROM pg_catalog.pg_options_to_table({column}) AS o)"
    )
}

/// A letter that stands for something in the catalog, if it is one of those that lifeboat knows the meaning of.
///
/// # Errors
/// It is not; the error says `what` of `whom` it is.
pub fn known(letter: u8, meaningful: &[u8], what: &str, whom: impl Display) -> Result<u8> {
    if meaningful.contains(&letter) {
        return Ok(letter);
    }
    Err(Error::new(ErrorKind::Incomplete, format!("read the definition of {whom}"))
        .why(format!("its {what} is '{}', which is not known", char::from(letter)))
        .hint("use a newer lifeboat, or the server's own pg_dump"))
}
