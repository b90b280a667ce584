//! In which form a backup has rows.

use crate::postgres::dump::{InsertForm, RowForm};

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "PostgreSQL: the form of rows")]
pub(super) struct RowArgs {
    /// Rows as INSERT statements, for other database systems; they take long to restore
    #[arg(long)]
    inserts: bool,
    /// The same with the names of the columns
    #[arg(long, visible_alias = "attribute-inserts")]
    column_inserts: bool,
    /// The same with so many rows a statement
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX)))]
    rows_per_insert: Option<u32>,
    /// With INSERT statements: leave out rows that are there already
    #[arg(long)]
    on_conflict_do_nothing: bool,
}

impl RowArgs {
    /// The form; `None` where it is not possible.
    pub(super) fn form(&self) -> Option<RowForm> {
        match self.inserts || self.column_inserts || self.rows_per_insert.is_some() {
            false => (!self.on_conflict_do_nothing).then_some(RowForm::Copy),
            true => Some(RowForm::Inserts(InsertForm {
                columns: self.column_inserts,
                rows_per_insert: self.rows_per_insert.unwrap_or(1),
                on_conflict_do_nothing: self.on_conflict_do_nothing,
            })),
        }
    }
}
