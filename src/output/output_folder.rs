//! A folder with the files of an archive, that appears complete or not at all.
//!
//! It is made under a temporary name beside the place where it will be, readable by its owner only, and renamed when all of it is
//! on disk. A folder that is replaced stays until then: the two change places, where the file system can do that. Where an empty
//! folder cannot be replaced, it is made in that instead (`within.rs`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::folder::{Folder, is_unsupported};
use super::folder_files::{FolderFiles, Made};
use super::folder_target::{self, There};
use super::output_path::OutputPath;
use super::temporary_folder::{self, TemporaryFolder};
use super::temporary_name::temporary;
use super::{Existing, Flush, check_folder, io_error, leftovers, usual_mode, within, write_out};
use crate::cancellation::Cancellation;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Message, Reporter};

/// So many files are flushed one by one; where there are more, all of their file system is flushed at once.
const FEW: u64 = 256;

/// What the name of a folder ends with that was put aside for another.
pub(super) const PUT_ASIDE: &str = ".old";

/// A folder in the making. [`OutputFolder::commit`] gives it its name; dropped before that, it is gone.
#[derive(Debug)]
pub struct OutputFolder {
    target: OutputPath,
    there: There,
    /// The folder that it is made in: that beside it, or, where there is an empty one, that.
    home: Arc<Folder>,
    can_exchange: bool,
    part: TemporaryFolder,
    made: Arc<Made>,
    flush: Flush,
    /// The permissions of files, where they are not for their owner only.
    mode: Option<u32>,
    cancellation: Cancellation,
}

impl OutputFolder {
    /// Begins the folder that will be `path`; removes what runs that were killed have left beside it, which `reporter` tells.
    ///
    /// Fails if `path` names no folder that can be made, the folder above is missing or not writable, or something is there: an
    /// empty folder is filled, one with the files of an archive is replaced if `existing` says so, and nothing else.
    pub fn create(path: &Path, existing: Existing, reporter: &dyn Reporter) -> Result<Self> {
        let (target, there) = folder_target::find(path, existing, reporter)?;
        check_folder(&target)?;
        let folder = match there {
            There::Empty => {
                let held = target.folder.folder(&target.name);
                Arc::new(held.map_err(|e| io_error(format!("write to {}", path.display()), path, e))?)
            }
            There::Nothing | There::Archive => Arc::clone(&target.folder),
        };
        leftovers::clear(&folder, reporter);
        let cancellation = reporter.cancellation().clone();
        let failed = |e| {
            let shown = folder.path().display();
            io_error(format!("create a folder in the folder {shown}"), folder.path(), e)
        };
        let can_exchange = can_exchange((&folder, &target.name), &cancellation).map_err(failed)?;
        let part = TemporaryFolder::create(&folder, &target.name, &cancellation).map_err(failed)?;
        let (made, flush, mode) = Default::default();
        Ok(Self { target, there, home: folder, can_exchange, part, made, flush, mode, cancellation })
    }

    /// Has so much brought to the disk before the folder gets its name.
    #[must_use]
    pub fn flushing(mut self, flush: Flush) -> Self {
        self.flush = flush;
        self
    }

    /// The same folder, whose files have the permissions of any new file of this process. The folder keeps its own.
    #[must_use]
    pub fn readable_as_usual(mut self) -> Self {
        self.mode = Some(usual_mode());
        self
    }

    /// The name the folder will get.
    pub fn path(&self) -> &Path {
        &self.target.path
    }

    /// What makes its files, for one archive.
    ///
    /// # Errors
    /// There are no descriptors to be had.
    pub fn files(&self) -> io::Result<FolderFiles> {
        let first = self.part.first().map(File::try_clone).transpose()?;
        Ok(FolderFiles::new(self.part.inside(), first, Arc::clone(&self.made), self.mode))
    }

    /// `error`, if it is not one of writing in this folder; otherwise what kept a file in it from being written.
    pub fn explain(&self, error: Error) -> Error {
        match self.made.failure() {
            Some((name, kind)) => {
                let path = self.path().join(name);
                io_error(format!("write {}", path.display()), &path, kind.into())
            }
            None => error,
        }
    }

    /// Writes everything to disk and gives the folder its name. Gives the size of its files. `reporter` is told if a folder that
    /// was replaced could not be removed.
    pub fn commit(mut self, reporter: &dyn Reporter) -> Result<u64> {
        let path = self.path().to_owned();
        let failed = |e| io_error(format!("finish the folder {}", path.display()), &path, e);
        self.write_out().map_err(failed)?;
        let cancellation = self.cancellation.clone();
        let replaced = cancellation.uninterrupted(|| {
            self.check_place()?;
            let replaced = self.publish()?;
            if self.flush == Flush::Nothing {
                return Ok(replaced);
            }
            let folder = &self.home;
            let shown = folder.path().display();
            folder.flush().map_err(|e| io_error(format!("flush the folder {shown} to disk"), folder.path(), e))?;
            Ok::<_, Error>(replaced)
        })??;
        if let Some(name) = replaced
            && let Err(e) = temporary_folder::remove(&self.target.folder, &name)
        {
            let left = self.target.folder.path().join(&name).display().to_string();
            let text = format!("the folder that was replaced is there now, and could not be removed: {e}");
            reporter.message(Message::warning(left, text));
        }
        self.part.forget();
        Ok(self.made.bytes())
    }

