//! The names of a database file: SQLite finds the files that belong to a database by its name.
//!
//! So one that is opened by another name than the application uses is read without its `-wal`, and with that without its last
//! transactions. Another name is a hard link, a file that is mounted by itself, or a path through the folders of another process.
//! A symbolic link is none: SQLite follows it before it makes the names of the other files.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::header::JournalMode;
use super::pending_recovery::{PendingRecovery, pending};
use super::sidecars::SIDECARS;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{folder_of, io_error, with_suffix};

/// The name of the file at `path` by which SQLite opens it: absolute, and not a symbolic link's.
///
/// Fails if there is no such file, or if SQLite would open another one: what `/proc` shows of the folders of a process, in a
/// container above all, are links whose text means something else here.
pub fn real_path(path: &Path, doing: &str) -> Result<PathBuf> {
    let meant = fs::metadata(path).map_err(|e| io_error(doing, path, e))?;
    let real = fs::canonicalize(path).and_then(|real| Ok((fs::metadata(&real)?, real)));
    match real {
        Ok((found, real)) if (found.dev(), found.ino()) == (meant.dev(), meant.ino()) => Ok(real),
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error(doing, path, e)),
        _ => Err(Error::new(ErrorKind::Refused, doing)
            .why(format!(
                "{} goes through the folders of another process, where SQLite would open another file",
                path.display()
            ))
            .hint(
                "run lifeboat where the application runs (in its container), or give a path that leads there by itself",
            )),
    }
}

/// Makes sure that what belongs to the database at `database`, a path as [`real_path`] gives it, is found beside it.
///
/// Fails with [`ErrorKind::Refused`] if it is or may be in WAL mode and the file has other names, beside which its `-wal` may be:
/// hard links, unless all of them are in the same folder and nothing stands beside the others; or a mount point. With a rollback
/// journal, which is there only during a transaction, it fails if one is seen beside another name in the same folder. A file that
/// is not there has no names.
pub fn refuse_other_names(database: &Path, doing: &str) -> Result<()> {
    let failed = |e: io::Error| io_error(doing, database, e);
    let found = match fs::metadata(database) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(e)),
    };
    if JournalMode::of_file(database).map_err(failed)? == Some(JournalMode::Rollback) {
        return refuse_journal_elsewhere(database, &found, doing);
    }
    if is_mount_point(database).map_err(failed)? {
        return Err(refusal(database, doing, "it is a file that is mounted by itself".to_owned())
            .hint("mount its folder instead (with docker: -v FOLDER:/data), or run lifeboat where that folder is"));
    }
    match names_elsewhere(database, &found).map_err(failed)? {
        Names::AllKnown => Ok(()),
        Names::Unknown(count) => Err(hard_linked(database, doing, format!("it has {count} hard links"))),
        Names::Used(other) => Err(hard_linked(
            database,
            doing,
            format!("it is a hard link of {}, beside which there is a -wal, -shm or -journal file", other.display()),
        )),
    }
}

fn refuse_journal_elsewhere(database: &Path, found: &fs::Metadata, doing: &str) -> Result<()> {
    if found.nlink() <= 1 {
        return Ok(());
    }
    for other in hard_links_in_folder(database, found).map_err(|e| io_error(doing, database, e))? {
        if let Some(PendingRecovery::Journal(journal, _) | PendingRecovery::Undecided(journal, _)) =
            pending(&other, doing)?
        {
            return Err(Error::new(ErrorKind::Refused, doing)
                .why(format!(
                    "{} is a hard link of {}, and a transaction of it is unfinished: {}",
                    database.display(),
                    other.display(),
                    journal.display()
                ))
                .hint(format!("give the name that the application uses: {}", other.display())));
        }
    }
    Ok(())
}

fn refusal(database: &Path, doing: &str, what: String) -> Error {
    Error::new(ErrorKind::Refused, doing).why(format!(
        "{} is in WAL mode, and {what}: its -wal, with the last transactions, stands beside the name by which the application \
         opens it",
        database.display()
    ))
}

fn hard_linked(database: &Path, doing: &str, what: String) -> Error {
    refusal(database, doing, what)
        .hint("give the name that the application uses, after the other ones were removed; or a copy made with lifeboat backup")
}

/// What is known of a file's hard links.
enum Names {
    /// There are no others, or they are in the same folder, and nothing stands beside them.
    AllKnown,
    /// There are so many, and not all were found.
    Unknown(u64),
    /// Something stands beside this one.
    Used(PathBuf),
}

