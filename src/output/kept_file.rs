//! An empty file that stays and is written to, because no other can take its place: it is mounted by itself, nothing can be made
//! beside it, or it is known by a process's descriptor of it.
//!
//! What it begins with is written last, when all else is on the disk: until then it begins with zeros, so that nothing takes what
//! a killed run leaves for an archive or a script. A run that fails leaves it empty. One that is not empty is refused, because
//! what is in it would be lost before there is something to replace it.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FileType, Mode, OFlags};

use super::folder::{Folder, id_of};
use super::output_path::{check_name, doing, refuse_planted};
use super::resolve::{OfProcess, ResolvedPath};
use super::temporary_name::{Holder, hold};
use super::{Flush, folder_of, io_error, write_out};
use crate::cancellation::{Cancellation, Registration};
use crate::error::{Error, ErrorKind, Result};

/// How much of its beginning is written last: what archives and scripts are known by is in it, and file systems need no room for
/// so many zeros that nobody wrote.
const BEGINNING: usize = 4096;

/// A file that is written in its place. [`KeptFile::commit`] completes it; dropped before that, it is empty again.
#[derive(Debug)]
pub struct KeptFile {
    shared: Arc<Shared>,
    path: PathBuf,
    /// Whether it is known by a descriptor, and has a path of its own or none.
    is_open_file: bool,
    beginning: Vec<u8>,
    at: u64,
    size: u64,
    failure: Option<io::ErrorKind>,
    flush: Flush,
    cancellation: Cancellation,
    _registration: Registration,
}

/// The file, and what became of it. Held while it is written to, so that nothing is once it was emptied.
#[derive(Debug)]
struct Shared {
    file: File,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Written,
    Complete,
    Emptied,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        let state = self.state();
        if *state == State::Emptied {
            return Err(io::Error::other("the end was asked for"));
        }
        self.file.write_at(bytes, at)
    }

    /// Takes back what was written, unless it is complete.
    fn empty(&self) {
        let mut state = self.state();
        if *state == State::Written {
            *state = State::Emptied;
            // The error that led here matters more than one of this; what is left begins with zeros.
            let _ = self.file.set_len(0);
        }
    }
}

impl KeptFile {
    /// Opens the file at `path` if it must stay; gives nothing if another can take its place, or if there is none.
    ///
    /// # Errors
    /// It is not empty, another run writes to it, it is another user's in a folder in which others may write, or it cannot be opened.
    pub fn open(path: &Path, cancellation: &Cancellation) -> Result<Option<Self>> {
        if !fs::metadata(path).is_ok_and(|about| about.is_file()) {
            return Ok(None);
        }
        check_name(path)?;
        let place = ResolvedPath::find(path, OfProcess::Kept)?;
        let Some(found) = place.found.filter(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile)
        else {
            return Ok(None);
        };
        let failed = |e: io::Error| io_error(doing(path), path, e);
        let is_open_file = place.is_open_file;
        let held = place.folder.try_clone().map_err(failed)?;
        let folder = Folder::new(held, folder_of(&place.path)).map_err(failed)?;
        let why = if is_open_file {
            "a process has it open"
        } else if folder.is_mount_point(&place.name) {
            "it is mounted by itself"
        } else if !folder.is_writable() {
            "nothing can be made in its folder"
        } else {
            return Ok(None);
        };
        if !is_open_file {
            refuse_planted(path, &place.about, &found)?;
        }
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        // What is in /proc is a link to what a process has open.
        let flags = if is_open_file { flags } else { flags | OFlags::NOFOLLOW };
        let opened = rustix::fs::openat(&place.folder, &place.name, flags, Mode::empty());
        let opened = opened.map_err(|e| failed(e.into()))?;
        let now = rustix::fs::fstat(opened.as_fd()).map_err(|e| failed(e.into()))?;
        if id_of(&now) != id_of(&found) {
            return Err(failed(io::Error::other("it was replaced meanwhile")));
        }
        if now.st_size > 0 {
            let why = format!("{why}, so that no other can take its place, and it is not empty");
            return Err(Error::new(ErrorKind::Refused, doing(path))
                .why(why)
                .hint("give another name; or empty it before, if nothing in it is needed"));
        }
        let file = File::from(opened);
        if hold(&file) == Holder::Another {
            return Err(Error::new(ErrorKind::Refused, doing(path))
                .why("another run writes to it")
                .hint("give another name, or wait until that has ended"));
        }
        let shared = Arc::new(Shared { file, state: Mutex::new(State::Written) });
        let ending = Arc::clone(&shared);
        Ok(Some(Self {
            shared,
            path: path.to_owned(),
            is_open_file,
            beginning: Vec::new(),
            at: 0,
            size: 0,
            failure: None,
            flush: Flush::default(),
            cancellation: cancellation.clone(),
            _registration: cancellation.quick(move || ending.empty())?,
        }))
    }

