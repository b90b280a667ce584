//! lifeboat backs up and restores PostgreSQL and SQLite without any client tools on the host.

// What is printed goes through `cli/terminal.rs`, which escapes it.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cancellation;
#[cfg(feature = "cli")]
pub mod cli;
pub mod connect;
pub mod error;
pub mod output;
pub mod postgres;
pub mod printable;
pub mod progress;
pub mod sql;
pub mod sqlite;
pub mod standard;
mod threads;
pub mod wire;
pub mod words;

pub use error::{Context, Error, ErrorKind, Result};
