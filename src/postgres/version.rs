//! Server versions as named capabilities. No other file compares version numbers, and none can: a [`ServerVersion`] has no order
//! outside of this one.

use std::fmt;

/// The oldest major version that lifeboat works with.
pub const OLDEST_SUPPORTED: i32 = 13;

/// The newest major version whose catalog lifeboat knows.
pub const NEWEST_KNOWN: i32 = 19;

/// A server's version, as `server_version_num` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerVersion(i32);

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident from $major:literal,)*) => {
        impl ServerVersion {
            $($(#[$doc])* pub fn $name(self) -> bool { self.0 >= $major * 10000 })*
        }
    };
}

// Newest first.
capabilities! {
    /// Publications have all sequences, or all tables but some.
    publication_exceptions from 19,
    /// Foreign data wrappers say how a server of theirs is connected to.
    wrapper_connections from 19,
    /// Subscriptions may connect by a foreign server, and have settings for dead rows and for waiting.
    subscription_servers from 19,
    /// There is a function that takes the data of extended statistics, and a view that shows all of them.
    restores_extended_statistics from 19,
    /// `standard_conforming_strings` is on and cannot be switched off.
    only_standard_strings from 19,
    /// `SET … TO NULL` makes an empty list.
    null_for_empty_lists from 19,
    /// Not-null constraints are rows of `pg_constraint` with names of their own.
    not_null_constraints from 18,
    /// `pg_get_sequence_data()` tells a sequence's value.
    sequence_data_function from 18,
    /// There are functions that take the planner's statistics.
    restores_statistics from 18,
    /// `has_largeobject_privilege()` tells who may read a large object.
    large_object_privilege_function from 18,
    /// `pg_class.relallfrozen`.
    all_frozen_pages from 18,
    /// Constraints may be left unenforced.
    unenforced_constraints from 18,
    /// Primary keys, unique constraints and foreign keys may span a period of time.
    temporal_constraints from 18,
    /// Publications say which generated columns they publish.
    publication_generated_columns from 18,
    /// Subscriptions stream in parallel by themselves; its pg_dump says of each how it streams.
    streams_in_parallel from 18,
    /// Its pg_dump sets options of columns of foreign tables with ONLY.
    dumps_foreign_columns_with_only from 17,
    /// Its pg_dump writes an empty line before what depends on an extension, and not a line feed after it.
    dumps_extensions_apart from 17,
    /// Privileges on tables include MAINTAIN.
    maintain_privilege from 17,
    /// `pg_dump` says which tables are in a publication even where it leaves out the tables.
    memberships_without_tables from 18,
    /// The setting `transaction_timeout` exists.
    transaction_timeout from 17,
    /// The databases' locale is in `datlocale` and may come from the built-in provider.
    builtin_locale_provider from 17,
    /// `pg_stats` shows the statistics of ranges.
    range_statistics from 17,
    /// Subscriptions can be failed over.
    subscription_failover from 17,
    /// Its tools do not take the NULL that they write for a parent's default that a partition lacks for a default of that
    /// partition's, which its own partitions would lack in turn.
    added_nulls_are_no_defaults from 16,
    /// `pg_dump` has no space too many in the statements of default privileges.
    fewer_spaces from 16,
    /// Collations have ICU rules.
    collation_rules from 16,
    /// A member of a role need not be allowed to take it, and so to give it objects.
    set_option_of_membership from 16,
    /// Its tools say of a view, a sequence or a materialized view that it is one when they give it to its owner, and not that it
    /// is a table.
    owners_by_kind from 16,
    /// The setting `icu_validation_level` exists.
    icu_validation_level from 16,
    /// Subscriptions have an origin, and run as their owner or not.
    subscription_origin from 16,
    /// `pg_collation.colliculocale`, `pg_database.daticulocale`.
    icu_locale_column from 15,
    /// Schema public belongs to the database's owner, and `pg_dump` says whose it is.
    public_of_database_owner from 15,
    /// CREATE DATABASE takes the provider of the locale.
    locale_provider from 15,
    /// Sequences can be unlogged, and those of identity columns can be something else than their tables.
    unlogged_sequences from 15,
    /// There are privileges on parameters.
    parameter_privileges from 15,
    /// Unique constraints may treat NULLs as equal.
    nulls_not_distinct from 15,
    /// Publications can name schemas, row filters and column lists.
    publication_schemas from 15,
    /// Triggers that partitions have from their parent are not marked as internal.
    inherited_triggers_are_visible from 15,
    /// Two-phase subscriptions.
    subscription_two_phase from 15,
    /// Column compression methods.
    column_compression from 14,
    /// `pg_class.reltuples` tells an unknown number of rows, which is -1, from none.
    unknown_row_counts from 14,
    /// Multirange types.
    multiranges from 14,
    /// Functions with SQL-standard bodies.
    sql_bodies from 14,
    /// Types may have a subscript handler.
    type_subscript from 14,
    /// Subscriptions choose binary transfer and streaming.
    subscription_binary from 14,
    /// The setting `idle_session_timeout` exists.
    idle_session_timeout from 14,
    /// Tables have access methods.
    table_access_methods from 12,
}

impl ServerVersion {
    /// The newest that is known.
    pub const NEWEST: Self = Self::of_major(NEWEST_KNOWN);

    /// The first version of a major one.
    pub const fn of_major(major: i32) -> Self {
        Self(major * 10000)
    }

    /// The version with that `server_version_num`.
    pub fn new(number: i32) -> Self {
        Self(number)
    }

    /// Its `server_version_num`.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Whether it is older than this major version.
    pub fn is_before(self, major: i32) -> bool {
        self.major() < major
    }

    /// The major version.
    pub fn major(self) -> i32 {
        self.0 / 10000
    }

    /// Whether the setting `restrict_nonsystem_relation_kind` exists. It came with minor releases of August 2024.
    pub fn restricts_relation_kinds(self) -> bool {
        let minor = self.0 % 10000;
        match self.major() {
            17.. => true,
            16 => minor >= 4,
            15 => minor >= 8,
            14 => minor >= 13,
            13 => minor >= 16,
            _ => false,
        }
    }

    /// Whether this server may have what lifeboat has never heard of.
    pub fn is_newer_than_known(self) -> bool {
        self.major() > NEWEST_KNOWN
    }

    /// Whether this server is too old.
    pub fn is_unsupported(self) -> bool {
        self.is_before(OLDEST_SUPPORTED)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10000, self.0 % 10000)
    }
}
