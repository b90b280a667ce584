//! What a dump, a restore, `verify` and `list` share of an archive: opening it, its entries and their names, what it says of itself,
//! which of its entries are asked for, its rows, its statements, its list. Nothing here knows a server.

pub(in crate::postgres) mod copy_statement;
pub mod copy_text;
mod entry;
mod included;
pub(in crate::postgres) mod kinds;
pub mod list;
mod open;
pub(in crate::postgres) mod select;
mod settings;
pub(in crate::postgres) mod statements;

pub use entry::{EntryIndex, EntryName};
pub use included::{Included, Sections, Selection};
pub(in crate::postgres) use kinds::text;
pub use open::{Archive, Input, archive_error, explain_damage, open, read};
pub use select::{Chosen, NotThere, Request, select};
pub use settings::ArchiveSettings;
