//! In which form a dump has rows.

use crate::options::options;

/// In which form a dump has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RowForm {
    /// As COPY takes them.
    #[default]
    Copy,
    /// As INSERT statements, which other database systems may understand as well. They take long to restore.
    Inserts(InsertForm),
}

options! {
    /// What INSERT statements look like.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct InsertForm {
        /// Name the columns.
        pub columns: bool = false,
        /// How many rows a statement has; at least 1.
        pub rows_per_insert: u32 = 1,
        /// Leave out rows that are there already.
        pub on_conflict_do_nothing: bool = false,
    }
}
