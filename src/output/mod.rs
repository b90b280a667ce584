//! A result file that appears complete or not at all, and a folder that does (`output_folder.rs`).
//!
//! While it is made it has no name, where the file system has such files (`O_TMPFILE`): however the process ends, nothing is
//! left. Elsewhere, and where something else has to open it by a name, it has a temporary one in the folder where it will
//! live, which the next run removes if it was left (`temporary_name.rs`). Either way it is readable by its owner only, and
//! gets its name when its bytes are on disk. A run that fails or is interrupted leaves nothing that looks like a result and
//! touches no older one. What the file system can do is found out at the beginning (`capabilities.rs`), before hours of work.
//!
//! Everything is done in the folder that was found at the beginning, by its descriptor, and what others may have planted there
//! is not followed (`resolve.rs`).

mod capabilities;
mod errors;
mod flush;
mod folder;
mod folder_files;
mod folder_target;
mod kept_file;
mod leftovers;
mod output_folder;
mod output_path;
#[cfg(feature = "cli")]
mod removal;
mod resolve;
mod temporary_folder;
mod temporary_name;
mod within;

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::IntoRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Stat, Uid};

use crate::cancellation::Cancellation;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Reporter;
use capabilities::{Capabilities, Publish};
use folder::Folder;
use output_path::OutputPath;
use temporary_name::{TemporaryName, hold};

pub use errors::{file_size_limit_hint, full_disk_hint, io_error};
pub use flush::Flush;
pub use folder::{folder_of, sync_folder, with_suffix};
pub use folder_files::{FolderFile, FolderFiles};
pub use kept_file::KeptFile;
pub use leftovers::leftovers;
pub use output_folder::OutputFolder;
pub use output_path::{check_target, open_special};
#[cfg(feature = "cli")]
pub(crate) use removal::{Removal, Stamp};

/// What to do about a file that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Existing {
    /// Leave it alone and fail.
    #[default]
    Refuse,
    /// Replace it, in the moment in which the new one is complete.
    Replace,
}

/// A file in the making. [`OutputFile::commit`] gives it its name; dropped before that, it is gone.
#[derive(Debug)]
pub struct OutputFile {
    target: OutputPath,
    existing: Existing,
    file: File,
    /// The name that it has meanwhile, if it has one, and how it gets the other.
    part: Option<(TemporaryName, Publish)>,
    failure: Option<io::ErrorKind>,
    flush: Flush,
    cancellation: Cancellation,
}

impl OutputFile {
    /// Begins the file that will be `path`; removes what runs that were killed have left in its folder, which `reporter` tells.
    ///
    /// Fails if `path` names no file, its folder is missing or not writable, its file system cannot do what is needed, or a
    /// file is there and `existing` says to leave it.
    pub fn create(path: &Path, existing: Existing, reporter: &dyn Reporter) -> Result<Self> {
        Self::make(path, existing, false, reporter)
    }

    /// As [`OutputFile::create`], with a temporary name, for what must open the file by [`OutputFile::temporary_path`].
    pub fn create_named(path: &Path, existing: Existing, reporter: &dyn Reporter) -> Result<Self> {
        Self::make(path, existing, true, reporter)
    }

    fn make(path: &Path, existing: Existing, named: bool, reporter: &dyn Reporter) -> Result<Self> {
        let target = OutputPath::find(path, existing)?;
        let folder = &target.folder;
        check_folder(&target)?;
        leftovers::clear(folder, reporter);
        let failed = |e| {
            let shown = folder.path().display();
            io_error(format!("create a file in the folder {shown}"), folder.path(), e)
        };
        let cancellation = reporter.cancellation().clone();
        let place = (folder, &*target.name);
        let capabilities = Capabilities::find_out(place, named, existing, &cancellation).map_err(failed)?;
        let (file, part) = match capabilities {
            Capabilities::Unnamed => (folder.unnamed().map_err(failed)?, None),
            Capabilities::Named(publish) => {
                let (file, part) = TemporaryName::create(folder, &target.name, &cancellation).map_err(failed)?;
                (file, Some((part, publish)))
            }
        };
        Ok(Self { target, existing, file, part, failure: None, flush: Flush::default(), cancellation })
    }

