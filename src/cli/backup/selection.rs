//! Which objects go into a backup of a PostgreSQL database.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bstr::BString;

use crate::Result;
use crate::cli::filter;
use crate::postgres::dump::Selection;

#[derive(Debug, Clone, clap::Args)]
#[command(
    next_help_heading = "PostgreSQL: which objects (patterns as in psql; each option may be given more than once)"
)]
pub(super) struct SelectionArgs {
    /// Only these schemas, with all that is in them
    #[arg(long, short = 'n', value_name = "PATTERN")]
    schema: Vec<OsString>,
    /// None of these schemas
    #[arg(long, short = 'N', value_name = "PATTERN")]
    exclude_schema: Vec<OsString>,
    /// Only these tables, views, sequences, foreign tables and materialized views
    #[arg(long, short = 't', value_name = "PATTERN")]
    table: Vec<OsString>,
    /// As --table, with partitions and tables that inherit
    #[arg(long, value_name = "PATTERN")]
    table_and_children: Vec<OsString>,
    /// None of these tables
    #[arg(long, short = 'T', value_name = "PATTERN")]
    exclude_table: Vec<OsString>,
    /// As --exclude-table, with partitions and tables that inherit
    #[arg(long, value_name = "PATTERN")]
    exclude_table_and_children: Vec<OsString>,
    /// These tables without their rows
    #[arg(long, value_name = "PATTERN")]
    exclude_table_data: Vec<OsString>,
    /// As --exclude-table-data, with partitions and tables that inherit
    #[arg(long, value_name = "PATTERN")]
    exclude_table_data_and_children: Vec<OsString>,
    /// Only these extensions
    #[arg(long, short = 'e', value_name = "PATTERN")]
    extension: Vec<OsString>,
    /// None of these extensions
    #[arg(long, value_name = "PATTERN")]
    exclude_extension: Vec<OsString>,
    /// The rows of foreign tables on these foreign servers, too
    #[arg(long, value_name = "PATTERN")]
    include_foreign_data: Vec<OsString>,
    /// What to include and exclude, from a file (- is standard input): lines such as "exclude table_data audit.*"
    #[arg(long, value_name = "PATH")]
    filter: Vec<PathBuf>,
    /// Fail if any pattern of --schema, --table or --extension matches nothing, not only if all of them do
    #[arg(long)]
    strict_names: bool,
}

impl SelectionArgs {
    /// The selection that these come to, filter files included.
    ///
    /// # Errors
    /// A filter file cannot be read, or makes no sense.
    pub(super) fn selection(self) -> Result<Selection> {
        let mut selection = Selection {
            schemas: patterns(self.schema),
            exclude_schemas: patterns(self.exclude_schema),
            tables: patterns(self.table),
            tables_and_children: patterns(self.table_and_children),
            exclude_tables: patterns(self.exclude_table),
            exclude_tables_and_children: patterns(self.exclude_table_and_children),
            exclude_table_data: patterns(self.exclude_table_data),
            exclude_table_data_and_children: patterns(self.exclude_table_data_and_children),
            extensions: patterns(self.extension),
            extensions_beside_others: Vec::new(),
            exclude_extensions: patterns(self.exclude_extension),
            foreign_data: patterns(self.include_foreign_data),
            strict_names: self.strict_names,
        };
        for path in &self.filter {
            for rule in filter::read(path)? {
                if !rule.select(&mut selection) {
                    return Err(filter::refused(&rule, path));
                }
            }
        }
        Ok(selection)
    }
}

/// Patterns are bytes, as names are.
fn patterns(given: Vec<OsString>) -> Vec<BString> {
    given.into_iter().map(|pattern| BString::from(pattern.into_vec())).collect()
}
