//! Opening an archive of a PostgreSQL database, in whichever format pg_dump wrote it: a file, a folder, or standard input.
//! What it is, is seen by its content.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use pgformat::{Files, Folder, Reader};

use super::restore::archive_error;
use crate::error::Result;
use crate::output::io_error;

/// An archive that was opened. [`Reader::another`] gives more readers of the same one, each for a thread.
pub type Archive = Reader<Input>;

/// A file, or a pipe, that an archive is read from. The clone of a file has a place of its own, and that of a pipe has not.
#[derive(Debug, Clone)]
pub struct Input {
    file: Arc<File>,
    /// The place in it; `None` for what can only be read on.
    at: Option<u64>,
}

impl Input {
    fn new(mut file: File) -> io::Result<Self> {
        let at = if file.metadata()?.is_file() { Some(file.stream_position()?) } else { None };
        Ok(Self { file: Arc::new(file), at })
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.at {
            Some(at) => {
                let n = self.file.read_at(buffer, *at)?;
                *at += n as u64;
                Ok(n)
            }
            None => self.file.as_ref().read(buffer),
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.at.as_mut().ok_or(io::ErrorKind::Unsupported)?;
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        *at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(*at)
    }
}

/// The files of a folder.
struct Within(Folder);

impl Files for Within {
    type File = Input;

    fn open(&self, name: &str) -> io::Result<Option<Input>> {
        self.0.open(name)?.map(Input::new).transpose()
    }

    fn size(&self, name: &str) -> io::Result<Option<u64>> {
        self.0.size(name)
    }
}

/// Opens the archive at `path`, or the one on standard input if that is `-`, and reads its table of contents. `doing` says
/// what for, worded to follow "could not".
///
/// # Errors
/// There is nothing of that name, or it cannot be read; it is no archive, or a damaged one.
pub fn open(path: &Path, doing: &str) -> Result<Archive> {
    let failed = |error| archive_error(doing, error);
    let unreadable = |error| io_error(doing, path, error);
    let input = if path == Path::new("-") {
        let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
        stdin.and_then(Input::new).map_err(unreadable)?
    } else if fs::metadata(path).map_err(unreadable)?.is_dir() {
        let folder = Folder::new(path).map_err(unreadable)?;
        return Reader::directory(Within(folder)).map_err(failed);
    } else {
        File::open(path).and_then(Input::new).map_err(unreadable)?
    };
    if input.at.is_some() { Reader::seekable(input).map_err(failed) } else { Reader::new(input).map_err(failed) }
}
