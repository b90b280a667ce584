//! A folder in the making, under a temporary name.
//!
//! The file that its archive begins with is made along with it, and locked as long as the process lives: by that other runs see
//! that it is no leftover. A folder itself takes no such lock.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::folder::{Folder, id_of};
use super::temporary_name::{ATTEMPTS, Holder, hold, temporary};
use crate::cancellation::{Cancellation, Registration};

/// The file that an archive begins with. It is the first to come and the last to go, so that a folder without it has none of
/// an archive.
pub(super) const CONTENTS: &str = "toc.dat";

/// Whether a folder is being done away with. It is held while a file is made, so that none is made in a folder that goes.
type IsOver = Arc<Mutex<bool>>;

/// A folder under a temporary name, which goes away with this value, and with the process, and all that is in it.
#[derive(Debug)]
pub(super) struct TemporaryFolder {
    parent: Arc<Folder>,
    pub(super) name: OsString,
    folder: Arc<Folder>,
    /// Its first file, with the lock.
    first: Option<File>,
    is_over: IsOver,
    is_kept: bool,
    /// Whether the file system tells files apart, so that it can be seen whether the name is still that of the folder.
    tells_apart: bool,
    _registration: Registration,
}

impl TemporaryFolder {
    /// Makes a folder in `parent` under a temporary name that says that it will be called `name`.
    pub(super) fn create(parent: &Arc<Folder>, name: &OsStr, cancellation: &Cancellation) -> io::Result<Self> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            let mut made = match Self::make(parent, temporary(name), cancellation) {
                // Another run has taken it for one that was left, before it was locked. Not so many times in turn.
                Err(e) if e.kind() == io::ErrorKind::NotFound && attempts.next().is_some() => continue,
                made => made?,
            };
            let is_another_s = made.first.as_ref().is_some_and(|file| hold(file) == Holder::Another);
            made.tells_apart = made.is_named();
            if attempts.next().is_none() || (!is_another_s && made.tells_apart) {
                return Ok(made);
            }
        }
    }

    fn make(parent: &Arc<Folder>, name: OsString, cancellation: &Cancellation) -> io::Result<Self> {
        let is_over = IsOver::default();
        let (above, its, over) = (Arc::clone(parent), name.clone(), Arc::clone(&is_over));
        let end = move || {
            *lock(&over) = true;
            // The error that led here matters more than one of this.
            let _ = remove(&above, &its);
        };
        let registration = cancellation.quick(end).map_err(io::Error::other)?;
        let is_ending = lock(&is_over);
        refuse_the_end(&is_ending)?;
        parent.make_folder(&name)?;
        let filled = parent.folder(&name).and_then(|folder| Ok((folder.create(OsStr::new(CONTENTS))?, folder)));
        let (first, folder) = filled.inspect_err(|_| _ = remove(parent, &name))?;
        drop(is_ending);
        Ok(Self {
            parent: Arc::clone(parent),
            name,
            folder: Arc::new(folder),
            first: Some(first),
            is_over,
            is_kept: false,
            tells_apart: true,
            _registration: registration,
        })
    }

    /// Where it is now, without symbolic links.
    pub(super) fn path(&self) -> PathBuf {
        self.parent.real_path().join(&self.name)
    }

    /// The folder, for those who make files in it.
    pub(super) fn inside(&self) -> Inside {
        Inside { folder: Arc::clone(&self.folder), is_over: Arc::clone(&self.is_over) }
    }

    /// Its first file.
    pub(super) fn first(&self) -> Option<&File> {
        self.first.as_ref()
    }

    /// Closes its first file, and gives up the lock with that.
    pub(super) fn unlock(&mut self) {
        self.first = None;
    }

    /// Whether its name is still that of the folder, as far as can be seen.
    pub(super) fn is_whole(&self) -> bool {
        !self.tells_apart || self.is_named()
    }

    fn is_named(&self) -> bool {
        let ids = |named: io::Result<Option<_>>, held: io::Result<_>| {
            named.ok().flatten().zip(held.ok()).is_some_and(|(named, held)| id_of(&named) == id_of(&held))
        };
        let first = |file: &File| rustix::fs::fstat(file).map_err(Into::into);
        ids(self.parent.stat(&self.name), self.folder.about())
            && self.first().is_none_or(|file| ids(self.folder.stat(OsStr::new(CONTENTS)), first(file)))
    }

    /// For when the name is another folder's, or nobody's any more.
    pub(super) fn forget(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if !self.is_kept {
            *lock(&self.is_over) = true;
            // As above.
            let _ = remove(&self.parent, &self.name);
        }
    }
}

/// A folder in which files are made, until it is done away with.
#[derive(Debug, Clone)]
pub(super) struct Inside {
    pub(super) folder: Arc<Folder>,
    is_over: IsOver,
}

impl Inside {
    /// Makes a file that was not there.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        let is_ending = lock(&self.is_over);
        refuse_the_end(&is_ending)?;
        self.folder.create(OsStr::new(name))
    }
}

fn lock(is_over: &IsOver) -> MutexGuard<'_, bool> {
    is_over.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refuse_the_end(is_over: &bool) -> io::Result<()> {
    if *is_over { Err(io::Error::other("the end was asked for")) } else { Ok(()) }
}

/// Removes a folder in `parent` with the files of an archive that are in it.
///
/// # Errors
/// Something cannot be removed, or is no file of an archive: then the folder stays with it.
pub(super) fn remove(parent: &Folder, name: &OsStr) -> io::Result<()> {
    let folder = match parent.folder(name) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        folder => folder?,
    };
    // What is removed while a folder is read may hide from that.
    while remove_some(&folder)? {}
    if let Err(e) = folder.remove(OsStr::new(CONTENTS))
        && e.kind() != io::ErrorKind::NotFound
    {
        return Err(e);
    }
    parent.remove_folder(name)
}

/// Removes the files of an archive but for the first, as far as they are seen, and says whether there were any.
fn remove_some(folder: &Folder) -> io::Result<bool> {
    let mut removed = Ok(false);
    folder.each_name(|name| {
        if name != CONTENTS && pgformat::is_archive_file(name.as_bytes()) && removed.is_ok() {
            removed = folder.remove(name).map(|()| true);
        }
    })?;
    removed
}
