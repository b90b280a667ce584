//! What stands under a database's name while its log and its journal are moved away.
//!
//! The old database without them is not what was committed, and the new one with them is damaged. Should the process be killed
//! in between, an application would find one or the other. So if they hold something, a copy of the old database takes its
//! place first, into which SQLite has worked them: it is the same with them and without.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::attributes::take_over;
use super::error::words;
use super::in_use::{Claim, refuse_users};
use super::locked_file::{LockedFile, Users};
use super::move_aside::SUFFIXES;
use super::pending_recovery::{PendingRecovery, pending};
use super::sidecars::SidecarCleanup;
use super::switch::hold;
use crate::error::Result;
use crate::output::{Existing, OutputFile, io_error, with_suffix};
use crate::progress::{Message, Phase, Reporter, Silent, Unit};

/// What is in the place of a copy that cannot be made.
const NOTE: &str = "This is not a database. A restore is putting another one here; if that was broken off, repeat it, or move
the previous one back: it is beside this file as *.pre-restore-bak, and so is, or under its old name, its -wal or -journal.
";

/// A file that stands between the old database and the new one.
pub(super) struct StandIn {
    file: OutputFile,
    held: LockedFile,
    whole: bool,
}

impl StandIn {
    /// Makes one for the database at `database`, if the files beside it hold something.
    ///
    /// Where the copy cannot be made, because there is no room or SQLite cannot read it, it is a file that SQLite refuses to open, and a
    /// warning says so.
    pub fn make(claim: &Claim, database: &Path, doing: &str, reporter: &dyn Reporter) -> Result<Option<Self>> {
        let Some(old) = claim.file("") else { return Ok(None) };
        let copy = match pending(database, doing)? {
            None => return Ok(None),
            Some(PendingRecovery::Undecided(_, other)) => {
                Err(format!("whether its last transaction was committed says {}, which is not here", other.display()))
            }
            Some(PendingRecovery::Journal(..) | PendingRecovery::Log(_)) => recovered_copy(
                claim,
                OutputFile::create_named(database, Existing::Replace, reporter)?,
                database,
                reporter,
            ),
        };
        let (file, whole) = match copy {
            Ok(file) => (file, true),
            Err(why) => {
                reporter.message(warning(database, &why));
                (note(database, reporter)?, false)
            }
        };
        // Who was told so of the new file need not hear it of this one.
        take_over(file.file(), old, database, &Silent)?;
        file.file().sync_all().map_err(|e| io_error(doing, &file.temporary_path(), e))?;
        let held = hold(&file, LockedFile::watched, doing)?;
        Ok(Some(Self { file, held, whole }))
    }

    /// What it is called when it has not the database's name.
    pub fn path(&self) -> PathBuf {
        self.file.temporary_path()
    }

    /// The hold on it.
    pub fn held(&self) -> &LockedFile {
        &self.held
    }

    /// Whether it is the old database with all that was committed.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Fails with [`ErrorKind::Refused`](crate::error::ErrorKind::Refused) if somebody has opened it, for the database.
    pub fn check_unused(&self, database: &Path, doing: &str) -> Result<()> {
        let users = Users::of(std::iter::once(&self.held)).map_err(|e| io_error(doing, database, e))?;
        refuse_users(&users, database, doing)
    }

    /// What is to be said if it keeps the database's name, and the database is at `aside`.
    pub fn stays(&self, aside: &Path) -> String {
        format!(
            "stop the application first; the database holds what it held, its log worked into it; as it was before, it is {}",
            aside.display()
        )
    }
}

fn warning(database: &Path, why: &str) -> Message {
    Message::warning(
        database.display().to_string(),
        format!(
            "what its -wal or -journal holds cannot be worked into a copy of it: {why}; should the restore be killed at its very \
             end, no database is there until it is repeated"
        ),
    )
}

fn note(database: &Path, reporter: &dyn Reporter) -> Result<OutputFile> {
    let mut file = OutputFile::create_named(database, Existing::Replace, reporter)?;
    file.write_all(NOTE.as_bytes()).map_err(|e| io_error(format!("write to {}", database.display()), database, e))?;
    Ok(file)
}

/// Copies the database into `file`, and lets SQLite do what it does when it opens a database that was left like this. Gives
/// the reason if it cannot.
fn recovered_copy(
    claim: &Claim,
    file: OutputFile,
    database: &Path,
    reporter: &dyn Reporter,
) -> Result<OutputFile, String> {
    let staged = file.temporary_path();
    let _sidecars = SidecarCleanup(&staged);
    reporter.phase(Phase::new("copy", Unit::Steps));
    reporter.current(&format!("{} with its log", database.display()));
    for suffix in SUFFIXES {
        let Some(mut from) = claim.file(suffix).filter(|_| suffix != "-shm") else { continue };
        let copied = from.rewind().and_then(|()| match suffix {
            // From file to file, which the kernel does, and some file systems without copying.
            "" => io::copy(&mut from, &mut file.file()),
            _ => io::copy(&mut from, &mut File::create_new(with_suffix(&staged, suffix))?),
        });
        copied.map_err(|e| e.to_string())?;
    }
    recover(&staged).map_err(|e| words(&e))?;
    match SUFFIXES.iter().skip(1).find(|suffix| with_suffix(&staged, suffix).exists()) {
        Some(suffix) => Err(format!("SQLite leaves its {suffix} where it is")),
        None => Ok(file),
    }
}

fn recover(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Nobody else uses it: no shared memory is needed, which some file systems cannot give.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // The first look rolls a journal back; closing works the log in.
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    connection.close().map_err(|(_, e)| e)
}
