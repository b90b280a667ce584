//! The data: rows, large objects.

mod large_objects;
mod pipeline;
mod rows;
mod task;

use crate::wire::ServerError;

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
    match report.code.as_slice() {
        // Deadlock, conflict with a standby's recovery; no such table, schema, object, function; object in use, not in
        // the state that is needed.
        b"40P01" | b"40001" | b"42P01" | b"3F000" | b"42704" | b"42883" | b"55006" | b"55000" => true,
        b"XX000" => GONE.iter().any(|beginning| report.message.starts_with(beginning)),
        _ => false,
    }
}
