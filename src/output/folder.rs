//! A folder by its descriptor: what is done in it is done there, whatever becomes of its path meanwhile.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Stat, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::io_error;
use crate::error::Result;

/// Files are made for their owner only, and so are folders.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
const PRIVATE_FOLDER: Mode = Mode::RWXU;

/// A folder that is held.
#[derive(Debug)]
pub(super) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
    id: (u64, u64),
}

impl Folder {
    /// The folder that `descriptor` is of, and that `path` leads to.
    pub(super) fn new(descriptor: OwnedFd, path: PathBuf) -> io::Result<Self> {
        let found = rustix::fs::fstat(&descriptor)?;
        Ok(Self { descriptor, path, id: id_of(&found) })
    }

    /// How it was named.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is now, without symbolic links.
    pub(super) fn real_path(&self) -> PathBuf {
        let known = fs::read_link(format!("/proc/self/fd/{}", self.descriptor.as_raw_fd()));
        known.or_else(|_| fs::canonicalize(&self.path)).unwrap_or_else(|_| self.path.clone())
    }

    /// Whether its path still leads to it.
    pub(super) fn is_where_it_was(&self) -> bool {
        self.is_at(&self.path)
    }

    /// Whether it is on a disk or in the memory of this machine, as far as is known: then another machine writes to it never, and its
    /// locks are seen by all.
    pub(super) fn is_local(&self) -> bool {
        const KNOWN: [u64; 9] = [
            0xef53,      // ext2, ext3, ext4
            0x5846_5342, // XFS
            0x9123_683e, // Btrfs
            0x2fc1_2fc1, // ZFS
            0xf2f5_2010, // F2FS
            0x0102_1994, // tmpfs
            0x8584_58f6, // ramfs
            0x794c_7630, // overlayfs
            0x4d44,      // FAT
        ];
        rustix::fs::fstatfs(&self.descriptor).is_ok_and(|about| KNOWN.contains(&(about.f_type.cast_unsigned())))
    }

    /// Whether `path` leads to it.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == self.id)
    }

    /// What is called `name` in it, which is not followed if it is a symbolic link.
    pub(super) fn stat(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Makes a file that was not there.
    pub(super) fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        self.open_with(name, flags)
    }

    /// The regular file of this name, if there is one.
    pub(super) fn regular(&self, name: &OsStr) -> Option<Stat> {
        let found = rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        (FileType::from_raw_mode(found.st_mode) == FileType::RegularFile).then_some(found)
    }

    /// Makes a file that has no name.
    pub(super) fn unnamed(&self) -> io::Result<File> {
        self.open_with(OsStr::new("."), OFlags::RDWR | OFlags::TMPFILE)
    }

    /// Makes a folder in it that was not there.
    pub(super) fn make_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.descriptor, name, PRIVATE_FOLDER)?)
    }

    /// Holds a folder in it, which is not followed if it is a symbolic link.
    pub(super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())?;
        Self::new(held, self.path.join(name))
    }

    /// What it says of itself.
    pub(super) fn about(&self) -> io::Result<Stat> {
        Ok(rustix::fs::fstat(&self.descriptor)?)
    }

    /// Whether something is mounted at the folder that is called `name`, as far as the system tells.
    pub(super) fn is_mount_point(&self, name: &OsStr) -> bool {
        let about = rustix::fs::statx(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS);
        about.is_ok_and(|about| about.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
    }

    /// Opens a file that may have been put there by anybody, to see what it is. Neither waits for it nor follows it.
    pub(super) fn open_suspect(&self, name: &OsStr) -> io::Result<File> {
        self.open_with(name, OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    fn open_with(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        Ok(rustix::fs::openat(&self.descriptor, name, flags | OFlags::CLOEXEC, PRIVATE).map(File::from)?)
    }

    /// Gives a file that is called `from` a second name, that must not be there.
    pub(super) fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.descriptor, from, &self.descriptor, to, AtFlags::empty())?)
    }

    /// Gives a file without a name one, that must not be there.
    pub(super) fn link_open(&self, file: &File, to: &OsStr) -> io::Result<()> {
        // By the descriptor alone this takes a privilege, or a new kernel; by its name in /proc it takes that to be mounted.
        match rustix::fs::linkat(file, "", &self.descriptor, to, AtFlags::EMPTY_PATH) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(Errno::EXIST.into()),
            Err(_) => {
                let from = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
                Ok(rustix::fs::linkat(CWD, from, &self.descriptor, to, AtFlags::SYMLINK_FOLLOW)?)
            }
        }
    }

    /// Renames a file, onto whatever is there.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    /// Renames a file to a name that must not be there. Not every file system knows of that.
    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(&self.descriptor, from, &self.descriptor, to, RenameFlags::NOREPLACE)?)
    }

    /// Moves a file to another folder, onto whatever has its name there.
    pub(super) fn move_to(&self, other: &Self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, name, &other.descriptor, name)?)
    }

    /// Whether something can be made in it.
    pub(super) fn is_writable(&self) -> bool {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&self.descriptor, ".", access, AtFlags::EACCESS).is_ok()
    }

    /// Exchanges what two names stand for. Not every file system knows of that.
    pub(super) fn exchange(&self, one: &OsStr, other: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(&self.descriptor, one, &self.descriptor, other, RenameFlags::EXCHANGE)?)
    }

    /// Removes an empty folder.
    pub(super) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes a name.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    /// The names in it, its own and that of the folder above included.
    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        self.each_name(|name| names.push(name.to_owned()))?;
        Ok(names)
    }

    /// Hands the names in it to `take`, one by one: of an archive with large objects, there may be millions.
    pub(super) fn each_name(&self, mut take: impl FnMut(&OsStr)) -> io::Result<()> {
        for entry in rustix::fs::Dir::read_from(self.readable()?)? {
            take(OsStr::from_bytes(entry?.file_name().to_bytes()));
        }
        Ok(())
    }

    /// Brings everything on its file system to the disk.
    pub(super) fn flush_file_system(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(self.readable()?)?)
    }

    /// Makes the names in it as lasting as the bytes of its files.
    pub(super) fn flush(&self) -> io::Result<()> {
        let folder = match self.readable() {
            Ok(folder) => folder,
            // A folder that may be written but not read cannot be flushed by those who may not.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            Err(e) => return Err(e),
        };
        flush(&File::from(folder))
    }

    fn readable(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.descriptor, ".", flags, Mode::empty())?)
    }
}

/// What tells a file from all others.
pub(super) fn id_of(found: &Stat) -> (u64, u64) {
    (found.st_dev, found.st_ino)
}

fn flush(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        // There is nothing better to do there.
        Err(e) if is_unsupported(&e) => Ok(()),
        done => done,
    }
}

/// Whether a file system says that it does not know of flushing (FUSE, SMB, shared folders of virtual machines).
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, IsADirectory, Unsupported};
    // The last: of folders, some say that they are no files.
    matches!(error.kind(), InvalidInput | Unsupported | IsADirectory)
        || error.raw_os_error() == Some(Errno::BADF.raw_os_error())
}

/// Makes the names in `folder` as lasting as the bytes of its files.
pub fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|opened| flush(&opened))
        .map_err(|e| io_error(format!("flush the folder {} to disk", folder.display()), folder, e))
}

/// The folder in which `path` lives; `.` where it names none.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// `path` with `suffix` put after its last letter: `app.db` and `-wal` make `app.db-wal`.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
