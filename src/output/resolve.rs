//! From a path to a folder that is held, and a name in it.
//!
//! The path is walked part by part, because others can put symbolic links where they may write: in `/tmp`, a link called like
//! the result leads a superuser's backup over any file there is. The kernel has a rule about that, which some systems switch
//! off and which does not hold for a link that is read instead of followed.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, PROC_SUPER_MAGIC, Stat};
use rustix::io::Errno;

use super::output_path::{doing, stat};
use super::{folder_of, io_error};
use crate::error::{Error, ErrorKind, Result};

/// As many symbolic links as the kernel follows.
const LINKS: usize = 40;

/// What a path leads to.
pub(super) struct ResolvedPath {
    pub(super) folder: OwnedFd,
    /// What the folder says of itself.
    pub(super) about: Stat,
    pub(super) name: OsString,
    /// What is called so; nothing, if there is nothing.
    pub(super) found: Option<Stat>,
    /// Whether the name is that of a file that a process has open.
    pub(super) is_open_file: bool,
    /// The path: as it was given, or without the symbolic links that it ended with.
    pub(super) path: PathBuf,
}

/// What a link in /proc is to a file that a process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfProcess {
    /// A link like others, if the file has a path.
    Followed,
    /// The file, which may have a path no longer.
    Kept,
}

impl ResolvedPath {
    /// Walks `path`, which must end with a name. A symbolic link may lead to what is not there yet, in a folder that is.
    ///
    /// Fails where the path leads nowhere, or over another user's symbolic link.
    pub(super) fn find(path: &Path, of_process: OfProcess) -> Result<Self> {
        let failed = |e: Errno| io_error(doing(path), path, e.into());
        let mut walk = Walk::new(path).map_err(failed)?;
        let mut shown = path.to_path_buf();
        let mut is_of_process = false;
        while let Some(part) = walk.rest.pop_front() {
            if !walk.rest.is_empty() {
                walk.enter(&part, path)?;
                continue;
            }
            let about = rustix::fs::fstat(&walk.folder).map_err(failed)?;
            let found = match stat(&walk.folder, &part, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => Some(found),
                // A file that a process has open and that was removed leads to no name that it could have.
                Err(Errno::NOENT) if is_of_process => return Err(leads_nowhere(path)),
                Err(Errno::NOENT) => None,
                Err(e) => return Err(failed(e)),
            };
            let is_link = found.as_ref().is_some_and(|found| is(found, FileType::Symlink));
            if !is_link {
                let Walk { folder, .. } = walk;
                return Ok(Self { folder, about, name: part, found, is_open_file: false, path: shown });
            }
            // Of a pipe that a process has open, the link has no path to walk.
            is_of_process |= is_proc(&walk.folder);
            let open = is_proc(&walk.folder).then(|| stat(&walk.folder, &part, AtFlags::empty()).ok()).flatten();
            let has_path = |open: &Stat| {
                is(open, FileType::Directory) || (is(open, FileType::RegularFile) && of_process == OfProcess::Followed)
            };
            if let Some(open) = open.filter(|open| !has_path(open)) {
                let Walk { folder, .. } = walk;
                return Ok(Self { folder, about, name: part, found: Some(open), is_open_file: true, path: shown });
            }
            if let Some(link) = found.filter(|link| !is_mine(link.st_uid) && others_may_write(&about)) {
                return Err(foreign_link(path, &shown, &link));
            }
            walk.follow(&part, path)?;
            shown = real_path(&shown).ok_or_else(|| leads_nowhere(path))?;
        }
        Err(Error::new(ErrorKind::Usage, doing(path)).why("this names no file"))
    }
}

struct Walk {
    folder: OwnedFd,
    rest: VecDeque<OsString>,
    links: usize,
}

impl Walk {
    fn new(path: &Path) -> rustix::io::Result<Self> {
        let begin = if path.is_absolute() { "/" } else { "." };
        Ok(Self { folder: open_folder(CWD, OsStr::new(begin))?, rest: parts(path), links: 0 })
    }

