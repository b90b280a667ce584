//! The files that SQLite keeps beside a database.

use std::fs;
use std::path::{Path, PathBuf};

use crate::output::with_suffix;

/// What is put after the database's name in theirs.
pub const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Those that are there.
pub(super) fn sidecars_of(database: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    SIDECARS.iter().map(|suffix| with_suffix(database, suffix)).filter(|path| fs::symlink_metadata(path).is_ok())
}

/// Removes, when it is dropped, what SQLite has left beside a database that is being written here.
pub(super) struct SidecarCleanup<'a>(pub &'a Path);

impl Drop for SidecarCleanup<'_> {
    fn drop(&mut self) {
        for path in sidecars_of(self.0) {
            // The error that led here matters more than one about cleaning up.
            let _ = fs::remove_file(path);
        }
    }
}
