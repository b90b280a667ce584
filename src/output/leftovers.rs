//! What runs that were killed have left: removed by the next one that makes a file in the same folder, and named.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, Stat};

use super::Existing;
use super::folder::{Folder, folder_of};
use super::folder_target::{self, There};
use super::output_folder::PUT_ASIDE;
use super::temporary_folder::{self, CONTENTS};
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
    let is_one = |name: &OsStr| {
        let kinds = [FileType::Directory, FileType::RegularFile];
        is_put_aside(name) && kinds.into_iter().any(|kind| is_our(kind, folder, name).is_some())
    };
    for name in names.iter().filter(|name| is_one(name)) {
        let text = "it was to be replaced or removed when a run was killed; give it its name back, or remove it";
        reporter.message(Message::warning(folder.path().join(name).display().to_string(), text));
    }
    let mut names: Vec<(OsString, OsString)> =
        names.into_iter().filter_map(|name| Some((unfinished(&name)?.into(), name))).collect();
    // A file comes before what SQLite put beside it, which goes with it.
    names.sort_by_key(|(_, name)| name.len());
    let (files, beside): (Vec<_>, Vec<_>) = names.into_iter().partition(|(base, name)| base == name);
    let mut left = Vec::new();
    for (_, name) in files {
        let is_folder = is_our(FileType::Directory, folder, &name).is_some();
        let found = clear_file(folder, &name);
        tell(folder, (&name, if is_folder { "folder" } else { "file" }), &found, reporter);
        if !matches!(found, Fate::Removed) {
            left.push(name);
        }
    }
    for (_, name) in beside.into_iter().filter(|(base, _)| !left.contains(base)) {
        if is_ours(folder, &name) && folder.remove(&name).is_ok() {
            tell(folder, (&name, "file"), &Fate::Removed, reporter);
        }
    }
}

/// Whether `name` is that of a folder that was put aside for another, or of what was about to be removed.
fn is_put_aside(name: &OsStr) -> bool {
    let bare = name.as_bytes().strip_suffix(PUT_ASIDE.as_bytes());
    bare.is_some_and(|bare| unfinished(OsStr::from_bytes(bare)).is_some())
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
    if is_our_folder(folder, name) {
        return clear_folder(folder, name);
    }
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

/// As [`clear_file`], of a folder. Its first file has the lock; one that is empty was made this very moment, or was left.
fn clear_folder(folder: &Folder, name: &OsStr) -> Fate {
    let Ok(inside) = folder.folder(name) else { return Fate::Busy };
    if !folder.is_local() && !is_of_this_machine(name) {
        return Fate::Left;
    }
    let first = match inside.open_suspect(OsStr::new(CONTENTS)) {
        Ok(first) => Some(first),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(_) => return Fate::Left,
    };
    let removed = match first.as_ref().map(hold) {
        Some(Holder::Another) => return Fate::Busy,
        Some(Holder::Unknown) => return Fate::Left,
        Some(Holder::Ours) => temporary_folder::remove(folder, name),
        // The one who has just made it makes another one, if this comes before its first file.
        None => folder.remove_folder(name),
    };
    match removed {
        Ok(()) => Fate::Removed,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Fate::Busy,
        Err(_) => Fate::Left,
    }
}

/// Whether it is a file of the user that this process is: in a folder of many, others may have put anything there.
fn is_ours(folder: &Folder, name: &OsStr) -> bool {
    is_our(FileType::RegularFile, folder, name).is_some()
}

/// The same of a folder, as they are made, or with what an archive has in it: one that was being replaced.
fn is_our_folder(folder: &Folder, name: &OsStr) -> bool {
    is_our(FileType::Directory, folder, name).is_some_and(|found| {
        // In a folder that hands down its group, it hands that down as well.
        let is_private = Mode::from_raw_mode(found.st_mode) - Mode::SGID == Mode::RWXU;
        is_private || folder_target::look(folder, name, Existing::Replace).is_ok_and(|there| there == There::Archive)
    })
}

fn is_our(kind: FileType, folder: &Folder, name: &OsStr) -> Option<Stat> {
    folder.stat(name).ok().flatten().filter(|found| {
        FileType::from_raw_mode(found.st_mode) == kind && found.st_uid == rustix::process::geteuid().as_raw()
    })
}

fn tell(folder: &Folder, (name, what): (&OsStr, &str), found: &Fate, reporter: &dyn Reporter) {
    let text = match found {
        Fate::Busy => return,
        Fate::Removed => format!("an unfinished {what} of a run that was killed; it was removed"),
        Fate::Left => format!("an unfinished {what}; remove it, unless the run that makes it is still on its way"),
    };
    let subject = folder.path().join(name).display().to_string();
    reporter.message(Message::warning(subject, text));
}
