//! Is somebody using a database that is about to be replaced?
//!
//! Three ways of finding out complete each other. Locks show every process that has the database open in WAL mode, and every
//! one that is in a transaction; they hold across containers and users. The list of open files (Linux) also shows an
//! application that is idle between transactions in rollback mode: it holds no lock, but it would go on working with the
//! file that was moved aside. A watch shows whoever opens the file later, wherever he runs.
//!
//! The locks are taken on the files as such, not through SQLite, because the database may be too damaged for SQLite.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::locked_file::{LockedFile, Users};
use super::move_aside::SUFFIXES;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{io_error, with_suffix};
use crate::progress::{Message, Reporter};

/// A process that has a file of the database open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, as `ps` shows it.
    pub name: String,
}

/// The right to replace a database: locks on its files, given up when this is dropped. A process that opens the database
/// meanwhile finds it locked.
#[derive(Debug)]
pub(super) struct Claim {
    database: PathBuf,
    held: Vec<(&'static str, LockedFile)>,
}

impl Claim {
    /// Claims the database at `database`; files that do not exist need no claim.
    ///
    /// Fails with [`ErrorKind::Refused`], naming the processes where that can be seen, if it is in use.
    pub fn new(database: &Path, doing: &str, reporter: &dyn Reporter) -> Result<Self> {
        // Before the files are opened here, so that a connection inside this process counts too.
        refuse_in_use(database, doing)?;
        let mut claim = Self { database: database.to_path_buf(), held: Vec::new() };
        for suffix in SUFFIXES {
            claim.hold(suffix, doing)?;
        }
        if let Some(why) = claim.held.first().and_then(|(_, held)| held.unwatched()) {
            reporter.message(Message::warning(
                database.display().to_string(),
                format!("who opens it meanwhile in another container is not noticed: it cannot be watched: {why}"),
            ));
        }
        claim.check_unused(doing)?;
        Ok(claim)
    }

    fn hold(&mut self, suffix: &'static str, doing: &str) -> Result<()> {
        let path = with_suffix(&self.database, suffix);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(io_error(doing, &path, e)),
        };
        let id = file.metadata().map(|m| (m.dev(), m.ino())).map_err(|e| io_error(doing, &path, e))?;
        // Whoever uses a database opens the database itself, and first.
        let held = if suffix.is_empty() { LockedFile::watched(file) } else { LockedFile::locked(file) };
        match held {
            Ok(Some(held)) => self.held.push((suffix, held)),
            Ok(None) => {
                let users = Users { seen: others(&[id]), opened: false };
                return Err(in_use(&users, &self.database, doing));
            }
            Err(e) => {
                return Err(io_error(format!("lock {}", path.display()), &path, e)
                    .hint("an application cannot be kept out on this file system: restore into a copy elsewhere"));
            }
        }
        Ok(())
    }

    /// The file with this suffix, if it was there.
    pub fn file(&self, suffix: &str) -> Option<&File> {
        self.held.iter().find(|(other, _)| *other == suffix).map(|(_, held)| held.file())
    }

    /// Fails with [`ErrorKind::Refused`] if another process has one of the files open, whatever they are called now.
    pub fn check_unused(&self, doing: &str) -> Result<()> {
        let users = Users::of(self.held.iter().map(|(_, held)| held))
            .map_err(|e| io_error(format!("see who uses {}", self.database.display()), &self.database, e))?;
        refuse_users(&users, &self.database, doing)
    }

    /// Fails with [`ErrorKind::Refused`] if the files that have the database's names are not those that were claimed.
    pub fn check_same(&self, doing: &str) -> Result<()> {
        for suffix in SUFFIXES {
            let path = with_suffix(&self.database, suffix);
            let now = match fs::metadata(&path) {
                Ok(m) => Some((m.dev(), m.ino())),
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(io_error(doing, &path, e)),
            };
            let then = self.held.iter().find(|(other, _)| *other == suffix).map(|(_, held)| held.id());
            if now != then {
                let what = match (then, now) {
                    (None, _) => "was made",
                    (_, None) => "was removed",
                    _ => "was replaced",
                };
                return Err(Error::new(ErrorKind::Refused, doing)
                    .why(format!("{} {what} meanwhile", path.display()))
                    .hint("stop what works with the database, and try again; nothing was changed"));
            }
        }
        Ok(())
    }
}

/// The processes that are seen to have a file of the database at `database` open: on Linux, those of the same user, or
/// all if this is root; elsewhere none.
pub fn users(database: &Path) -> Vec<Process> {
    let paths = SUFFIXES.into_iter().map(|suffix| with_suffix(database, suffix));
    let wanted: Vec<(u64, u64)> =
        paths.filter_map(|path| fs::metadata(path).ok()).map(|m| (m.dev(), m.ino())).collect();
    open_by(&wanted)
}

/// Fails with [`ErrorKind::Refused`] if a process is seen to have a file of the database open.
pub(super) fn refuse_in_use(database: &Path, doing: &str) -> Result<()> {
    refuse_users(&Users { seen: users(database), opened: false }, database, doing)
}

/// The processes that are seen to have one of the files open, without this process itself, which has them open to lock them.
pub(super) fn others(wanted: &[(u64, u64)]) -> Vec<Process> {
    open_by(wanted).into_iter().filter(|p| p.pid != std::process::id()).collect()
}

/// Fails with [`ErrorKind::Refused`] if there are users of the database at `database`.
pub(super) fn refuse_users(users: &Users, database: &Path, doing: &str) -> Result<()> {
    if users.seen.is_empty() && !users.opened { Ok(()) } else { Err(in_use(users, database, doing)) }
}

fn in_use(users: &Users, database: &Path, doing: &str) -> Error {
    let who = match users.seen.as_slice() {
        [] if users.opened => "a process that has just opened it, and is not seen from here".to_owned(),
        [] => "another process".to_owned(),
        some => some.iter().map(|p| format!("{} (pid {})", p.name, p.pid)).collect::<Vec<_>>().join(", "),
    };
    Error::new(ErrorKind::Refused, doing)
        .why(format!("{} is in use by {who}", database.display()))
        .hint("stop the application first; nothing was changed")
}

fn open_by(wanted: &[(u64, u64)]) -> Vec<Process> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<Process> = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| has_open(*pid, wanted))
        .map(|pid| Process { pid, name: name_of(pid) })
        .collect();
    found.sort_by_key(|p| p.pid);
    found
}

fn has_open(pid: u32, wanted: &[(u64, u64)]) -> bool {
    // A process of another user, or one that has just ended, cannot be looked into.
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.filter_map(|entry| entry.ok()).any(|entry| {
        let path = entry.path();
        fs::read_link(&path).is_ok_and(|to| may_be_a_database(&to))
            && fs::metadata(&path).is_ok_and(|m| wanted.contains(&(m.dev(), m.ino())))
    })
}

/// Only what has a path is looked at: asking about a socket or a device can mean waiting for it.
fn may_be_a_database(path: &Path) -> bool {
    path.is_absolute() && (!path.starts_with("/dev") || path.starts_with("/dev/shm"))
}

fn name_of(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if name.trim().is_empty() { "a process".to_owned() } else { name.trim().to_owned() }
}
