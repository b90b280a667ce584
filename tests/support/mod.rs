//! What tests stand on: PostgreSQL installations, servers, databases, and the comparison of archives.
//!
//! Nothing here uses the code under test, except that [`lifeboat`] names its binary.

// Not every helper has a caller at every point of the project's history.
#![allow(dead_code, unused_imports)]

// First: the others use their macros.
#[macro_use]
pub mod majors;
#[macro_use]
pub mod needs;

pub mod archive;
pub mod cache;
pub mod callers;
pub mod container;
pub mod database;
pub mod debian;
pub mod empty_root;
pub mod extension;
pub mod fixtures;
pub mod installation;
pub mod machine;
pub mod pgbouncer;
pub mod process;
pub mod proxy;
pub mod quiet;
pub mod readers;
pub mod report;
pub mod roundtrip;
pub mod scene;
pub mod server;
pub mod session;
pub mod strange;
pub mod terminal;
pub mod unfinished;
pub mod unstable;
pub mod verbs;
pub mod wait;
pub mod witness;

pub use database::Database;
pub use installation::{majors, pg_tool};
pub use process::{Output, Running, lifeboat, lifeboat_reading, output, run};
pub use scene::Scene;
pub use server::{Options, Server};
pub use session::Session;
pub use unfinished::unfinished;

/// The majors that the tests know, oldest first.
pub const MAJORS: [u32; 7] = [13, 14, 15, 16, 17, 18, 19];

/// The major whose pg_dump, pg_restore and psql are the reference. A newer server's are its own, see [`reference_for`].
pub const REFERENCE: u32 = 18;

/// The major whose pg_dump and pg_restore are the reference for a server of `major`: they refuse servers that are newer.
pub fn reference_for(major: u32) -> u32 {
    REFERENCE.max(major)
}
