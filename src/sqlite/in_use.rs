//! Is somebody using a database that is about to be replaced?
//!
//! Two ways of finding out complete each other. Locks show every process that has the database open in WAL mode, and every
//! one that is in a transaction; they hold across containers and users. The list of open files (Linux) also shows an
//! application that is idle between transactions in rollback mode: it holds no lock, but it would go on writing into the
//! file that was moved aside.
//!
//! The locks are taken on the files as such, not through SQLite, because the database may be too damaged for SQLite.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::SIDECARS;
use crate::cleanup::with_suffix;
use crate::error::{Error, ErrorKind, Result};
use crate::output::io_error;

/// A process that has a file of the database open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, as `ps` shows it.
    pub name: String,
}

/// The right to replace a database: locks on its files, given up when this is dropped. A process that opens the database
/// meanwhile finds it locked.
#[derive(Debug)]
pub struct Claim {
    _locked: Vec<File>,
}

impl Claim {
    /// Claims the database at `database`; files that do not exist need no claim.
    ///
    /// Fails with [`ErrorKind::Refused`], naming the processes where that can be seen, if it is in use.
    pub fn new(database: &Path, doing: &str) -> Result<Self> {
        // Before the files are opened here, so that a connection inside this process counts too. And before the locks:
        // closing a file gives up all the locks that this process has on it.
        refuse_in_use(database, doing)?;
        let mut locked = Vec::new();
        for path in files_of(database) {
            let file = match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(io_error(doing, &path, e)),
            };
            match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => locked.push(file),
                Err(e) if e == rustix::io::Errno::AGAIN || e == rustix::io::Errno::ACCESS => {
                    return Err(in_use(&others(database), database, doing));
                }
                Err(e) => return Err(io_error(format!("lock {}", path.display()), &path, e.into())),
            }
        }
        refuse_if_open(&others(database), database, doing)?;
        Ok(Self { _locked: locked })
    }
}

/// The processes that are seen to have a file of the database at `database` open: on Linux, those of the same user, or
/// all if this is root; elsewhere none.
pub fn users(database: &Path) -> Vec<Process> {
    open_by(database)
}

/// Fails with [`ErrorKind::Refused`] if a process is seen to have a file of the database open.
pub(super) fn refuse_in_use(database: &Path, doing: &str) -> Result<()> {
    refuse_if_open(&open_by(database), database, doing)
}

/// As [`users`], without this process itself, which has the files open to lock them.
fn others(database: &Path) -> Vec<Process> {
    open_by(database).into_iter().filter(|p| p.pid != std::process::id()).collect()
}

fn refuse_if_open(by: &[Process], database: &Path, doing: &str) -> Result<()> {
    if by.is_empty() { Ok(()) } else { Err(in_use(by, database, doing)) }
}

fn in_use(by: &[Process], database: &Path, doing: &str) -> Error {
    let who = match by {
        [] => "another process".to_owned(),
        some => some.iter().map(|p| format!("{} (pid {})", p.name, p.pid)).collect::<Vec<_>>().join(", "),
    };
    Error::new(ErrorKind::Refused, doing)
        .why(format!("{} is in use by {who}", database.display()))
        .hint("stop the application first; nothing was changed")
}

fn files_of(database: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    std::iter::once(database.to_path_buf()).chain(SIDECARS.iter().map(|suffix| with_suffix(database, suffix)))
}

fn open_by(database: &Path) -> Vec<Process> {
    let wanted: Vec<(u64, u64)> =
        files_of(database).filter_map(|path| fs::metadata(path).ok()).map(|m| (m.dev(), m.ino())).collect();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<Process> = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| has_open(*pid, &wanted))
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
        // Only what has a path is looked at: asking about a socket or a device can mean waiting for it.
        let regular = fs::read_link(&path).is_ok_and(|to| to.is_absolute() && !to.starts_with("/dev"));
        regular && fs::metadata(&path).is_ok_and(|m| wanted.contains(&(m.dev(), m.ino())))
    })
}

fn name_of(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    if name.trim().is_empty() { "a process".to_owned() } else { name.trim().to_owned() }
}
