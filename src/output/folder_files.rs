//! The files of an archive, in a folder in the making.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::IntoRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pgformat::NewFiles;

use super::temporary_folder::{CONTENTS, Inside};

/// What is known of the files that were made.
#[derive(Debug, Default)]
pub(super) struct Made {
    files: AtomicU64,
    bytes: AtomicU64,
    failure: Mutex<Option<(String, io::ErrorKind)>>,
}

impl Made {
    /// How many there are.
    pub(super) fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// How many bytes are in them.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What kept one from being written, and which.
    pub(super) fn failure(&self) -> Option<(String, io::ErrorKind)> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what kept a file from being written, the first time.
    fn heed<T>(&self, name: &str, done: io::Result<T>) -> io::Result<T> {
        if let Err(e) = &done
            && e.kind() != io::ErrorKind::Interrupted
        {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| (name.to_owned(), e.kind()));
        }
        done
    }
}

/// Makes the files of an archive in an [`OutputFolder`](super::OutputFolder).
#[derive(Debug)]
pub struct FolderFiles {
    inside: Inside,
    /// The first file, which is there already.
    first: Option<File>,
    made: Arc<Made>,
    mode: Option<u32>,
}

impl FolderFiles {
    pub(super) fn new(inside: Inside, first: Option<File>, made: Arc<Made>, mode: Option<u32>) -> Self {
        Self { inside, first, made, mode }
    }
}

/// A file in an [`OutputFolder`](super::OutputFolder).
#[derive(Debug)]
pub struct FolderFile {
    file: File,
    name: String,
    made: Arc<Made>,
}

impl NewFiles for FolderFiles {
    type File = FolderFile;

    fn create(&mut self, name: &str) -> io::Result<FolderFile> {
        let first = self.first.take_if(|_| name == CONTENTS);
        let file = first.map_or_else(|| self.inside.create(name), Ok);
        let permitted = |file: File| match self.mode {
            Some(mode) => super::permit(&file, mode).map(|()| file),
            None => Ok(file),
        };
        let file = self.made.heed(name, file.and_then(permitted))?;
        self.made.files.fetch_add(1, Ordering::Relaxed);
        Ok(FolderFile { file, name: name.to_owned(), made: Arc::clone(&self.made) })
    }

    /// Hears what the file system has to say: some only say when a file is closed.
    fn close(&mut self, name: &str, file: FolderFile) -> io::Result<()> {
        let closed = nix::unistd::close(file.file.into_raw_fd());
        self.made.heed(name, closed.map_err(io::Error::from))
    }
}

impl Write for FolderFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.made.heed(&self.name, self.file.write(bytes))?;
        self.made.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