    /// Has so much brought to the disk before and after what the file begins with.
    #[must_use]
    pub fn flushing(mut self, flush: Flush) -> Self {
        self.flush = flush;
        self
    }

    /// `error`, if it is not one of writing this file; otherwise what kept the file from being written.
    pub fn explain(&self, error: Error) -> Error {
        match self.failure {
            Some(kind) => io_error(format!("write {}", self.path.display()), &self.path, kind.into()),
            None => error,
        }
    }

    /// Writes everything to disk, what the file begins with last. Gives its size.
    ///
    /// # Errors
    /// It cannot be written, or the path leads to another file by now. Then it is empty again.
    pub fn commit(self) -> Result<u64> {
        let failed = |e| io_error(format!("finish the file {}", self.path.display()), &self.path, e);
        write_out(&self.shared.file, self.flush).map_err(failed)?;
        self.cancellation.uninterrupted(|| {
            self.check_place()?;
            self.shared.file.write_all_at(&self.beginning, 0).map_err(failed)?;
            write_out(&self.shared.file, self.flush).map_err(failed)?;
            *self.shared.state() = State::Complete;
            Ok(self.size)
        })?
    }

    /// Fails if the path no longer leads to the file.
    fn check_place(&self) -> Result<()> {
        let id = |about: fs::Metadata| (about.dev(), about.ino());
        let ids = (fs::metadata(&self.path).map(id), self.shared.file.metadata().map(id));
        if self.is_open_file || matches!(ids, (Ok(there), Ok(ours)) if there == ours) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Io, format!("finish the file {}", self.path.display()))
            .why("it was removed or replaced meanwhile")
            .hint("nothing was left; try again"))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match usize::try_from(self.at) {
            Ok(at) if at < BEGINNING => {
                let some = &bytes[..bytes.len().min(BEGINNING - at)];
                let end = at + some.len();
                self.beginning.resize(self.beginning.len().max(end), 0);
                self.beginning[at..end].copy_from_slice(some);
                some.len()
            }
            _ => self.shared.write(bytes, self.at)?,
        };
        self.at += written as u64;
        self.size = self.size.max(self.at);
        Ok(written)
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        self.shared.empty();
    }
}

impl Write for KeptFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.put(bytes);
        if let Err(e) = &written
            && e.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some(e.kind());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for KeptFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.size, by),
        };
        self.at = from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    /// A file that must stay: it is known by a descriptor.
    fn kept(file: &File, cancellation: &Cancellation) -> KeptFile {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        KeptFile::open(Path::new(&path), cancellation).unwrap().unwrap()
    }

    fn content(file: &File) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn what_it_begins_with_is_written_last() {
        for size in [0, 10, BEGINNING, BEGINNING + 1, 3 * BEGINNING + 5] {
            let file = tempfile::tempfile().unwrap();
            let mut kept = kept(&file, &Cancellation::new());
            let bytes: Vec<u8> = (1..=251).cycle().take(size).collect();
            for some in bytes.chunks(1000) {
                kept.write_all(some).unwrap();
            }
            if size > 5 {
                // As archives do, when they know where everything is.
                kept.seek(SeekFrom::Start(3)).unwrap();
                kept.write_all(&bytes[3..5]).unwrap();
                assert_eq!(kept.seek(SeekFrom::End(0)).unwrap(), size as u64);
            }
            assert!(content(&file).iter().take(BEGINNING).all(|byte| *byte == 0), "{size}");
            assert_eq!(kept.commit().unwrap(), size as u64);
            assert_eq!(content(&file), bytes);
        }
    }

    #[test]
    fn it_is_empty_again_when_it_is_not_completed() {
        let file = tempfile::tempfile().unwrap();
        let mut dropped = kept(&file, &Cancellation::new());
        dropped.write_all(&[7; 2 * BEGINNING]).unwrap();
        drop(dropped);
        assert_eq!(content(&file), b"");
        let cancellation = Cancellation::new();
        let mut ended = kept(&file, &cancellation);
        ended.write_all(&[7; 2 * BEGINNING]).unwrap();
        cancellation.cancel(Duration::ZERO);
        assert!(ended.write_all(&[7; 10]).is_err(), "it was written to after its end");
        assert_eq!(ended.commit().unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(content(&file), b"");
    }

    #[test]
    fn one_run_at_a_time_writes_to_it() {
        use std::os::fd::AsRawFd;
        let file = tempfile::tempfile().unwrap();
        let _first = kept(&file, &Cancellation::new());
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let error = KeptFile::open(Path::new(&path), &Cancellation::new()).unwrap_err();
        assert!(error.to_string().contains("another run"), "{error}");
    }
}
