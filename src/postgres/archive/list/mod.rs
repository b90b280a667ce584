//! The list of what is in an archive, in the lines of `pg_restore -l`: it is written, somebody may edit it, and it is read.

mod created;
mod read;
mod write;

pub use read::parse;
pub use write::{line, lines, one_line};

#[cfg(test)]
mod tests;
