//! Which parts of a database are asked for: definitions, rows, the planner's statistics. pg_dump and pg_restore have the same options
//! for them, of which the same exclude each other.

use super::failure::Failure;

/// How messages name two of them.
pub(super) const DATA_ONLY: &str = "-a/--data-only";
pub(super) const SCHEMA_ONLY: &str = "-s/--schema-only";

/// The options that were given.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Parts {
    pub(super) data_only: bool,
    pub(super) schema_only: bool,
    pub(super) statistics_only: bool,
    pub(super) with_statistics: bool,
    pub(super) no_data: bool,
    pub(super) no_schema: bool,
    pub(super) no_statistics: bool,
}

impl Parts {
    /// # Errors
    /// Two of them exclude each other; the first two of those are told.
    pub(super) fn check(self) -> Result<(), Failure> {
        let Self { data_only, schema_only, statistics_only, with_statistics, no_data, no_schema, no_statistics } = self;
        let pairs = [
            (data_only && schema_only, SCHEMA_ONLY, DATA_ONLY),
            (schema_only && statistics_only, SCHEMA_ONLY, "--statistics-only"),
            (data_only && statistics_only, DATA_ONLY, "--statistics-only"),
            (data_only && no_data, DATA_ONLY, "--no-data"),
            (schema_only && no_schema, SCHEMA_ONLY, "--no-schema"),
            (statistics_only && no_statistics, "--statistics-only", "--no-statistics"),
            (with_statistics && no_statistics, "--statistics", "--no-statistics"),
            (data_only && with_statistics, DATA_ONLY, "--statistics"),
            (schema_only && with_statistics, SCHEMA_ONLY, "--statistics"),
        ];
        match pairs.iter().find(|(both, ..)| *both) {
            Some((_, one, other)) => Err(Failure::together(one, other)),
            None => Ok(()),
        }
    }

    /// Whether definitions are asked for.
    pub(super) fn schema(self) -> bool {
        (self.schema_only || !self.only_some()) && !self.no_schema
    }

    /// Whether rows are.
    pub(super) fn data(self) -> bool {
        (self.data_only || !self.only_some()) && !self.no_data
    }

    /// Whether statistics are, which are there without being asked for where it is so `by_default`.
    pub(super) fn statistics(self, by_default: bool) -> bool {
        let wanted = self.statistics_only || self.with_statistics || (by_default && !self.only_some());
        wanted && !self.no_statistics
    }

    fn only_some(self) -> bool {
        self.data_only || self.schema_only || self.statistics_only
    }
}
