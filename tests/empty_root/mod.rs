//! The static program in a root in which there is nothing else: no C library, no loader, no `/etc`, no `/tmp`.

mod by_itself;
mod names;
mod sqlite;
