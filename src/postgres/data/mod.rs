//! The data: rows, large objects.

mod inserts;
mod large_objects;
mod pieces;
mod pipeline;
mod rows;
mod task;

use crate::wire::{ServerError, sqlstate};

pub use inserts::{Inserts, Value};
pub use pieces::hand_over;
pub use pipeline::{DataSummary, run};
pub use task::DataTask;

/// Whether the server's error may come from somebody who changed something while it was being read: what was there is
/// gone, or the two have waited for each other, or a standby had to take the change over.
pub fn is_about_a_change(report: &ServerError) -> bool {
    /// How errors begin that the server does not expect, when it looks for something that has just been dropped.
    const GONE: [&[u8]; 5] = [
        b"cache lookup failed",
        b"could not open relation with OID",
        b"could not find tuple for",
        b"could not find pg_",
        b"relation with OID",
    ];
    const CHANGED: [&str; 8] = [
        sqlstate::DEADLOCK_DETECTED,
        // A conflict with a standby's recovery.
        sqlstate::SERIALIZATION_FAILURE,
        sqlstate::UNDEFINED_TABLE,
        sqlstate::INVALID_SCHEMA_NAME,
        sqlstate::UNDEFINED_OBJECT,
        sqlstate::UNDEFINED_FUNCTION,
        sqlstate::OBJECT_IN_USE,
        sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE,
    ];
    let is_gone = || GONE.iter().any(|beginning| report.message.starts_with(beginning));
    report.is_any(&CHANGED) || report.is(sqlstate::INTERNAL_ERROR) && is_gone()
}
