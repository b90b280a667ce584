//! Restore: a backup file takes the place of a database that nobody uses.
//!
//! The database is locked first, and stays so to the end. The backup is copied beside it under a temporary name, and the
//! copy is checked, before anything is touched. Then the copy gets the database's name, and the old files are kept under
//! others (`switch.rs`). Whoever opens the database finds the old one or the new one, whole, and so it is whenever the
//! process ends, by force or by a power cut.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_encode;

use super::attributes::{take_over, take_over_folder};
use super::check::check_file;
use super::header::{Header, JournalMode, set_journal_mode};
use super::in_use::{Claim, refuse_in_use};
use super::move_aside::{Move, MovePlan};
use super::other_names::{real_path, refuse_other_names, refuse_to_replace};
use super::pending_recovery::{PendingRecovery, pending};
use super::source::IN_URI;
use super::stand_in::StandIn;
use super::switch::Switch;
use crate::error::{Error, ErrorKind, Result};
use crate::options::options;
use crate::output::{Existing, OutputFile, check_target, folder_of, io_error, with_suffix};
use crate::progress::{Message, Phase, Reporter, Unit};
use crate::words::{Choice, Words};

const ANOTHER: &str = "nothing was changed; take another backup file";

options! {
    /// How a restore is made.
    #[derive(Debug, Clone)]
    pub struct RestoreOptions {
        /// Go ahead; without it the restore only says what it would replace, as an error.
        pub force: bool = false,
    }
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreSummary {
    /// The database that was restored.
    pub database: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// How it is written from now on: as the database that it replaced, else as the backup file says.
    pub journal_mode: JournalMode,
    /// The files of the replaced database and where they are now.
    pub moved: Vec<Move>,
    /// The files that an earlier restore had moved aside, and where they are now.
    pub earlier: Vec<Move>,
}

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestorePreview {
    /// The database that would be restored.
    pub database: PathBuf,
    /// The size of the backup in bytes.
    pub bytes: u64,
    /// The files that would be moved aside, and their sizes in bytes.
    pub replaced: Vec<(PathBuf, u64)>,
}

/// Restores the database at `database` from the backup file `backup`.
///
/// Fails, with nothing changed, if the backup is not a complete and sound SQLite database, if the database is in use, or
/// if `force` is not set.
pub fn restore(
    backup: &Path,
    database: &Path,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    reporter.cancellation().run(|| replace(backup, database, options, reporter))
}

fn replace(
    backup: &Path,
    database: &Path,
    options: &RestoreOptions,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    let doing = format!("restore {}", backup.display());
    let (header, target) = check(backup, database, &doing)?;
    if !options.force {
        return Err(refusal(&target, &doing));
    }
    if let Some(text) = check_names(&target, &doing)? {
        reporter.message(Message::warning(target.display().to_string(), text));
    }
    let claim = Claim::new(&target, &doing, reporter)?;
    let journal_mode = journal_mode(&claim, &header).map_err(|e| io_error(&doing, &target, e))?;

    let mut file = OutputFile::create_named(&target, Existing::Replace, reporter)?;
    copy(backup, &mut file, &header, &doing, reporter)?;
    let staged = file.temporary_path();
    // Checked as a plain file first: in WAL mode SQLite would create files beside it.
    set_journal_mode(&staged, JournalMode::Rollback).map_err(|e| io_error(&doing, &staged, e))?;
    check_file(&staged, &doing, ANOTHER, reporter)?;
    set_journal_mode(&staged, journal_mode).map_err(|e| io_error(&doing, &staged, e))?;
    match claim.file("") {
        Some(old) => take_over(file.file(), old, &target, reporter)?,
        None => {
            let folder = folder_of(&target);
            let found = fs::metadata(&folder).map_err(|e| io_error(&doing, &folder, e))?;
            take_over_folder(file.file(), &found, &target, reporter)?;
        }
    }
    let stand_in = StandIn::make(&claim, &target, &doing, reporter)?;
    let switch = Switch { database: &target, doing: &doing, claim: &claim, stand_in: stand_in.as_ref() };
    let (bytes, plan) = switch.carry_out(file)?;
    drop(claim);
    Ok(RestoreSummary { database: target, bytes, journal_mode, moved: plan.current, earlier: plan.earlier })
}

/// How the restored database is going to be written: as the one that it replaces. One that is missing or damaged says
/// nothing about how the application wants it.
fn journal_mode(claim: &Claim, backup: &Header) -> io::Result<JournalMode> {
    let old = match claim.file("") {
        Some(file) => Header::of(file)?,
        None => None,
    };
    Ok(match old {
        Some(old) if old.journal_mode == JournalMode::Wal => JournalMode::Wal,
        _ => backup.journal_mode,
    })
}

/// Says what a restore would do, and changes nothing; `force` is not wanted for that. The backup's header and length are
/// looked at, not its content.
///
/// Fails as [`restore`] does before it begins: also where a process is seen to have the database open. Locks are left alone, so
/// that an application does not meet them.
pub fn preview(backup: &Path, database: &Path) -> Result<RestorePreview> {
    let doing = format!("restore {}", backup.display());
    let (header, target) = check(backup, database, &doing)?;
    check_names(&target, &doing)?;
    refuse_in_use(&target, &doing)?;
    Ok(RestorePreview { bytes: header.file_size, replaced: present(&target), database: target })
}

/// What can be known to be wrong before anything is touched: with the backup, and with the place that it is to go to, which is
/// given back with the backup's header.
fn check(backup: &Path, database: &Path, doing: &str) -> Result<(Header, PathBuf)> {
    let header = check_backup(backup, doing)?;
    let target = check_target(database, Existing::Replace)?;
    check_apart(backup, &target, doing)?;
    Ok((header, target))
}

/// Whether another file can take the place of the one at `target`; gives a warning about its other names. One that a restore gave it
/// which was broken off is none.
fn check_names(target: &Path, doing: &str) -> Result<Option<String>> {
    // Names beside it must mean the same to SQLite.
    real_path(&folder_of(target), doing)?;
    refuse_to_replace(target, MovePlan::new(target).second_names.len() as u64, doing)
}

/// Everything that can be known to be wrong with a backup file without reading all of it.
fn check_backup(backup: &Path, doing: &str) -> Result<Header> {
    let header = Header::read(backup, doing)?;
    if let Some(why) = header.truncated() {
        return Err(Error::new(ErrorKind::Archive, doing).why(why).hint(ANOTHER));
    }
    let real = real_path(backup, doing)?;
    refuse_other_names(&real, doing)?;
    let log = Some(with_suffix(&real, "-wal")).filter(|log| fs::metadata(log).is_ok_and(|m| m.len() > 0));
    let pending = pending(&real, doing)?;
    if let Some(beside) = pending.map(PendingRecovery::into_path).or(log) {
        return Err(Error::new(ErrorKind::Archive, doing)
            .why(format!("it is not a backup in one file: {} belongs to it", beside.display()))
            .hint("join them with: " + Choice::BackupOf(url_of(backup)) + "; then restore NEW"));
    }
    Ok(header)
}

fn url_of(path: &Path) -> String {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    format!("sqlite:///{}", percent_encode(path.as_os_str().as_encoded_bytes(), IN_URI))
}

fn check_apart(backup: &Path, target: &Path, doing: &str) -> Result<()> {
    let id = |path: &Path| fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
    if id(backup).is_some() && id(backup) == id(target) {
        return Err(Error::new(ErrorKind::Usage, doing)
            .why("the backup file and the database are the same file")
            .hint("give the backup file as PATH and the database as " + Choice::Url));
    }
    Ok(())
}

/// The files of a database that are there, and their sizes in bytes.
fn present(target: &Path) -> Vec<(PathBuf, u64)> {
    let paths = super::SUFFIXES.into_iter().map(|suffix| with_suffix(target, suffix));
    paths.filter_map(|path| fs::metadata(&path).ok().map(|m| (path, m.len()))).collect()
}

fn refusal(target: &Path, doing: &str) -> Error {
    let found: Vec<String> =
        present(target).iter().map(|(path, bytes)| format!("{} ({bytes} bytes)", path.display())).collect();
    let what = if found.is_empty() {
        format!("this would create {}, where nothing is now", target.display())
    } else {
        format!("this would replace {}", found.join(", "))
    };
    Error::new(ErrorKind::Refused, doing)
        .why(Words::from(what) + ", and " + Choice::Force + " was not given")
        .hint("stop the application, then add " + Choice::Force + "; what is replaced is kept as *.pre-restore-bak")
}

fn copy(backup: &Path, file: &mut OutputFile, header: &Header, doing: &str, reporter: &dyn Reporter) -> Result<()> {
    reporter.phase(Phase::new("copy", Unit::Bytes).of(header.file_size));
    reporter.current(&backup.display().to_string());
    let mut from = File::open(backup).map_err(|e| io_error(doing, backup, e))?;
    let looks = |file: &File| file.metadata().map(|m| (m.len(), m.mtime(), m.mtime_nsec()));
    let before = looks(&from).map_err(|e| io_error(doing, backup, e))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(io_error(format!("read {}", backup.display()), backup, e)),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        if let Err(e) = file.write_all(bytes) {
            return Err(io_error(
                format!("write a copy of the backup beside {}", file.path().display()),
                file.path(),
                e,
            ));
        }
        reporter.cancellation().check()?;
        reporter.advance(read as u64);
    }
    if looks(&from).map_err(|e| io_error(doing, backup, e))? != before {
        return Err(Error::new(ErrorKind::Archive, doing)
            .why("the file was changed while it was read: it is a database in use, or a backup that is being written")
            .hint("wait until it is complete; make backups of a database in use with: " + Choice::Backup));
    }
    Ok(())
}
