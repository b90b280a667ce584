//! Dumping a database: plan, then run.

mod begin;
mod contents;
mod options;
mod plan;
mod run;
mod running;

pub use super::select::{PatternFault, Selection};
pub use options::DumpOptions;
pub use plan::plan;
pub use run::{DumpSummary, Sink, WriteSeek, backup};
