//! The data: rows, large objects.

mod large_objects;
mod pipeline;
mod rows;
mod task;

pub use pipeline::{DataSummary, run};
pub use task::DataTask;
