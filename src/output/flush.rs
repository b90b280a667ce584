//! How a result is brought to the disk before it gets its name.

use std::fs::File;
use std::io;

use super::folder::is_unsupported;

/// What is brought to the disk before a result appears under its name: whatever is not may be lost, or be there without its
/// bytes, if the machine fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Flush {
    /// The result, file by file.
    #[default]
    Files,
    /// All of the file system that it is on, at once: faster for very many files, slower where others write there, too.
    FileSystem,
    /// Nothing.
    Nothing,
}

impl Flush {
    /// Brings a file to the disk.
    pub(crate) fn file(self, file: &File) -> io::Result<()> {
        let done = match self {
            Self::Files => file.sync_all(),
            Self::FileSystem => rustix::fs::syncfs(file).map_err(io::Error::from),
            Self::Nothing => Ok(()),
        };
        match done {
            // There is nothing better to do there.
            Err(e) if is_unsupported(&e) => Ok(()),
            done => done,
        }
    }
}
