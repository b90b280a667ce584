//! The folder that a drill leaves that was killed, with a copy of all data. The next one names it, and removes nothing: that its
//! maker is gone can be seen, but not for certain, and not that nobody has taken it into use.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::{Message, Reporter};

/// How the name of a scratch folder begins.
pub(super) const FOLDER: &str = "lifeboat-drill-";
/// The file in a scratch folder that its drill has locked.
pub(super) const LOCK: &str = ".drill";

/// Names the folders in `parent` that belong to this user and whose drill is gone.
pub(super) fn tell_folders(parent: &Path, reporter: &dyn Reporter) {
    // One that cannot be read is none in which a folder could be made; that is said then.
    let Ok(entries) = fs::read_dir(parent) else { return };
    let me = rustix::process::geteuid().as_raw();
    let mut left: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(FOLDER))
        .filter(|entry| entry.metadata().is_ok_and(|facts| facts.is_dir() && facts.uid() == me))
        .map(|entry| entry.path())
        .filter(|path| !is_alive(path))
        .collect();
    left.sort();
    for path in left {
        reporter.message(Message::warning(
            path.display().to_string(),
            "a drill that was killed left it, with copies of all data: remove it",
        ));
    }
}

/// Whether the drill of the folder is on its way.
fn is_alive(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => true,
        // It may have gone since, or only just be made, which is done before anything is put into it.
        Err(_) => fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none()),
        Ok(_) => false,
    }
}
