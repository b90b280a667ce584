//! Backup: a consistent snapshot of a database that is in use, in one file that needs nothing beside it.
//!
//! The pages are copied by SQLite's online backup API. Left to itself it starts again whenever another process has changed
//! the database between two steps, so a busy writer could keep it from ever ending. What prevents that depends on how the
//! database is written:
//!
//! - With a write-ahead log, a read transaction is held from the first page to the last. It pins one snapshot and stops
//!   nobody: writers go on.
//! - With a rollback journal, a reader keeps writers from committing. So the first pass lets go of the lock after every
//!   step, and on a quiet database that is all. If a writer did come between, that pass was for nothing but the page cache
//!   of the operating system, which now holds the database; the second pass holds the lock, and writers wait for the time
//!   of a copy from memory.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::OFlags;

use super::check::check_file;
use super::error::CallContext;
use super::header::{Header, JournalMode, set_journal_mode};
use super::sidecars::{SIDECARS, SidecarCleanup, sidecars_of};
use super::source::{Opening, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::options::options;
use crate::output::{Existing, OutputFile, folder_of, io_error, with_suffix};
use crate::progress::{Level, Message, Phase, Reporter, Unit};
use crate::words::Choice;

/// How much is copied between two looks at the lock and at the progress.
const STEP_BYTES: u32 = 4 << 20;

options! {
    /// How a backup is made.
    #[derive(Debug, Clone)]
    pub struct BackupOptions {
        /// Write a compacted copy (VACUUM INTO) instead of the pages as they are.
        pub compact: bool = false,
        /// What to do if the output is there already.
        pub existing: Existing = Existing::Refuse,
        /// How long to wait for a writer that locks everybody out.
        pub lock_wait: Duration = Duration::from_secs(60),
    }
}

/// What came of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupSummary {
    /// The file that was made.
    pub output: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// How the database that was read is written. The file itself is always in rollback mode, which needs no other file.
    pub journal_mode: JournalMode,
    /// How many rows break a constraint of their table.
    pub violations: u64,
}

/// Backs up the database at `database` into the file `output`.
///
/// The database may be in use. The output appears when it is complete and has passed the integrity check; on any error
/// nothing appears and a file that was there stays.
pub fn backup(
    database: &Path,
    output: &Path,
    options: &BackupOptions,
    reporter: &dyn Reporter,
) -> Result<BackupSummary> {
    reporter.cancellation().run(|| make(database, output, options, reporter))
}

fn make(database: &Path, output: &Path, options: &BackupOptions, reporter: &dyn Reporter) -> Result<BackupSummary> {
    let doing = format!("back up {}", database.display());
    let header = Header::read(database, &doing)?;
    let real = fs::canonicalize(database).map_err(|e| io_error(&doing, database, e))?;
    check_apart(&real, output, &doing)?;
    let file = OutputFile::create_named(output, options.existing, reporter)?;
    if files_of(&real).any(|mine| file.will_be(&mine)) {
        return Err(is_the_database(output, &doing));
    }
    check_sidecars(file.path(), options.existing)?;

    let room = folder_of(file.path());
    let opening = Opening { spare: Some(&room), ..Opening::new(options.lock_wait, reporter.cancellation()) };
    let source = Source::open(database, opening, &doing)?;
    let partial = &file.temporary_path();
    let _sidecars = SidecarCleanup(partial);
    let about =
        CallContext { doing: &doing, database: &source.path, written: Some(file.path()), waited: options.lock_wait };
    if options.compact {
        compact(&source.connection, partial, &about, reporter)?;
    } else {
        copy(&source.connection, partial, &about, reporter)?;
    }
    source.check_undisturbed(&doing)?;
    drop(source);

    set_journal_mode(partial, JournalMode::Rollback).map_err(|e| io_error(&doing, partial, e))?;
    let hint = "no backup was made: the database itself is damaged; keep a copy of it and restore the last good backup";
    let violations = check_file(partial, &doing, hint, reporter)?;
    let target = file.path().to_path_buf();
    let bytes = file.commit_with(|| remove_sidecars(&target))?;
    Ok(BackupSummary { output: target, bytes, journal_mode: header.journal_mode, violations })
}

/// A backup must not land on the database, nor on a file that belongs to it or that SQLite may make for it.
fn check_apart(database: &Path, output: &Path, doing: &str) -> Result<()> {
    let there = fs::metadata(output).ok();
    let name = output.file_name().and_then(|name| Some(fs::canonicalize(folder_of(output)).ok()?.join(name)));
    for path in files_of(database) {
        let same_file = match (&there, fs::metadata(&path)) {
            (Some(there), Ok(m)) => (m.dev(), m.ino()) == (there.dev(), there.ino()),
            _ => false,
        };
        if same_file || name.as_ref() == Some(&path) {
            return Err(is_the_database(output, doing));
        }
    }
    Ok(())
}

