//! What is at the place where a result is to go, and whether it may go there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

use super::folder::{Folder, id_of};
use super::resolve::{OfProcess, ResolvedPath, is_mine, others_may_write};
use super::{Existing, folder_of, io_error};
use crate::error::{Error, ErrorKind, Result};
use crate::words::Choice;

/// Where a result goes.
#[derive(Debug)]
pub(super) struct OutputPath {
    pub(super) folder: Arc<Folder>,
    pub(super) name: OsString,
    /// What it is called, which is not what was given if that is a symbolic link.
    pub(super) path: PathBuf,
}

impl OutputPath {
    /// Finds the place that `path` names.
    ///
    /// Fails if it names no file, its folder is missing, something else than a regular file is there, or a file is there and
    /// `existing` says to leave it, or another user's that cannot be replaced.
    pub(super) fn find(path: &Path, existing: Existing) -> Result<Self> {
        check_name(path)?;
        check_parent(path)?;
        let place = ResolvedPath::find(path, OfProcess::Followed)?;
        let Some(found) = place.found else { return Self::new(place) };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => Err(Error::new(ErrorKind::Usage, doing(path))
                .why("it is a folder")
                .hint("give the name of a file in it")),
            FileType::RegularFile if existing == Existing::Refuse => Err(exists_already(path)),
            FileType::RegularFile => {
                refuse_foreign(path, &place.about, &found)?;
                let target = Self::new(place)?;
                if target.folder.is_mount_point(&target.name) {
                    return Err(Error::new(ErrorKind::Refused, doing(path))
                        .why("it is a file that is mounted by itself: no other file can take its place")
                        .hint("mount its folder instead, or give the name of another file"));
                }
                Ok(target)
            }
            _ => Err(Error::new(ErrorKind::Usage, doing(path)).why("something that is not a regular file is there")),
        }
    }

    pub(super) fn new(place: ResolvedPath) -> Result<Self> {
        let ResolvedPath { folder, name, path, .. } = place;
        let folder = Folder::new(folder, folder_of(&path)).map_err(|e| io_error(doing(&path), &path, e))?;
        Ok(Self { folder: Arc::new(folder), name, path })
    }
}

/// Finds out, before any work is done, whether `path` can become a result file; gives the path that will be written,
/// which is another one if `path` is a symbolic link.
pub fn check_target(path: &Path, existing: Existing) -> Result<PathBuf> {
    OutputPath::find(path, existing).map(|target| target.path)
}

/// Opens what is neither a file nor a folder (a device, a pipe) for writing; gives nothing if `path` is something else.
///
/// Fails if it is another user's, who may have put it there to get what is written.
pub fn open_special(path: &Path) -> Result<Option<File>> {
    if !fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        return Ok(None);
    }
    check_name(path)?;
    let place = ResolvedPath::find(path, OfProcess::Followed)?;
    let Some(found) = place.found else { return Ok(None) };
    refuse_planted(path, &place.about, &found)?;
    let failed = |e: io::Error| io_error(doing(path), path, e);
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    // What is in /proc is a link to what a process has open.
    let flags = if place.is_open_file { flags } else { flags | OFlags::NOFOLLOW };
    let opened = rustix::fs::openat(&place.folder, &place.name, flags, Mode::empty()).map_err(|e| failed(e.into()))?;
    let now = rustix::fs::fstat(opened.as_fd()).map_err(|e| failed(e.into()))?;
    if id_of(&now) != id_of(&found) {
        return Err(failed(io::Error::other("it was replaced meanwhile")));
    }
    Ok(Some(opened.into()))
}

/// Others may have put what is theirs into a folder in which they may write, to get what is written to it.
pub(super) fn refuse_planted(path: &Path, folder: &Stat, found: &Stat) -> Result<()> {
    if !others_may_write(folder) || is_mine(found.st_uid) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, doing(path))
        .why(format!("{} belongs to another user (uid {}), who may have put it there", kind(found), found.st_uid))
        .hint("give another name, in a folder in which nobody else may write"))
}

fn kind(found: &Stat) -> &'static str {
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => "it is a file that",
        FileType::Fifo => "it is a pipe that",
        FileType::Socket => "it is a socket that",
        _ => "it is a device that",
    }
}

pub(super) fn doing(path: &Path) -> String {
    format!("write to {}", path.display())
}

pub(super) fn check_name(path: &Path) -> Result<()> {
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Error::new(ErrorKind::Usage, doing(path))
            .why("this names no file")
            .hint("give the name of a file"));
    }
    Ok(())
}

/// Fails unless the folder is there in which `path` names something.
pub(super) fn check_parent(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    match fs::metadata(&folder) {
        Ok(m) if m.is_dir() => Ok(()),
        Ok(_) => Err(Error::new(ErrorKind::Io, doing(path)).why(format!("{} is not a folder", folder.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::new(ErrorKind::Io, doing(path))
            .why(format!("there is no folder {}", folder.display()))
            .hint(format!("make it first: mkdir -p {}", folder.display()))),
        Err(e) => Err(io_error(doing(path), &folder, e)),
    }
}

/// In a folder with the sticky bit, only the owner of what is there replaces it, or the folder's: that is seen now, and not in the end.
pub(super) fn refuse_foreign(path: &Path, folder: &Stat, found: &Stat) -> Result<()> {
    let me = rustix::process::geteuid();
    let is_sticky = Mode::from_raw_mode(folder.st_mode).contains(Mode::SVTX);
    if !is_sticky || me.is_root() || [found.st_uid, folder.st_uid].contains(&me.as_raw()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, doing(path))
        .why(format!("what is there belongs to another user (uid {}), who alone may replace it", found.st_uid))
        .hint("give another name"))
}

pub(super) fn exists_already(path: &Path) -> Error {
    Error::new(ErrorKind::Refused, doing(path))
        .why("a file of that name exists already")
        .hint(Choice::Force + " replaces it when the new one is complete; or give another name")
}

/// What is called `name` in `folder`, and what that leads to if it is a link to what a process has open.
pub(super) fn stat(folder: impl AsFd, name: &OsString, flags: AtFlags) -> rustix::io::Result<Stat> {
    rustix::fs::statat(folder, name.as_os_str(), flags)
}
