//! Dumping a database: plan, then run.

mod options;
mod plan;
mod preamble;

pub use options::DumpOptions;
pub use plan::plan;
