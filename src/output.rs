//! A result file that appears complete or not at all.
//!
//! It is written under a temporary name in the folder where it will live, readable by its owner only, created exclusively;
//! it gets its name when its bytes are on disk. A run that fails or is interrupted leaves nothing that looks like a result
//! and touches no older one.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::cleanup::{Registration, uninterrupted};
use crate::error::{Error, ErrorKind, Result};

const UNFINISHED: &str = ".part";

/// What to do about a file that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Leave it alone and fail.
    #[default]
    Refuse,
    /// Replace it, in the moment in which the new one is complete.
    Replace,
}

/// A file in the making. [`OutputFile::commit`] gives it its name; dropped before that, it is removed.
#[derive(Debug)]
pub struct OutputFile {
    target: PathBuf,
    existing: Existing,
    temporary: NamedTempFile,
    failure: Option<io::ErrorKind>,
    _registration: Registration,
}

impl OutputFile {
    /// Begins the file that will be `path`.
    ///
    /// Fails if `path` names no file, its folder is missing or not writable, or a file is there and `existing` says to
    /// leave it.
    pub fn create(path: &Path, existing: Existing) -> Result<Self> {
        let target = check_target(path, existing)?;
        let (folder, name) = split(&target)?;
        // A name may have 255 bytes; the temporary one has to fit too.
        let stem: String = name.to_string_lossy().chars().take(50).collect();
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{stem}.lifeboat-"))
            .suffix(UNFINISHED)
            .rand_bytes(8)
            .tempfile_in(&folder)
            .map_err(|e| io_error(format!("create a file in the folder {}", folder.display()), &folder, e))?;
        let registration = Registration::file(temporary.path());
        Ok(Self { target, existing, temporary, failure: None, _registration: registration })
    }

    /// The name the file will get.
    pub fn path(&self) -> &Path {
        &self.target
    }

    /// The name the file has while it is being made.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// `error`, if it is not one of writing this file; otherwise what kept the file from being written.
    pub fn explain(&self, error: Error) -> Error {
        match self.failure {
            Some(kind) => io_error(format!("write {}", self.target.display()), &self.target, kind.into()),
            None => error,
        }
    }

    /// Writes everything to disk and gives the file its name. Gives its size.
    pub fn commit(self) -> Result<u64> {
        self.commit_with(|| Ok(()))
    }

    /// As [`OutputFile::commit`], but `place` gives the file its name: it is called, in a step that no signal parts, with the
    /// name that the file has so far, and gives something that the caller wants.
    pub fn commit_by<T>(self, place: impl FnOnce(&Path) -> Result<T>) -> Result<(u64, T)> {
        let doing = || format!("finish the file {}", self.target.display());
        self.file().sync_all().map_err(|e| io_error(doing(), &self.target, e))?;
        let size = self.file().metadata().map_err(|e| io_error(doing(), &self.target, e))?.len();
        let placed = uninterrupted(|| place(self.temporary.path()))?;
        Ok((size, placed))
    }

    /// As [`OutputFile::commit`]; `before` runs right before the renaming, and its error is the end of it.
    pub fn commit_with(self, before: impl FnOnce() -> Result<()>) -> Result<u64> {
        let Self { target, existing, temporary, failure: _, _registration } = self;
        let doing = || format!("finish the file {}", target.display());
        let file = temporary.as_file();
        file.sync_all().map_err(|e| io_error(doing(), &target, e))?;
        let size = file.metadata().map_err(|e| io_error(doing(), &target, e))?.len();
        let (folder, _) = split(&target)?;
        uninterrupted(|| {
            before()?;
            let done = match existing {
                Existing::Refuse => temporary.persist_noclobber(&target),
                Existing::Replace => temporary.persist(&target),
            };
            match done {
                Ok(_) => {}
                Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Err(exists_already(&target)),
                Err(e) => return Err(io_error(doing(), &target, e.error)),
            }
            sync_folder(&folder)
        })?;
        Ok(size)
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.temporary.as_file_mut().write(bytes);
        if let Err(e) = &written
            && e.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some(e.kind());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.as_file_mut().flush()
    }
}

impl Read for OutputFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.temporary.as_file_mut().read(buffer)
    }
}

impl Seek for OutputFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.temporary.as_file_mut().seek(to)
    }
}

/// Finds out, before any work is done, whether `path` can become a result file; gives the path that will be written,
/// which is another one if `path` is a symbolic link.
pub fn check_target(path: &Path, existing: Existing) -> Result<PathBuf> {
    let doing = || format!("write to {}", path.display());
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Error::new(ErrorKind::Usage, doing()).why("this names no file").hint("give the name of a file"));
    }
    let (folder, _) = split(path)?;
    match fs::metadata(&folder) {
        Ok(m) if m.is_dir() => {}
        Ok(_) => return Err(Error::new(ErrorKind::Io, doing()).why(format!("{} is not a folder", folder.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::Io, doing())
                .why(format!("there is no folder {}", folder.display()))
                .hint(format!("make it first: mkdir -p {}", folder.display())));
        }
        Err(e) => return Err(io_error(doing(), &folder, e)),
    }
    let link = match fs::symlink_metadata(path) {
        Ok(m) => m.file_type().is_symlink(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(path.to_path_buf()),
        Err(e) => return Err(io_error(doing(), path, e)),
    };
    let target = if link {
        fs::canonicalize(path)
            .map_err(|e| Error::new(ErrorKind::Io, doing()).why("it is a symbolic link that leads nowhere").source(e))?
    } else {
        path.to_path_buf()
    };
    let found = fs::metadata(&target).map_err(|e| io_error(doing(), &target, e))?;
    if found.is_dir() {
        return Err(Error::new(ErrorKind::Usage, doing()).why("it is a folder").hint("give the name of a file in it"));
    }
    if !found.is_file() {
        return Err(Error::new(ErrorKind::Usage, doing()).why("something that is not a regular file is there"));
    }
    if existing == Existing::Refuse {
        return Err(exists_already(path));
    }
    Ok(target)
}