    /// Goes into the folder `part`, or to where the symbolic link of that name leads.
    fn enter(&mut self, part: &OsString, path: &Path) -> Result<()> {
        let has_links = self.links > 0;
        let failed = |e: Errno| match e {
            Errno::NOENT if has_links => leads_nowhere(path),
            _ => io_error(doing(path), path, e.into()),
        };
        let found = stat(&self.folder, part, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        if !is(&found, FileType::Symlink) {
            self.folder = open_folder(&self.folder, part).map_err(failed)?;
            return Ok(());
        }
        if is_proc(&self.folder) {
            // Such a link is the folder that a process has open, wherever that is.
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            self.folder = rustix::fs::openat(&self.folder, part.as_os_str(), flags, Mode::empty()).map_err(failed)?;
            return Ok(());
        }
        let about = rustix::fs::fstat(&self.folder).map_err(failed)?;
        if everybody_may_write(&about) && !is_mine(found.st_uid) && found.st_uid != about.st_uid {
            return Err(foreign_link(path, Path::new(part), &found));
        }
        self.follow(part, path)
    }

    /// Puts where the symbolic link `part` leads in its place.
    fn follow(&mut self, part: &OsString, path: &Path) -> Result<()> {
        let failed = |e: Errno| io_error(doing(path), path, e.into());
        self.links += 1;
        if self.links > LINKS {
            return Err(failed(Errno::LOOP));
        }
        let to = rustix::fs::readlinkat(&self.folder, part.as_os_str(), Vec::new()).map_err(failed)?;
        let to = PathBuf::from(OsString::from_vec(to.into_bytes()));
        if to.is_absolute() {
            self.folder = open_folder(CWD, OsStr::new("/")).map_err(failed)?;
        }
        for part in parts(&to).into_iter().rev() {
            self.rest.push_front(part);
        }
        Ok(())
    }
}

/// Holds a folder, which is not followed if it has become a symbolic link meanwhile.
fn open_folder(at: impl std::os::fd::AsFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| OsStr::from_bytes(part.as_os_str().as_bytes()).to_owned())
        .collect()
}

/// Where the symbolic link `path` leads, as a path.
fn real_path(path: &Path) -> Option<PathBuf> {
    let to = fs::read_link(path).ok()?;
    let folder = fs::canonicalize(folder_of(path)).ok()?;
    let to = folder.join(to);
    let name = to.file_name()?.to_owned();
    Some(fs::canonicalize(folder_of(&to)).ok()?.join(name))
}

fn is(found: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(found.st_mode) == kind
}

fn is_proc(folder: &OwnedFd) -> bool {
    rustix::fs::fstatfs(folder).is_ok_and(|about| about.f_type == PROC_SUPER_MAGIC)
}

/// Whether what belongs to `user` was put where it is by somebody who is trusted: by us, or by the superuser.
pub(super) fn is_mine(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

/// Whether somebody who is not trusted can put something into the folder.
pub(super) fn others_may_write(folder: &Stat) -> bool {
    let mode = Mode::from_raw_mode(folder.st_mode);
    !is_mine(folder.st_uid) || mode.intersects(Mode::WGRP | Mode::WOTH)
}

fn everybody_may_write(folder: &Stat) -> bool {
    Mode::from_raw_mode(folder.st_mode).contains(Mode::WOTH)
}

fn foreign_link(path: &Path, link: &Path, found: &Stat) -> Error {
    Error::new(ErrorKind::Refused, doing(path))
        .why(format!(
            "{} is a symbolic link of another user (uid {}), in a folder in which others may write",
            link.display(),
            found.st_uid
        ))
        .hint("give the name of the file itself, or another one")
}

pub(super) fn leads_nowhere(path: &Path) -> Error {
    Error::new(ErrorKind::Io, doing(path)).why("it is a symbolic link that leads nowhere")
}
