//! PostgreSQL's archive formats, and nothing else: no database, no async. `Read` / `Write` / `Seek` in, types out.
#![deny(missing_docs)]

mod toc;

pub use toc::{DumpId, Entry, Section};
