//! Removing results that were looked into before: what is removed is what was looked at, whatever has its name by then.
//!
//! Between a look and a removal by name there is always a moment for others. So the name is taken away first: what has it is renamed
//! to one that nobody looks for, and only if that is what was looked at, it is removed. Anything else gets its name back.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};

use super::Existing;
use super::folder::Folder;
use super::folder_target::{self, There};
use super::output_folder::PUT_ASIDE;
use super::temporary_folder;
use super::temporary_name::temporary;
use super::{io_error, leftovers};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Reporter;

/// What tells a file or a folder from another of the same name, and from itself after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    number: u64,
    length: i64,
    changed: (i64, i64),
}

impl Stamp {
    /// What `facts` say, which are not those of a link's target.
    pub(crate) fn of(facts: &Metadata) -> Self {
        Self {
            device: facts.dev(),
            number: facts.ino(),
            length: facts.len().cast_signed(),
            changed: (facts.mtime(), facts.mtime_nsec()),
        }
    }

    fn of_stat(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            number: stat.st_ino,
            length: stat.st_size,
            changed: (stat.st_mtime, stat.st_mtime_nsec.cast_signed()),
        }
    }
}

/// A folder out of which results are removed.
#[derive(Debug)]
pub(crate) struct Removal {
    folder: Folder,
}

impl Removal {
    /// Out of the folder at `path`. Clears away what runs that were killed have left there, and names it.
    ///
    /// # Errors
    /// There is no such folder.
    pub(crate) fn out_of(path: &Path, reporter: &dyn Reporter) -> Result<Self> {
        let failed = |error: io::Error| io_error(format!("remove files in {}", path.display()), path, error);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let held = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let folder = Folder::new(held, path.to_path_buf()).map_err(failed)?;
        leftovers::clear(&folder, reporter);
        Ok(Self { folder })
    }

    /// Removes the file, or the folder of an archive, that is called `name` and was looked at when it was as `stamp` says.
    ///
    /// # Errors
    /// It is not what was looked at, or has other files than an archive's in it, and has kept its name; it cannot be removed.
    pub(crate) fn remove(&self, name: &OsStr, stamp: Stamp, reporter: &dyn Reporter) -> Result<()> {
        let path = self.folder.path().join(name);
        let doing = || format!("remove {}", path.display());
        let failed = |error| io_error(doing(), &path, error);
        let refused = |why: &str| Error::new(ErrorKind::Changed, doing()).why(why).hint("nothing of it was removed");
        let mut aside = temporary(name);
        aside.push(PUT_ASIDE);
        reporter.cancellation().uninterrupted(|| {
            match self.rename(name, &aside) {
                // Another run has removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                renamed => renamed.map_err(failed)?,
            }
            let is = match self.look(&aside, stamp) {
                Ok(Some(is)) => is,
                unfit => {
                    let back = self.rename(&aside, name);
                    back.map_err(|error| {
                        let left = self.folder.path().join(&aside);
                        failed(error).hint(format!("it is called {} now", left.display()))
                    })?;
                    return Err(match unfit {
                        Err(why) => why.map_or_else(|| refused("it has files that no archive has"), failed),
                        Ok(_) => refused("it was changed or replaced since it was looked into"),
                    });
                }
            };
            let removed = match is {
                There::Archive => temporary_folder::remove(&self.folder, &aside),
                _ => self.folder.remove(&aside),
            };
            removed.and_then(|()| self.folder.flush()).map_err(failed)
        })?
    }

    /// Gives what is called `from` another name, which nothing has.
    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        match self.folder.rename_new(from, to) {
            // The file system, or the system, knows no such renaming.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
                match self.folder.stat(to)? {
                    Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
                    None => self.folder.rename(from, to),
                }
            }
            done => done,
        }
    }

    /// What is called `name`, if it is as `stamp` says; an error without a reason is a folder with other files in it.
    fn look(&self, name: &OsStr, stamp: Stamp) -> std::result::Result<Option<There>, Option<io::Error>> {
        let Some(found) = self.folder.stat(name).map_err(Some)?.filter(|found| Stamp::of_stat(found) == stamp) else {
            return Ok(None);
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => Ok(Some(There::Nothing)),
            FileType::Directory => match folder_target::look(&self.folder, name, Existing::Replace) {
                Ok(There::Archive) => Ok(Some(There::Archive)),
                Err(folder_target::Wrong::Unreadable(error)) => Err(Some(error)),
                _ => Err(None),
            },
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::progress::Silent;

    fn stamp(path: &Path) -> Stamp {
        Stamp::of(&fs::symlink_metadata(path).unwrap())
    }

    #[test]
    fn what_was_looked_at_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let removal = Removal::out_of(dir.path(), &Silent).unwrap();
        let remove = |stamp| removal.remove(OsStr::new("a"), stamp, &Silent).map_err(|error| error.to_string());
        fs::write(&path, "old").unwrap();
        let seen = stamp(&path);
        // Another file in its place, of the same length; the same one, changed; a link to it.
        fs::rename(&path, dir.path().join("b")).unwrap();
        fs::write(&path, "new").unwrap();
        assert!(remove(seen).unwrap_err().contains("changed or replaced"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let seen = stamp(&path);
        fs::write(&path, "newer").unwrap();
        assert!(remove(seen).is_err() && path.exists());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("b", &path).unwrap();
        assert!(remove(stamp(&dir.path().join("b"))).is_err());
        assert!(remove(stamp(&path)).is_err() && fs::symlink_metadata(&path).is_ok(), "no link is removed");
        fs::remove_file(&path).unwrap();
        remove(seen).unwrap();
        fs::rename(dir.path().join("b"), &path).unwrap();
        remove(stamp(&path)).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_run_has_put_aside_is_named_and_stays() {
        struct Told(std::sync::Mutex<Vec<String>>);
        impl Reporter for Told {
            fn message(&self, message: crate::Message) {
                self.0.lock().unwrap().push(format!("{}: {}", message.subject, message.text));
            }
        }
        let dir = tempfile::tempdir().unwrap();
        for is_folder in [false, true] {
            let mut aside = temporary(OsStr::new("a.dump"));
            aside.push(PUT_ASIDE);
            let path = dir.path().join(&aside);
            if is_folder {
                fs::create_dir(&path).unwrap()
            } else {
                fs::write(&path, "x").unwrap()
            }
            let told = Told(std::sync::Mutex::default());
            Removal::out_of(dir.path(), &told).unwrap();
            let told = told.0.into_inner().unwrap();
            let name = path.display().to_string();
            assert!(
                told.iter().any(|text| text.starts_with(&name) && text.contains("give it its name back")),
                "{told:?}"
            );
            assert!(path.exists());
        }
    }

    #[test]
    fn of_a_folder_nothing_is_removed_if_it_has_other_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("toc.dat"), "").unwrap();
        fs::write(path.join("1.dat.gz"), "").unwrap();
        fs::write(path.join("notes"), "").unwrap();
        let removal = Removal::out_of(dir.path(), &Silent).unwrap();
        let remove = || removal.remove(OsStr::new("a"), stamp(&path), &Silent);
        assert!(remove().unwrap_err().to_string().contains("files that no archive has"));
        assert_eq!(fs::read_dir(&path).unwrap().count(), 3);
        fs::remove_file(path.join("notes")).unwrap();
        remove().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