fn is_the_database(output: &Path, doing: &str) -> Error {
    Error::new(ErrorKind::Usage, doing)
        .why(format!("the output {} is a file of the database itself", output.display()))
        .hint("give the name of another file")
}

fn files_of(database: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    std::iter::once(database.to_path_buf()).chain(SIDECARS.iter().map(|suffix| with_suffix(database, suffix)))
}

/// SQLite would take a -wal or -journal file that stands beside the new file for a part of it.
fn check_sidecars(output: &Path, existing: Existing) -> Result<()> {
    let found: Vec<String> = sidecars_of(output).map(|path| path.display().to_string()).collect();
    if existing == Existing::Replace || found.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, format!("write to {}", output.display()))
        .why(format!("{} is there, and SQLite would take it for a part of the new file", found.join(", ")))
        .hint("remove it, or " + Choice::Force + ", or give another name"))
}

fn remove_sidecars(output: &Path) -> Result<()> {
    for path in sidecars_of(output) {
        fs::remove_file(&path).map_err(|e| io_error(format!("remove {}", path.display()), &path, e))?;
    }
    Ok(())
}

fn compact(source: &Connection, partial: &Path, about: &CallContext<'_>, reporter: &dyn Reporter) -> Result<()> {
    reporter.phase(Phase::new("compact", Unit::Steps));
    reporter.current("VACUUM INTO");
    let name = partial.to_str().ok_or_else(|| {
        Error::new(ErrorKind::Usage, about.doing)
            .why(Choice::Compact + " needs an output path in UTF-8")
            .hint("leave out " + Choice::Compact + ", or give another name")
    })?;
    source.execute("VACUUM INTO ?1", [name]).map_err(|e| {
        let made = about.failed(e);
        let text = made.to_string();
        if ["no such", "unknown function", "unknown tokenizer"].iter().any(|missing| text.contains(missing)) {
            let lacking = "compacting needs the application's own functions and collations: leave out ";
            return made.hint(lacking + Choice::Compact);
        }
        made
    })?;
    Ok(())
}

fn copy(source: &Connection, partial: &Path, about: &CallContext<'_>, reporter: &dyn Reporter) -> Result<()> {
    let failed = |e| about.failed(e);
    let mode: String = source.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        match copy_pass(source, partial, about, reporter)? {
            Pass::Complete => return Ok(()),
            Pass::Overtaken => reporter.message(Message::new(
                Level::Debug,
                about.database.display().to_string(),
                "a writer came between; copying again with the writers waiting",
            )),
        }
    }
    source.execute_batch("BEGIN").map_err(failed)?;
    source.query_row("PRAGMA schema_version", [], |_| Ok(())).map_err(failed)?;
    let pass = copy_pass(source, partial, about, reporter)?;
    source.execute_batch("COMMIT").map_err(failed)?;
    match pass {
        Pass::Complete => Ok(()),
        Pass::Overtaken => Err(Error::new(ErrorKind::Internal, about.doing)
            .why("the snapshot changed although a read transaction was held")
            .hint("is the database on a file system without working locks (NFS)?")),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Pass {
    Complete,
    /// Somebody changed the database between two steps, so that the copy would have to start again.
    Overtaken,
}

fn copy_pass(source: &Connection, partial: &Path, about: &CallContext<'_>, reporter: &dyn Reporter) -> Result<Pass> {
    let failed = |e| about.failed(e);
    // An earlier pass may have left pages that make no database.
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(partial)
        .map_err(|e| io_error(about.doing, partial, e))?;
    // Where others may write, one of them could have put a link there.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut copy = Connection::open_with_flags(partial, flags).map_err(failed)?;
    // Neither journal nor flushing: if the copy fails it is thrown away, and it is flushed before it gets its name.
    copy.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(failed)?;
    let page_size: u32 = source.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(failed)?;
    let step = i32::try_from((STEP_BYTES / page_size.max(1)).max(1)).unwrap_or(i32::MAX);
    let backup = Backup::new(source, &mut copy).map_err(failed)?;
    let mut done = 0;
    loop {
        reporter.cancellation().check()?;
        let result = backup.step(step).map_err(failed)?;
        let progress = backup.progress();
        let now = progress.pagecount.saturating_sub(progress.remaining).max(0).unsigned_abs();
        match result {
            StepResult::More | StepResult::Done => {
                if done == 0 {
                    let pages = progress.pagecount.max(0).unsigned_abs();
                    let bytes = u64::from(pages) * u64::from(page_size);
                    reporter.phase(Phase::new("copy", Unit::Bytes).of(bytes));
                }
                if result == StepResult::More && now <= done {
                    return Ok(Pass::Overtaken);
                }
                reporter.advance(u64::from(now.saturating_sub(done)) * u64::from(page_size));
                done = now;
                if result == StepResult::Done {
                    return Ok(Pass::Complete);
                }
            }
            // The busy handler has already waited as long as it was told to.
            _ => return Err(busy(about)),
        }
    }
}

fn busy(about: &CallContext<'_>) -> Error {
    about.failed(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None))
}
