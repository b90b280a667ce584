//! The files of an archive in directory format.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Where the files of an archive in directory format are. A reader asks for names that pg_dump gives and for no others:
/// `toc.dat`, `12.dat`, `blob_16400.dat`, `blobs.toc`, `blobs_13.toc`, and these with `.gz`, `.lz4` or `.zst` after them.
pub trait Files {
    /// An open file, which is read from its beginning.
    type File: Read;

    /// Opens a file; `None` if there is none of that name.
    ///
    /// # Errors
    /// It cannot be opened. [`io::ErrorKind::InvalidData`] means that it must not be: it is something else than a file, or
    /// is not within the archive.
    fn open(&self, name: &str) -> io::Result<Option<Self::File>>;

    /// How many bytes a file has; `None` if there is none of that name.
    ///
    /// # Errors
    /// As [`Files::open`].
    fn size(&self, name: &str) -> io::Result<Option<u64>>;
}

/// Where the files of an archive in directory format go, of the names that [`Files`] has. After an error, or when the writer is
/// dropped, files that are open are only dropped.
pub trait NewFiles {
    /// A file that is being written.
    type File: Write;

    /// Makes a file, which is written from its beginning.
    ///
    /// # Errors
    /// It cannot be made; it is there already, which must be an error: a large object that is given twice asks for it twice.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;

    /// Takes a file back that is complete and flushed. (That of the table of contents is given back by
    /// [`Writer::finish`](crate::Writer::finish) instead.)
    ///
    /// # Errors
    /// It could not be written.
    fn close(&mut self, name: &str, file: Self::File) -> io::Result<()>;
}

/// A folder of the file system. Symbolic links in it are followed as long as they stay in it.
///
/// This does not hold against someone who changes the folder while it is being read.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, which may itself be a symbolic link.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn new(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        if !fs::metadata(&path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { path })
    }

    /// The place of a regular file, and its size.
    fn find(&self, name: &str) -> io::Result<Option<(PathBuf, u64)>> {
        let refused = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, format!("the file {name} {why}")));
        let path = self.path.join(name);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let path = if found.is_symlink() { fs::canonicalize(&path)? } else { path };
        if path.parent() != Some(self.path.as_path()) {
            return refused("leads out of the archive's folder");
        }
        let found = fs::metadata(&path)?;
        if !found.is_file() {
            return refused("is no regular file");
        }
        Ok(Some((path, found.len())))
    }
}

impl Files for Folder {
    type File = File;

    fn open(&self, name: &str) -> io::Result<Option<File>> {
        self.find(name)?.map(|(path, _)| File::open(path)).transpose()
    }

    fn size(&self, name: &str) -> io::Result<Option<u64>> {
        Ok(self.find(name)?.map(|(_, size)| size))
    }
}
