//! A file that others are kept out of.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::in_use::{Process, others};
use super::lock::lock_all;
use super::watch::Watch;

/// A file that is locked until this is dropped. It may be opened and closed otherwise meanwhile.
#[derive(Debug)]
pub(super) struct LockedFile {
    file: File,
    id: (u64, u64),
    watch: Option<io::Result<Watch>>,
}

/// Who has files open besides this process.
#[derive(Debug, Default)]
pub(super) struct Users {
    /// Those that can be seen.
    pub seen: Vec<Process>,
    /// Somebody opened one since it was watched, whether he can be seen or not.
    pub opened: bool,
}

impl Users {
    /// Those of the `files`.
    pub fn of<'a>(files: impl Iterator<Item = &'a LockedFile> + Clone) -> io::Result<Self> {
        let mut opened = false;
        for held in files.clone() {
            opened |= held.is_opened()?;
        }
        let ids: Vec<(u64, u64)> = files.map(LockedFile::id).collect();
        Ok(Self { seen: others(&ids), opened })
    }
}

impl LockedFile {
    /// Locks `file`, which must be open for writing, and watches who opens it. Gives nothing if another process has a lock
    /// on it.
    pub fn watched(file: File) -> io::Result<Option<Self>> {
        // Before the lock: nobody shall come between.
        let watch = Some(Watch::new(&file));
        Self::new(file, watch)
    }

    /// As [`LockedFile::watched`], but does not watch it.
    pub fn locked(file: File) -> io::Result<Option<Self>> {
        Self::new(file, None)
    }

    fn new(file: File, watch: Option<io::Result<Watch>>) -> io::Result<Option<Self>> {
        let found = file.metadata()?;
        let id = (found.dev(), found.ino());
        Ok(lock_all(&file)?.then_some(Self { file, id, watch }))
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its file system's number and its own.
    pub fn id(&self) -> (u64, u64) {
        self.id
    }

    /// Why the file cannot be watched, if it was to be and cannot.
    pub fn unwatched(&self) -> Option<&io::Error> {
        self.watch.as_ref()?.as_ref().err()
    }

    /// Whether somebody has opened it since, and not closed it again.
    pub fn is_opened(&self) -> io::Result<bool> {
        match &self.watch {
            Some(Ok(watch)) => watch.is_open(),
            Some(Err(_)) | None => Ok(false),
        }
    }

    /// Makes the file one that no SQLite takes for a database, for those who have opened it and must not go on with it.
    pub fn spoil(&self) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        self.file.write_all_at(&[0; 16], 0)
    }
}
