//! Restore: a backup file takes the place of a database that nobody uses.
//!
//! The backup is copied beside the database under a temporary name, and the copy is checked, before anything is touched.
//! Then the old files are moved aside as a set and the copy gets its name. Whenever the process ends, by force or by a
//! power cut, what is there under the database's name is the old database, or the new one, or nothing, and the old set is
//! complete under its own or under its new name.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use percent_encoding::percent_encode;
use rustix::fs::{Gid, Uid};

use super::aside::{Move, Plan};
use super::beside::{Pending, pending};
use super::check::check_file;
use super::header::{Header, JournalMode, set_journal_mode};
use super::in_use::{Claim, refuse_in_use};
use super::other_names::{real_path, refuse_other_names};
use super::source::IN_URI;
use crate::cleanup::with_suffix;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{Existing, OutputFile, check_target, folder_of, io_error};
use crate::progress::{Level, Message, Phase, Reporter, Unit};

const ANOTHER: &str = "nothing was changed; take another backup file";

/// How a restore is made.
#[derive(Debug, Clone, Default)]
pub struct RestoreOptions {
    /// Go ahead; without it the restore only says what it would replace, as an error.
    pub force: bool,
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
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
/// if [`RestoreOptions::force`] is not set.
pub fn restore(
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
    let claim = Claim::new(&target, &doing)?;
    let previous = fs::metadata(&target).ok();
    let journal_mode = match Header::read(&target, &doing) {
        Ok(old) if old.journal_mode == JournalMode::Wal => JournalMode::Wal,
        // A database that is missing or damaged says nothing about how the application wants it.
        _ => header.journal_mode,
    };

    let mut file = OutputFile::create(&target, Existing::Replace)?;
    copy(backup, &mut file, &header, &doing, reporter)?;
    let staged = file.temporary_path().to_path_buf();
    // Checked as a plain file first: in WAL mode SQLite would create files beside it.
    set_journal_mode(&staged, JournalMode::Rollback).map_err(|e| io_error(&doing, &staged, e))?;
    check_file(&staged, &doing, ANOTHER, reporter)?;
    set_journal_mode(&staged, journal_mode).map_err(|e| io_error(&doing, &staged, e))?;
    take_over_owner(&file, previous.as_ref(), &target, &doing, reporter)?;

    let plan = Plan::new(&target);
    let bytes = match file.commit_with(|| plan.carry_out()) {
        Ok(bytes) => bytes,
        Err(e) if fs::symlink_metadata(&target).is_err() => {
            return match plan.undo() {
                Ok(()) => Err(e.hint("the previous database was put back")),
                Err(_) => Err(e.hint(format!("move the files back by hand: {}", listed(&plan.current)))),
            };
        }
        Err(e) => return Err(e),
    };
    drop(claim);
    Ok(RestoreSummary { database: target, bytes, journal_mode, moved: plan.current, earlier: plan.earlier })
}

/// Says what a restore would do, and changes nothing; `force` is not wanted for that. The backup's header and length are
/// looked at, not its content.
///
/// Fails as [`restore`] does before it begins: also where a process is seen to have the database open. Locks are left alone, so
/// that an application does not meet them.
pub fn preview(backup: &Path, database: &Path) -> Result<RestorePreview> {
    let doing = format!("restore {}", backup.display());
    let (header, target) = check(backup, database, &doing)?;
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

fn listed(moves: &[Move]) -> String {
    moves.iter().map(|m| format!("{} to {}", m.to.display(), m.from.display())).collect::<Vec<_>>().join(", ")
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
    if let Some(beside) = pending.map(Pending::into_path).or(log) {
        return Err(Error::new(ErrorKind::Archive, doing)
            .why(format!("it is not a backup in one file: {} belongs to it", beside.display()))
            .hint(format!("join them with: lifeboat backup --url {} --output NEW; then restore NEW", url_of(backup))));
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
            .hint("give the backup file as PATH and the database as --url"));
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
        .why(format!("{what}, and --force was not given"))
        .hint("stop the application, then add --force; what is replaced is kept as *.pre-restore-bak")
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
        reporter.advance(read as u64);
    }
    if looks(&from).map_err(|e| io_error(doing, backup, e))? != before {
        return Err(Error::new(ErrorKind::Archive, doing)
            .why("the file was changed while it was read: it is a database in use, or a backup that is being written")
            .hint("wait until it is complete; make backups of a database in use with: lifeboat backup"));
    }
    Ok(())
}

/// Gives the new file the owner and the permissions of the one that it replaces, so that the application can open it.
/// Where there is none, root gives it to the owner of the folder.
fn take_over_owner(
    file: &OutputFile,
    previous: Option<&fs::Metadata>,
    target: &Path,
    doing: &str,
    reporter: &dyn Reporter,
) -> Result<()> {
    let failed = |e: io::Error| io_error(doing, target, e);
    let mine = file.file().metadata().map_err(failed)?;
    let model = match previous {
        Some(previous) => previous.clone(),
        None if mine.uid() == 0 => fs::metadata(folder_of(target)).map_err(failed)?,
        None => return Ok(()),
    };
    if (model.uid(), model.gid()) != (mine.uid(), mine.gid()) {
        let owner = (Uid::from_raw(model.uid()), Gid::from_raw(model.gid()));
        if let Err(e) = rustix::fs::fchown(file.file(), Some(owner.0), Some(owner.1)) {
            reporter.message(Message {
                level: Level::Warning,
                subject: target.display().to_string(),
                text: format!("it could not be given to its former owner ({}:{}): {e}", model.uid(), model.gid()),
            });
        }
    }
    if previous.is_some() {
        // After the change of owner, which takes special bits away.
        let mode = fs::Permissions::from_mode(model.permissions().mode() & 0o7777);
        file.file().set_permissions(mode).map_err(failed)?;
    }
    Ok(())
}
