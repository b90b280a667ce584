//! The program by several names, that are given all or none. All are made under temporary names first, and what they replace is
//! kept under one until the last is in its place.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::Way;
use crate::output::folder_of;
use crate::{Error, ErrorKind, Result, io_error};

/// The program, under a temporary name.
pub(super) struct Made {
    path: PathBuf,
    file: NamedTempFile<()>,
    way: Way,
}

/// Makes the program under a temporary name beside `path`.
///
/// # Errors
/// It can be neither linked nor copied there.
pub(super) fn make(program: &Path, path: &Path) -> Result<Made> {
    let mut way = Way::Link;
    let made = temporary(path, |temporary| match fs::hard_link(program, temporary) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        // Another file system, one without hard links, or a file that may not be linked to.
        Err(_) => {
            way = Way::Copy;
            copy(program, temporary)
        }
    });
    let file = made.map_err(|e| failed(path, e))?;
    Ok(Made { path: path.to_owned(), file, way })
}

/// Gives all their names, and says how each came to be there. Whoever calls one meanwhile finds what was there before, or the
/// program. `replace` says to replace what is there.
///
/// # Errors
/// One cannot be had: then all is as it was before, as far as that can be, and the error says what is not.
pub(super) fn place(made: Vec<Made>, replace: bool) -> Result<Vec<Way>> {
    let (mut placed, mut ways) = (Vec::new(), Vec::new());
    for one in made {
        ways.push(one.way);
        match put(one, replace) {
            Ok(one) => placed.push(one),
            Err(error) => return Err(take_back(placed, error)),
        }
    }
    for old in placed.into_iter().filter_map(|one| one.old) {
        let path = old.to_path_buf();
        old.close().map_err(|e| io_error(format!("remove what was replaced, {}", path.display()), &path, e))?;
    }
    Ok(ways)
}

/// A name that was given, and what had it before.
struct Placed {
    path: PathBuf,
    old: Option<TempPath>,
}

fn put(made: Made, replace: bool) -> Result<Placed> {
    let Made { path, file, .. } = made;
    if !replace || fs::symlink_metadata(&path).is_err() {
        file.persist_noclobber(&path).map_err(|e| failed(&path, e.error))?;
        return Ok(Placed { path, old: None });
    }
    let old = keep(&path).map_err(|e| failed(&path, e))?;
    match file.persist(&path) {
        Ok(()) => Ok(Placed { path, old: Some(old) }),
        Err(e) => Err(take_back(vec![Placed { path: path.clone(), old: Some(old) }], failed(&path, e.error))),
    }
}

/// Gives what is at `path` a second name, or another one where there are no hard links.
fn keep(path: &Path) -> io::Result<TempPath> {
    let kept = temporary(path, |temporary| match fs::hard_link(path, temporary) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => match fs::symlink_metadata(temporary) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(path, temporary),
        },
        done => done,
    });
    kept.map(NamedTempFile::into_temp_path)
}

/// Gives all their names back that were replaced; `error` is why.
fn take_back(placed: Vec<Placed>, error: Error) -> Error {
    let mut left = Vec::new();
    for Placed { path, old } in placed.into_iter().rev() {
        let Some(old) = old else {
            if let Err(e) = fs::remove_file(&path) {
                left.push(format!("{} was made, and could not be removed: {e}", path.display()));
            }
            continue;
        };
        if let Err(e) = fs::rename(&old, &path) {
            // It goes away with this value, unless that is said.
            let kept = old.to_path_buf();
            let is_kept = old.keep().is_ok();
            let now = if is_kept { "is now called" } else { "may be called" };
            left.push(format!("what was {} {now} {}: {e}", path.display(), kept.display()));
        }
    }
    if left.is_empty() { error } else { error.hint(left.join("; ")) }
}

fn temporary(beside: &Path, make: impl FnMut(&Path) -> io::Result<()>) -> io::Result<NamedTempFile<()>> {
    tempfile::Builder::new().prefix(".lifeboat-").make_in(folder_of(beside), make)
}

fn failed(path: &Path, error: io::Error) -> Error {
    // What is mounted there cannot be replaced, whoever tries.
    if error.kind() == io::ErrorKind::ResourceBusy {
        return Error::new(ErrorKind::Io, format!("install {}", path.display()))
            .why(format!("something is mounted there: {error}"))
            .hint("choose another folder");
    }
    io_error(format!("install {}", path.display()), path, error)
}

fn copy(program: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(program)?;
    let mut file = File::create_new(to)?;
    io::copy(&mut from, &mut file)?;
    file.set_permissions(fs::Permissions::from_mode(from.metadata()?.permissions().mode() & 0o777))?;
    file.sync_all()
}
