//! PostgreSQL: reading its catalog, dumping it into an archive, restoring an archive into it.

pub mod archive;
pub mod catalog;
pub mod catalogs;
pub mod changes;
pub mod components;
pub mod data;
pub mod dump;
pub mod emit;
pub mod graph;
pub mod kind;
pub mod model;
pub mod objects;
pub mod privileges;
pub mod relkind;
pub mod restore;
pub mod select;
pub mod session;
pub mod settings;
pub mod table_locks;
pub mod verify;
pub mod version;
