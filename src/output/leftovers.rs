//! What runs that were killed have left: removed by the next one that makes a file in the same folder, and named.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::folder::{Folder, folder_of};
use super::temporary_name::{Holder, beginning, hold, is_of_this_machine, unfinished};
use crate::progress::{Message, Reporter};

/// What became of a file that was found.
enum Fate {
    /// Its run is on its way, or it is not ours to remove.
    Busy,
    Removed,
    /// It could not be told, or not be removed.
    Left,
}

/// Removes the unfinished files in `folder` whose process is gone, and names them.
pub(super) fn clear(folder: &Folder, reporter: &dyn Reporter) {
    // A folder that cannot be read has nothing to show; whether a file can be made in it is another matter.
    let Ok(names) = folder.names() else { return };
    let mut names: Vec<(OsString, OsString)> =
        names.into_iter().filter_map(|name| Some((unfinished(&name)?.into(), name))).collect();
    // A file comes before what SQLite put beside it, which goes with it.
    names.sort_by_key(|(_, name)| name.len());
    let (files, beside): (Vec<_>, Vec<_>) = names.into_iter().partition(|(base, name)| base == name);
    let mut left = Vec::new();
    for (_, name) in files {
        let found = clear_file(folder, &name);
        tell(folder, &name, &found, reporter);
        if !matches!(found, Fate::Removed) {
            left.push(name);
        }
    }
    for (_, name) in beside.into_iter().filter(|(base, _)| !left.contains(base)) {
        if is_ours(folder, &name) && folder.remove(&name).is_ok() {
            tell(folder, &name, &Fate::Removed, reporter);
        }
    }
}

/// The unfinished files that are there, of this run or another, of files that are called as `path` says.
pub fn leftovers(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let Ok(entries) = fs::read_dir(folder_of(path)) else { return Vec::new() };
    let begin = beginning(name);
    let names = entries.filter_map(|entry| entry.ok()).map(|entry| (entry.path(), entry.file_name()));
    let is_one = |name: &OsStr| unfinished(name).is_some_and(|base| name == base && base.starts_with(&begin));
    let mut found: Vec<PathBuf> = names.filter(|(_, name)| is_one(name)).map(|(path, _)| path).collect();
    found.sort();
    found
}

fn clear_file(folder: &Folder, name: &OsStr) -> Fate {
    if !is_ours(folder, name) {
        return Fate::Busy;
    }
    let file = match folder.open_suspect(name) {
        Ok(file) => file,
        // Another run has just removed it, or given it its name.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Fate::Busy,
        Err(_) => return Fate::Left,
    };
    // Such a lock may be one that another machine's run has taken there, and that is not seen here.
    if !folder.is_local() && !is_of_this_machine(name) {
        return Fate::Left;
    }
    match hold(&file) {
        Holder::Another => Fate::Busy,
        // Removed while it is held, so that no other run takes it for its own.
        Holder::Ours if folder.remove(name).is_ok() => Fate::Removed,
        Holder::Ours | Holder::Unknown => Fate::Left,
    }
}

/// Whether it is a file of the user that this process is: in a folder of many, others may have put anything there.
fn is_ours(folder: &Folder, name: &OsStr) -> bool {
    folder.stat(name).ok().flatten().is_some_and(|found| {
        FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
            && found.st_uid == rustix::process::geteuid().as_raw()
    })
}

fn tell(folder: &Folder, name: &OsStr, found: &Fate, reporter: &dyn Reporter) {
    let text = match found {
        Fate::Busy => return,
        Fate::Removed => "an unfinished file of a run that was killed; it was removed",
        Fate::Left => "an unfinished file; remove it, unless the run that makes it is still on its way",
    };
    let subject = folder.path().join(name).display().to_string();
    reporter.message(Message::warning(subject, text));
}
