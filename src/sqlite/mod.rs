//! Backup and restore of SQLite databases.
//!
//! A backup is one file that needs nothing beside it, is a consistent snapshot, and has passed SQLite's full integrity
//! check. A restore never opens the database that it replaces: it may be damaged, and what it left beside it (-wal,
//! -journal) belongs to it alone; so the whole set is moved aside untouched.

mod acl;
mod attributes;
mod backup;
mod check;
mod contents;
mod digest;
mod error;
mod header;
mod in_use;
mod integrity;
mod lock;
mod locked_file;
mod look;
mod math;
mod move_aside;
mod other_names;
mod pending_recovery;
mod recovered_copy;
mod restore;
mod sidecars;
mod sizes;
mod source;
mod stand_in;
mod switch;
mod verify;
mod watch;

pub use backup::{BackupOptions, BackupSummary, backup};
pub use check::{check_file, faults};
pub use contents::{Contents, Object, Uncounted, contents};
pub use digest::{TableDigest, digest_file};
pub use header::{Header, JournalMode};
pub use in_use::{Process, users};
pub(crate) use look::{Identity, Look, identity, look};
pub use move_aside::{Move, SUFFIXES};
pub use restore::{RestoreOptions, RestorePreview, RestoreSummary, preview, restore};
pub use sidecars::SIDECARS;
pub(crate) use sizes::sizes;
pub use verify::{Verified, verify};
