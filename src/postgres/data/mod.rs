//! The data: rows, large objects, sequences' values.

mod task;

pub use task::DataTask;
