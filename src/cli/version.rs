//! What the program says of itself.

use crate::postgres::version::{NEWEST_KNOWN, OLDEST_SUPPORTED};

/// What `--version` prints after the name; `-V` prints the number alone.
pub(super) fn long() -> String {
    format!(
        "{}\ncommit: {}\ntarget: {}\nPostgreSQL servers: {OLDEST_SUPPORTED} to {NEWEST_KNOWN}\narchives: {} to {}\nSQLite: {}",
        env!("CARGO_PKG_VERSION"),
        env!("LIFEBOAT_COMMIT"),
        env!("LIFEBOAT_TARGET"),
        pgformat::Version::OLDEST,
        pgformat::Version::NEWEST,
        rusqlite::version(),
    )
}
