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
pub(in crate::postgres) mod database;
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
pub mod statistics_reader;
mod subscription;
mod text_search;
mod transform;
mod trigger;
pub mod types;

use super::catalogs::Catalog;
use super::kind::{Kind, Listed};

/// Every kind, in the order in which they are read.
pub const KINDS: &[Listed] = &[
    // Survey.
    kind("database", &[Catalog::DATABASE], &database::Databases),
    kind("extension", &[Catalog::EXTENSION], &extension::Extensions),
    kind("schema", &[Catalog::NAMESPACE], &schema::Schemas),
    kind("relation", &[Catalog::CLASS], &relation::Relations),
    // Definitions.
    kind("type", &[Catalog::TYPE, Catalog::ENUM], &types::Types),
    kind("function", &[Catalog::PROCEDURE], &function::Functions),
    kind("aggregate", &[Catalog::PROCEDURE], &aggregate::Aggregates),
    kind("procedural language", &[Catalog::LANGUAGE], &language::Languages),
    kind("cast", &[Catalog::CAST], &cast::Casts),
    kind("transform", &[Catalog::TRANSFORM], &transform::Transforms),
    kind("column", &[], &relation::Columns),
    kind("column default", &[Catalog::ATTRIBUTE_DEFAULT], &relation::ColumnDefaults),
    kind("table constraint", &[Catalog::CONSTRAINT], &relation::TableChecks),
    kind("relation (details)", &[], &relation::AllDetails),
    kind("sequence", &[], &relation::Sequences),
    kind("inheritance", &[], &relation::Inheritance),
    kind("partition", &[], &relation::Attaches),
    kind("rule", &[Catalog::REWRITE], &rule::Rules),
    kind("data", &[], &relation::Data),
    kind("index", &[Catalog::CLASS], &index::Indexes),
    kind("index attach", &[], &index::IndexAttaches),
    kind("constraint", &[Catalog::CONSTRAINT], &constraint::IndexConstraints),
    kind("statistics of relations", &[], &relation_statistics::AllRelationStatistics),
    kind("foreign key", &[Catalog::CONSTRAINT], &foreign_key::ForeignKeys),
    kind("trigger", &[Catalog::TRIGGER], &trigger::Triggers),
    kind("event trigger", &[Catalog::EVENT_TRIGGER], &event_trigger::EventTriggers),
    kind("policy", &[Catalog::POLICY], &policy::Policies),
    kind("default privileges", &[Catalog::DEFAULT_ACL], &default_privileges::AllDefaultPrivileges),
    kind("large object", &[Catalog::LARGE_OBJECT, Catalog::LARGE_OBJECT_METADATA], &large_object::LargeObjects),
    kind("operator", &[Catalog::OPERATOR], &operator::Operators),
    kind("access method", &[Catalog::ACCESS_METHOD], &access_method::AccessMethods),
    kind("operator class", &[Catalog::OPERATOR_CLASS], &operator_class::OperatorClasses),
    kind("operator family", &[Catalog::OPERATOR_FAMILY], &operator_family::OperatorFamilies),
    kind("text search parser", &[Catalog::TS_PARSER], &text_search::Parsers),
    kind("text search template", &[Catalog::TS_TEMPLATE], &text_search::Templates),
    kind("text search dictionary", &[Catalog::TS_DICT], &text_search::Dictionaries),
    kind("text search configuration", &[Catalog::TS_CONFIG], &text_search::Configurations),
    kind("foreign data wrapper", &[Catalog::FOREIGN_DATA_WRAPPER], &foreign_data_wrapper::ForeignDataWrappers),
    kind("foreign server", &[Catalog::FOREIGN_SERVER, Catalog::USER_MAPPING], &foreign_server::ForeignServers),
    kind("collation", &[Catalog::COLLATION], &collation::Collations),
    kind("conversion", &[Catalog::CONVERSION], &conversion::Conversions),
    kind("extended statistics", &[Catalog::STATISTIC_EXT], &extended_statistics::ExtendedStatistics),
    kind(
        "publication",
        &[Catalog::PUBLICATION, Catalog::PUBLICATION_REL, Catalog::PUBLICATION_NAMESPACE],
        &publication::Publications,
    ),
    kind("subscription", &[Catalog::SUBSCRIPTION], &subscription::Subscriptions),
];

const fn kind(name: &'static str, catalogs: &'static [Catalog], kind: &'static dyn Kind) -> Listed {
    Listed { name, catalogs, kind }
}