    /// Brings all files and their names to the disk, and hears what the file system has to say.
    fn write_out(&self) -> io::Result<()> {
        let folder = self.part.inside().folder;
        if let Some(first) = self.part.first() {
            write_out(first, self.flush)?;
        }
        match self.flush {
            Flush::Nothing => return Ok(()),
            // With the first file, everything was.
            Flush::FileSystem => return folder.flush(),
            _ => {}
        }
        if self.made.files() > FEW {
            match folder.flush_file_system() {
                Ok(()) => return folder.flush(),
                Err(e) if !is_unsupported(&e) => return Err(e),
                Err(_) => {}
            }
        }
        let mut done = Ok(());
        folder.each_name(|name| {
            if done.is_ok() && pgformat::is_archive_file(name.as_encoded_bytes()) {
                done = folder.open_suspect(name).and_then(|file| write_out(&file, Flush::Files));
            }
        })?;
        done?;
        folder.flush()
    }

    /// Fails if the folder above is no longer what its path names, or the temporary name is no longer this folder's.
    fn check_place(&self) -> Result<()> {
        check_folder(&self.target)?;
        if self.part.is_whole() && self.home.is_where_it_was() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Io, format!("finish the folder {}", self.path().display()))
            .why(format!("the unfinished folder {} was removed or replaced meanwhile", self.part.path().display()))
            .hint("nothing was left; try again"))
    }

    /// Gives the folder its name, and says what the one is called now that had it.
    fn publish(&mut self) -> Result<Option<OsString>> {
        let OutputPath { folder, name, path } = &self.target;
        let failed = |e: io::Error| match e.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                folder_target::refused(path, folder_target::Wrong::NotEmpty)
            }
            _ => io_error(format!("finish the folder {}", path.display()), path, e),
        };
        if self.there == There::Empty {
            let part = &self.part.name;
            if !within::is_empty_but_for(&self.home, part).map_err(failed)? {
                return Err(folder_target::refused(path, folder_target::Wrong::NotEmpty));
            }
            return within::move_up(&self.part.inside().folder, &self.home, part, self.flush)
                .map(|()| None)
                .map_err(failed);
        }
        let is_there = folder.stat(name).map_err(failed)?.is_some();
        if self.there == There::Nothing || !is_there {
            // It replaces an empty folder at most, that was made meanwhile.
            return match folder.rename(&self.part.name, name) {
                Err(e) if !matches!(e.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty) => {
                    // Some systems do not rename what is open. The lock goes with that, which is why this is not done at once.
                    self.part.unlock();
                    folder.rename(&self.part.name, name)
                }
                done => done,
            }
            .map(|()| None)
            .map_err(failed);
        }
        folder_target::look(folder, name, Existing::Replace).map_err(|wrong| folder_target::refused(path, wrong))?;
        if self.can_exchange {
            return folder.exchange(&self.part.name, name).map(|()| Some(self.part.name.clone())).map_err(failed);
        }
        put_aside(folder, name, &mut self.part).map(Some).map_err(failed)
    }
}

/// Puts a folder in the place of one that goes under another name before, and gives that name. Between the two there is none in
/// that place, but nothing is lost: the other name is not one of those that the next run removes.
fn put_aside(folder: &Folder, name: &OsStr, part: &mut TemporaryFolder) -> io::Result<OsString> {
    let mut aside = temporary(name);
    aside.push(PUT_ASIDE);
    folder.rename(name, &aside)?;
    let renamed = folder.rename(&part.name, name).or_else(|_| {
        part.unlock();
        folder.rename(&part.name, name)
    });
    match renamed {
        Ok(()) => Ok(aside),
        // If that fails, too, the first error is still the one to be told.
        Err(e) => Err(folder.rename(&aside, name).err().map_or(e, |other| {
            io::Error::new(other.kind(), format!("{other}; what was there is called {} now", aside.display()))
        })),
    }
}

/// Whether two folders can change places. Found out with empty ones, before there is work that could be lost.
///
/// # Errors
/// Folders cannot be made there, or not be renamed.
fn can_exchange((folder, name): (&Arc<Folder>, &OsStr), cancellation: &Cancellation) -> io::Result<bool> {
    let new = || TemporaryFolder::create(folder, name, cancellation);
    let (mut one, other) = (new()?, new()?);
    // Each is removed by its name, whichever of the two that is of then.
    let can_exchange = folder.exchange(&one.name, &other.name).is_ok();
    let free = other.name.clone();
    drop(other);
    let there_and_back = |one: &TemporaryFolder| {
        folder.rename(&one.name, &free)?;
        folder.rename(&free, &one.name)
    };
    there_and_back(&one)
        .or_else(|_| {
            one.unlock();
            there_and_back(&one)
        })
        .map_err(|e| io::Error::new(e.kind(), format!("folders cannot be renamed there: {e}")))?;
    Ok(can_exchange)
}

#[cfg(test)]
mod tests;