fn names_elsewhere(database: &Path, found: &fs::Metadata) -> io::Result<Names> {
    if found.nlink() <= 1 {
        return Ok(Names::AllKnown);
    }
    let others = hard_links_in_folder(database, found)?;
    if (others.len() as u64).saturating_add(1) < found.nlink() {
        return Ok(Names::Unknown(found.nlink()));
    }
    let used = others.into_iter().find(|other| {
        SIDECARS.iter().any(|suffix| fs::symlink_metadata(with_suffix(other, suffix)).is_ok_and(|m| m.len() > 0))
    });
    Ok(used.map_or(Names::AllKnown, Names::Used))
}

/// The other names of a file in its own folder; none, if the folder may not be read.
fn hard_links_in_folder(database: &Path, found: &fs::Metadata) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder_of(database)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut others = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let same = fs::symlink_metadata(&path).is_ok_and(|m| (m.dev(), m.ino()) == (found.dev(), found.ino()));
        if same && path.file_name() != database.file_name() {
            others.push(path);
        }
    }
    Ok(others)
}

/// Makes sure that another file can take the place of the database at `target`, a path as [`real_path`] gives it. `known` of its
/// hard links, besides this one, are of no account.
///
/// Fails as [`refuse_other_names`] does, and with [`ErrorKind::Refused`] if the file is mounted by itself, or if it has other names
/// at all and is or may be in WAL mode. Gives a warning where other names only keep the file as it is.
pub(super) fn refuse_to_replace(target: &Path, known: u64, doing: &str) -> Result<Option<String>> {
    let failed = |e: io::Error| io_error(doing, target, e);
    let found = match fs::metadata(target) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    if is_mount_point(target).map_err(failed)? {
        return Err(Error::new(ErrorKind::Refused, doing)
            .why(format!("{} is a file that is mounted by itself: no other file can take its place", target.display()))
            .hint("mount its folder instead (with docker: -v FOLDER:/data), or run lifeboat where that folder is"));
    }
    refuse_other_names(target, doing)?;
    match found.nlink().saturating_sub(1 + known) {
        0 => Ok(None),
        _ if JournalMode::of_file(target).map_err(failed)? != Some(JournalMode::Rollback) => {
            Err(hard_linked(target, doing, format!("it has {} hard links", found.nlink())))
        }
        others => Ok(Some(format!(
            "{others} other {} the previous database: who opens it by another name does not see this one",
            if others == 1 { "hard link of it keeps" } else { "hard links of it keep" }
        ))),
    }
}

/// Whether a file system, or a file of one, is mounted at `path`.
#[cfg(target_os = "linux")]
fn is_mount_point(path: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    match statx(CWD, path, AtFlags::empty(), StatxFlags::empty()) {
        Ok(found) if found.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) => {
            Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
        }
        // Kernels before 5.8 do not tell; without /proc nobody does.
        _ => match File::open("/proc/self/mountinfo") {
            Ok(mut file) => {
                let mut table = Vec::new();
                file.read_to_end(&mut table)?;
                Ok(mount_points(&table).any(|point| point == path))
            }
            Err(_) => Ok(false),
        },
    }
}

#[cfg(not(target_os = "linux"))]
fn is_mount_point(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The mount points that a table as in `/proc/self/mountinfo` names, in the fifth field of each line.
fn mount_points(table: &[u8]) -> impl Iterator<Item = PathBuf> + '_ {
    table.split(|b| *b == b'\n').filter_map(|line| line.split(|b| *b == b' ').nth(4)).map(unescaped)
}

/// In that table, spaces, tabs, line feeds and backslashes are three octal digits after a backslash.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        let table = b"36 35 98:0 /mnt1 / rw,noatime master:1 - ext3 /dev/root rw\n\
                      41 36 98:0 /x /a\\040b\\134c\\0 rw - ext3 /dev/root rw\n\n";
        let found: Vec<PathBuf> = mount_points(table).collect();
        assert_eq!(found, [PathBuf::from("/"), PathBuf::from("/a b\\c\\0")]);
    }

    #[test]
    fn the_root_is_a_mount_point_and_a_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, b"").unwrap();
        assert!(is_mount_point(Path::new("/")).unwrap() || cfg!(not(target_os = "linux")));
        assert!(!is_mount_point(&file).unwrap());
    }
}
