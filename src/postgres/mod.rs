//! PostgreSQL: reading its catalog, dumping it into an archive, restoring an archive into it.

pub mod archive;
pub(crate) mod catalog;
pub(crate) mod catalogs;
pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod components;
pub(crate) mod data;
pub mod dump;
pub(crate) mod emit;
pub mod globals;
pub(crate) mod graph;
pub(crate) mod kind;
pub(crate) mod model;
pub(crate) mod objects;
pub(crate) mod paused_replay;
pub(crate) mod privileges;
pub(crate) mod relkind;
pub mod restore;
pub mod script;
pub(crate) mod select;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod swap;
pub(crate) mod table_locks;
pub mod verify;
pub(crate) mod version;

pub use version::ServerVersion;

/// The kinds of object that are backed up, by their names.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    objects::KINDS.iter().map(|kind| kind.name)
}