fn exists_already(path: &Path) -> Error {
    Error::new(ErrorKind::Refused, format!("write to {}", path.display()))
        .why("a file of that name exists already")
        .hint("--force replaces it when the new one is complete; or give another name")
}

/// The folder of `path` (`.` where it names none) and its last part.
fn split(path: &Path) -> Result<(PathBuf, &std::ffi::OsStr)> {
    let name = path.file_name().ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("write to {}", path.display())).why("this names no file")
    })?;
    Ok((folder_of(path), name))
}

/// The folder in which `path` lives; `.` where it names none.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Makes the names in `folder` as lasting as the bytes of its files.
pub fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|f| f.sync_all());
    match synced {
        Ok(()) => Ok(()),
        // Some file systems (FUSE, SMB) know no flushing of folders; there is nothing better to do there.
        Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        Err(e) => Err(io_error(format!("flush the folder {} to disk", folder.display()), folder, e)),
    }
}

/// Unfinished files that earlier runs, ended by force, left in the folder of `path` while they made a file of its name.
pub fn leftovers(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let stem: String = name.to_string_lossy().chars().take(50).collect();
    let prefix = format!(".{stem}.lifeboat-");
    let Ok(entries) = fs::read_dir(folder_of(path)) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(&prefix) && name.contains(UNFINISHED)
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// An error about a file or folder, with the advice that its cause calls for. `doing` reads on after "could not".
pub fn io_error(doing: impl Into<String>, path: &Path, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull => Some(full_disk_hint(path)),
        io::ErrorKind::QuotaExceeded => {
            Some(format!("the quota on the file system of {} is used up: write somewhere else", path.display()))
        }
        io::ErrorKind::PermissionDenied => Some(format!("check who may read and write {}", path.display())),
        io::ErrorKind::ReadOnlyFilesystem => Some(format!("{} is on a read-only file system", path.display())),
        _ => None,
    };
    let doing = doing.into();
    let made = match path.display().to_string() {
        shown if doing.contains(&shown) => Error::new(ErrorKind::Io, doing).why(error.to_string()),
        shown => Error::new(ErrorKind::Io, doing).why(format!("{shown}: {error}")),
    };
    match hint {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// What to say when the disk under `path` is full.
pub fn full_disk_hint(path: &Path) -> String {
    format!("the file system of {} is full: make room there, or write somewhere else", folder_of(path).display())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_dropped_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = OutputFile::create(&folder.path().join("a"), Existing::Refuse).unwrap();
        file.write_all(b"half of it").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        drop(file);
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_committed_file_has_its_bytes_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = OutputFile::create(&path, Existing::Refuse).unwrap();
        file.write_all(b"all of it").unwrap();
        assert!(!path.exists());
        assert_eq!(file.commit().unwrap(), 9);
        assert_eq!(fs::read(&path).unwrap(), b"all of it");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let file = OutputFile::create(&path, Existing::Refuse).unwrap();
        fs::write(&path, b"somebody else's").unwrap();
        assert_eq!(file.commit().unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn an_existing_file_stays_until_the_new_one_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"old").unwrap();
        assert_eq!(OutputFile::create(&path, Existing::Refuse).unwrap_err().kind(), ErrorKind::Refused);
        let mut file = OutputFile::create(&path, Existing::Replace).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_link_is_followed_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut file = OutputFile::create(&link, Existing::Replace).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn what_names_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for wrong in ["/", "..", ""] {
            assert_eq!(OutputFile::create(Path::new(wrong), Existing::Refuse).unwrap_err().kind(), ErrorKind::Usage);
        }
        assert_eq!(OutputFile::create(folder.path(), Existing::Replace).unwrap_err().kind(), ErrorKind::Usage);
        let missing = OutputFile::create(&folder.path().join("no/such"), Existing::Refuse).unwrap_err();
        assert!(missing.to_string().contains("there is no folder"), "{missing}");
    }

    #[test]
    fn a_long_name_fits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("é".repeat(127));
        OutputFile::create(&path, Existing::Refuse).unwrap().commit().unwrap();
        assert!(path.exists());
    }

    #[test]
    fn leftovers_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        fs::write(folder.path().join(".app.db.lifeboat-abcdefgh.part"), b"").unwrap();
        fs::write(folder.path().join(".other.db.lifeboat-abcdefgh.part"), b"").unwrap();
        assert_eq!(leftovers(&path), [folder.path().join(".app.db.lifeboat-abcdefgh.part")]);
    }
}
