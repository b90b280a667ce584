//! What is at the place where the folder of an archive is to go, and whether it may go there.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::FileType;

use super::folder::Folder;
use super::output_path::{OutputPath, check_parent, doing, refuse_foreign};
use super::resolve::{OfProcess, ResolvedPath, is_mine, leads_nowhere};
use super::{Existing, io_error, leftovers};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Reporter;
use crate::words::Choice;

/// What there is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    /// Nothing.
    Nothing,
    /// An empty folder, which is filled: who made it may want it as it is, with its owner, its mode and what is mounted there.
    Empty,
    /// The folder of an archive, which is to be replaced.
    Archive,
}

/// Finds the place that `path` names for a folder.
///
/// Removes what runs that were killed have left in it. Fails if it names none, its folder is missing, something else than a folder is
/// there, or one that is not empty and either `existing` says to leave it or it has other files than those of an archive.
pub(super) fn find(path: &Path, existing: Existing, reporter: &dyn Reporter) -> Result<(OutputPath, There)> {
    let path = &*with_name(path)?;
    check_parent(path)?;
    let place = ResolvedPath::find(path, OfProcess::Followed)?;
    let Some(found) = place.found else {
        // A folder cannot be made by way of a link, as a file can.
        let is_link = fs::symlink_metadata(path).is_ok();
        return if is_link { Err(leads_nowhere(path)) } else { Ok((OutputPath::new(place)?, There::Nothing)) };
    };
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return Err(Error::new(ErrorKind::Refused, doing(path))
            .why("it exists already, and is not a folder")
            .hint("give the name of a new folder"));
    }
    let may_be_replaced = refuse_foreign(path, &place.about, &found);
    // What the superuser has made is filled without being replaced.
    if !is_mine(found.st_uid) {
        refuse_foreign(path, &place.about, &found)?;
    }
    let target = OutputPath::new(place)?;
    let folder = target.folder.folder(&target.name).map_err(|e| io_error(doing(path), path, e))?;
    leftovers::clear(&folder, reporter);
    match look(&target.folder, &target.name, existing).map_err(|why| refused(path, why))? {
        There::Archive if target.folder.is_mount_point(&target.name) => {
            Err(Error::new(ErrorKind::Refused, doing(path))
                .why("something is mounted there, so that the archive in it cannot change places with another")
                .hint(format!("give the name of a new folder in it: {}", path.join("backup").display())))
        }
        There::Archive => may_be_replaced.map(|()| (target, There::Archive)),
        there => Ok((target, there)),
    }
}

/// The path, ending with a name: `.` and `..` are folders that have one.
fn with_name(path: &Path) -> Result<Cow<'_, Path>> {
    if path.file_name().is_some() {
        return Ok(Cow::Borrowed(path));
    }
    match fs::canonicalize(path) {
        Ok(real) if real.file_name().is_some() => Ok(Cow::Owned(real)),
        _ => Err(Error::new(ErrorKind::Usage, doing(path))
            .why("this names no folder that could be made")
            .hint("give the name of a new folder")),
    }
}

/// What is wrong with a folder that is to be replaced.
pub(super) enum Wrong {
    Unreadable(io::Error),
    /// It is not empty, and is to be left alone.
    NotEmpty,
    /// It has something that is no file of an archive.
    Other(String),
    /// It has no table of contents.
    NoContents,
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// What the folder called `name` is, if it may be replaced.
pub(super) fn look(parent: &Folder, name: &OsStr, existing: Existing) -> std::result::Result<There, Wrong> {
    let folder = parent.folder(name)?;
    let (mut is_empty, mut has_contents, mut other) = (true, false, None);
    folder.each_name(|name| {
        if name == "." || name == ".." {
            return;
        }
        is_empty = false;
        has_contents |= name.as_bytes().starts_with(b"toc.dat");
        if other.is_none() && !is_file_of_archive(&folder, name) {
            other = Some(name.to_string_lossy().into_owned());
        }
    })?;
    match other {
        _ if is_empty => Ok(There::Empty),
        _ if existing == Existing::Refuse => Err(Wrong::NotEmpty),
        Some(other) => Err(Wrong::Other(other)),
        None if !has_contents => Err(Wrong::NoContents),
        None => Ok(There::Archive),
    }
}

fn is_file_of_archive(folder: &Folder, name: &OsStr) -> bool {
    let is_file = |found: rustix::fs::Stat| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
    pgformat::is_archive_file(name.as_bytes()) && folder.stat(name).ok().flatten().is_some_and(is_file)
}

/// The error for a folder that is not replaced.
pub(super) fn refused(path: &Path, wrong: Wrong) -> Error {
    let refused = Error::new(ErrorKind::Refused, doing(path));
    let no_archive = "only the folder of an archive is replaced: give another name";
    match wrong {
        Wrong::Unreadable(e) => io_error(doing(path), path, e),
        Wrong::NotEmpty => refused.why("a folder of that name exists already, and is not empty").hint(
            Choice::Force + " replaces it when the new one is complete, if it is an archive; or give another name",
        ),
        Wrong::Other(name) => {
            refused.why(format!("the folder there has {name:?}, which is no file of an archive")).hint(no_archive)
        }
        Wrong::NoContents => refused.why("the folder there has no toc.dat, as an archive has").hint(no_archive),
    }
}
