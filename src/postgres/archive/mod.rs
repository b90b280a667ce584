//! What a dump, a restore, `verify` and `list` share of an archive: opening it, its entries and their names, what it says of itself,
//! which of its entries are asked for, its rows, its statements, its list. Nothing here knows a server.

pub(in crate::postgres) mod copy_statement;
pub mod copy_text;
mod entry_index;
mod error;
mod included;
pub(in crate::postgres) mod kinds;
pub mod list;
mod name;
mod open;
pub(in crate::postgres) mod select;
mod settings;
pub(in crate::postgres) mod statements;

pub use entry_index::EntryIndex;
pub use error::archive_error;
pub use included::{Included, Sections, Selection};
pub use name::EntryName;
pub use open::{Archive, Input, explain_damage, open};
pub use select::{Chosen, Request, select};
pub use settings::ArchiveSettings;
