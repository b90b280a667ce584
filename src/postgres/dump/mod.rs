//! Dumping a database: plan, then run.

mod begin;
mod contents;
mod lock_wait;
mod options;
mod plan;
mod row_form;
mod run;
mod running;

pub use super::select::{PatternFault, Selection};
pub use super::session::InvalidEncoding;
pub(in crate::postgres) use begin::{Begun, begin, changed, check_data, pass_on_warnings};
pub use lock_wait::{LockWaitFault, lock_wait};
pub use options::DumpOptions;
pub use plan::plan;
pub use row_form::{InsertForm, RowForm};
pub use run::{DumpSummary, Sink, WriteSeek, backup};
pub(in crate::postgres) use run::{backup_with_script, copied_tables, server_version};
pub(in crate::postgres) use running::Running;
