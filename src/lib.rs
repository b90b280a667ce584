//! lifeboat backs up and restores PostgreSQL and SQLite, without any client tools on the host. The program of that name is made of
//! this library, and is the first to embed it.
//!
//! A database is found by its URL ([`recognise`]). What is in [`postgres`] reads and writes archives of pg_dump's custom format,
//! which `pg_restore` reads, too; what is in [`sqlite`] copies a database that is in use into one file. A result file is an
//! [`OutputFile`], which appears when it is complete. Whoever calls takes progress and warnings by a [`Reporter`], and may end the
//! work by a [`Cancellation`] of his own; nothing is printed, and no two runs in a process know of each other. What is told holds names
//! and words of others, which [`printable`] makes fit for a line of a terminal. An [`Error`] says what was being done, why it failed
//! and what would help; what can be chosen there is a [`Choice`], a fact that each caller has his name for.
//!
//! A backup:
//!
//! ```no_run
#![doc = include_str!("../examples/backup.rs")]
//! ```
//!
//! A restore:
//!
//! ```no_run
#![doc = include_str!("../examples/restore.rs")]
//! ```
//!
//! There are more in `examples/`; the tests run all of them.
//!
//! Without the feature `cli`, which is on by default, the libraries of the command line are left out.

#![deny(missing_docs)]
// What drills take of the engine, only the command line uses.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports))]
// What is printed goes through `console/terminal.rs`, which escapes it.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cancellation;
#[cfg(feature = "cli")]
mod cli;
pub mod connect;
#[cfg(feature = "cli")]
mod console;
mod entry_event;
mod error;
mod options;
mod output;
#[cfg(feature = "cli")]
mod pg_tools;
pub mod postgres;
pub mod printable;
#[cfg(feature = "cli")]
pub mod program;
mod progress;
mod revision;
mod sql;
pub mod sqlite;
mod threads;
pub mod wire;
mod words;

pub use cancellation::{Cancellation, Registration};
pub use connect::{Database, Environment, recognise};
pub use entry_event::{EntryEvent, EntryFailure, Work};
pub use error::{Context, Error, ErrorKind, Result};
pub(crate) use output::KeptFile;
pub use output::{Existing, Flush, FolderFile, FolderFiles, OutputFile, OutputFolder, io_error, open_special};
pub use progress::{Level, Message, Phase, Reporter, Silent, Total, Unit};
pub use words::{Choice, Words};
