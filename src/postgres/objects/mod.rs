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
mod foreign_options;
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

use super::kind::Kind;

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
