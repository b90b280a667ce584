//! Errors about files and folders, with the advice that their causes call for.

use std::io;
use std::path::Path;

use rustix::process::{Resource, getrlimit};

use super::folder_of;
use crate::error::{Error, ErrorKind};

/// An error about a file or folder, with the advice that its cause calls for. `doing` reads on after "could not".
pub fn io_error(doing: impl Into<String>, path: &Path, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull => Some(full_disk_hint(path)),
        io::ErrorKind::QuotaExceeded => {
            Some(format!("the quota on the file system of {} is used up: write somewhere else", path.display()))
        }
        io::ErrorKind::PermissionDenied => Some(format!("check who may read and write {}", path.display())),
        io::ErrorKind::ReadOnlyFilesystem => Some(format!("{} is on a read-only file system", path.display())),
        io::ErrorKind::FileTooLarge => Some(file_size_limit_hint().unwrap_or_else(|| {
            format!("the file system of {} takes no larger files: write somewhere else", folder_of(path).display())
        })),
        _ => None,
    };
    let doing = doing.into();
    let made = match path.display().to_string() {
        shown if doing.contains(&shown) => Error::new(ErrorKind::Io, doing).why(error.to_string()),
        shown => Error::new(ErrorKind::Io, doing).why(format!("{shown}: {error}")),
    };
    match hint {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// What to say when the disk under `path` is full.
pub fn full_disk_hint(path: &Path) -> String {
    format!("the file system of {} is full: make room there, or write somewhere else", folder_of(path).display())
}

/// What to say when a file may not become larger because the process may not write larger ones; nothing, if it may.
pub fn file_size_limit_hint() -> Option<String> {
    let bytes = getrlimit(Resource::Fsize).current?;
    Some(format!("this process may write files of {bytes} bytes: raise the limit (ulimit -f)"))
}