    /// Has so much brought to the disk before the file gets its name.
    #[must_use]
    pub fn flushing(mut self, flush: Flush) -> Self {
        self.flush = flush;
        self
    }

    /// The same file, readable by those who may read the one that it replaces, or else any new file of this process: as files
    /// of programs are that think of no secrets.
    ///
    /// # Errors
    /// Its permissions cannot be changed.
    pub fn readable_as_usual(self) -> Result<Self> {
        let failed = |e: io::Error| io_error(format!("say who may read {}", self.path().display()), self.path(), e);
        let mode = match self.target.folder.regular(&self.target.name) {
            Some(there) => owned_as(&self.file, &there).map_err(failed)?,
            None => usual_mode(),
        };
        permit(&self.file, mode).map_err(failed)?;
        Ok(self)
    }

    /// The name the file will get.
    pub fn path(&self) -> &Path {
        &self.target.path
    }

    /// The name the file has while it is being made; that of its folder, if it has none. Another one when the folder has been
    /// renamed, so it is asked for when it is used.
    pub fn temporary_path(&self) -> PathBuf {
        self.part.as_ref().map_or_else(|| self.target.folder.real_path(), |(part, _)| part.path())
    }

    /// Whether it will be what `other` names, also where capital letters make no difference.
    pub fn will_be(&self, other: &Path) -> bool {
        let OutputPath { folder, name, .. } = &self.target;
        let Some(other_name) = other.file_name().filter(|_| folder.is_at(&folder_of(other))) else { return false };
        let folds_case = || self.part.as_ref().is_some_and(|(part, _)| part.is_any_case());
        let lower = |name: &OsStr| name.to_string_lossy().to_lowercase();
        name == other_name || (lower(name) == lower(other_name) && folds_case())
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// `error`, if it is not one of writing this file; otherwise what kept the file from being written.
    pub fn explain(&self, error: Error) -> Error {
        match self.failure {
            Some(kind) => io_error(format!("write {}", self.path().display()), self.path(), kind.into()),
            None => error,
        }
    }

    /// Writes everything to disk and gives the file its name. Gives its size.
    pub fn commit(self) -> Result<u64> {
        self.commit_with(|| Ok(()))
    }

    /// As [`OutputFile::commit`]; `before` runs right before the renaming, and its error is the end of it.
    pub fn commit_with(self, before: impl FnOnce() -> Result<()>) -> Result<u64> {
        let size = self.write_out()?;
        let Self { target, existing, file, part, flush, cancellation, .. } = self;
        let OutputPath { folder, name, path } = &target;
        // The part is outside, so that it goes away after these steps, which must not wait for themselves.
        cancellation.uninterrupted(|| {
            check_place(&target, &file, part.as_ref().map(|(part, _)| part))?;
            before()?;
            let done = match &part {
                None => publish_unnamed(&file, folder, name, existing),
                Some((part, publish)) => publish_named(file, part, name, *publish),
            };
            done.map_err(|e| match e.kind() {
                io::ErrorKind::AlreadyExists => output_path::exists_already(path),
                _ => io_error(format!("finish the file {}", path.display()), path, e),
            })?;
            if flush == Flush::Nothing {
                return Ok(());
            }
            let shown = folder.path().display();
            folder.flush().map_err(|e| io_error(format!("flush the folder {shown} to disk"), folder.path(), e))
        })??;
        Ok(size)
    }

    /// As [`OutputFile::commit`], but `place` gives the file its name: it is called, in a step that no signal parts, with the
    /// temporary name, and gives something that the caller wants.
    pub fn commit_by<T>(self, place: impl FnOnce(&Path) -> Result<T>) -> Result<(u64, T)> {
        let size = self.write_out()?;
        let placed = self.cancellation.uninterrupted(|| {
            check_place(&self.target, &self.file, self.part.as_ref().map(|(part, _)| part))?;
            place(&self.temporary_path())
        })??;
        Ok((size, placed))
    }

    /// Brings all of the file to the disk, and gives its size.
    fn write_out(&self) -> Result<u64> {
        let path = self.path();
        let failed = |e| io_error(format!("finish the file {}", path.display()), path, e);
        write_out(&self.file, self.flush).map_err(failed)?;
        Ok(self.file.metadata().map_err(failed)?.len())
    }
}

/// Gives a file the owner and the group of the one that it replaces, as far as the process may; the permissions that go with that.
fn owned_as(file: &File, there: &Stat) -> io::Result<u32> {
    let now = rustix::fs::fstat(file)?;
    let mode = there.st_mode & 0o777;
    let (owner, group) = (Uid::from_raw(there.st_uid), Gid::from_raw(there.st_gid));
    let is_owned = now.st_uid == there.st_uid || rustix::fs::fchown(file, Some(owner), None).is_ok();
    let is_of_group = now.st_gid == there.st_gid || rustix::fs::fchown(file, None, Some(group)).is_ok();
    // What the old group may, another one must not.
    let mode = if is_of_group { mode } else { mode & !0o070 };
    Ok(if is_owned { mode } else { mode | 0o600 })
}

/// Says who may read a file. Where the file system has its own opinion of that, it holds.
fn permit(file: &File, mode: u32) -> io::Result<()> {
    match file.set_permissions(Permissions::from_mode(mode)) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied || folder::is_unsupported(&e) => Ok(()),
        done => done,
    }
}

/// The permissions of a new file, as this process's umask leaves them.
fn usual_mode() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    // Where the system does not tell, nobody else may read it.
    let umask = umask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o077);
    0o666 & !umask
}

/// Fails if the folder is no longer what its path names, or the temporary name is no longer this file's.
fn check_place(target: &OutputPath, file: &File, part: Option<&TemporaryName>) -> Result<()> {
    let changed = |why: String| {
        Err(Error::new(ErrorKind::Io, format!("finish the file {}", target.path.display()))
            .why(why)
            .hint("nothing was left; try again"))
    };
    check_folder(target)?;
    match part {
        Some(part) if !part.is_of(file) => {
            changed(format!("its unfinished file {} was removed or replaced meanwhile", part.path().display()))
        }
        _ => Ok(()),
    }
}

/// Fails if its path no longer leads to the folder. Tried at the beginning as well, in case that a file system does not tell
/// folders apart.
fn check_folder(target: &OutputPath) -> Result<()> {
    let folder = target.folder.path().display();
    if target.folder.is_where_it_was() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Io, format!("finish {}", target.path.display()))
        .why(format!("the folder {folder} was renamed, removed or replaced meanwhile"))
        .hint("nothing was left; try again"))
}

/// Gives a file without a name its name. A link replaces nothing, so what is there is replaced by way of a temporary name, which
/// is locked like any other.
fn publish_unnamed(file: &File, folder: &Folder, name: &OsStr, existing: Existing) -> io::Result<()> {
    match folder.link_open(file, name) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && existing == Existing::Replace => {}
        done => return done,
    }
    // No run takes it for one that was left, while it has the other name.
    hold(file);
    let made = temporary_name::link(file, folder, name)?;
    folder.rename(&made, name).inspect_err(|_| _ = folder.remove(&made))
}

/// Gives a file with a temporary name its name.
fn publish_named(file: File, part: &TemporaryName, name: &OsStr, publish: Publish) -> io::Result<()> {
    match part.publish(name, publish) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            // Some systems do not rename what is open. Its lock goes with it, which is why this is not done at once.
            drop(file);
            part.publish(name, publish)
        }
        done => done,
    }
}

/// Brings all of the file to the disk, and hears what the file system has to say: some only say when it is closed.
fn write_out(file: &File, flush: Flush) -> io::Result<()> {
    flush.file(file)?;
    Ok(nix::unistd::close(file.try_clone()?.into_raw_fd())?)
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if let Err(e) = &written
            && e.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some(e.kind());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for OutputFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for OutputFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests;
