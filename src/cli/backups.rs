//! Backups that lie in a folder: which of them are of one database, and when they were made. It is seen by what is in them; of an
//! SQLite database, which does not say where it came from, the name counts, too.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pgformat::Created;

use super::archive::{is_archive, is_sqlite, open};
use crate::output::{Stamp, with_suffix};
use crate::postgres::verify::verify_opened;
use crate::sqlite::{self, Identity, SIDECARS};
use crate::{Cancellation, Database, Error, ErrorKind, Reporter, Result, io_error};

/// What tells the backups of a database from others.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The name of the database, which archives have in their header.
    Postgres(BString),
    /// A file, and what is in it.
    Sqlite { path: PathBuf, identity: Identity },
}

/// A backup.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// When it was made: what an archive says of itself; the time of an SQLite file's last change.
    pub made: Timestamp,
    /// Its size, of a folder that of its files.
    pub bytes: u64,
    /// The user whose it is.
    pub owner: u32,
    /// What the file or the folder was when it was looked into.
    pub stamp: Stamp,
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Backups of the database, the newest first.
    pub backups: Vec<Backup>,
    /// How many are of other databases.
    pub others: usize,
    /// What looks like a backup and cannot be read, so that nobody knows of what.
    pub unreadable: Vec<(PathBuf, Error)>,
}

impl Origin {
    /// What tells the backups of this database. An SQLite database is read for it; of a server nothing is asked.
    ///
    /// # Errors
    /// The SQLite database cannot be read.
    pub(crate) fn of(database: &Database, cancellation: &Cancellation) -> Result<Self> {
        match database {
            Database::Postgres(target) => Ok(Self::Postgres(target.database().to_owned())),
            Database::Sqlite(target) => {
                let doing = format!("see what is in {}, to know its backups by it", target.path.display());
                let identity = sqlite::identity(&target.path, cancellation, &doing)?;
                let path = fs::canonicalize(&target.path).map_err(|error| io_error(doing, &target.path, error))?;
                Ok(Self::Sqlite { path, identity })
            }
        }
    }
}

/// The backups of a database in the folder at `path`. Not looked at are what is not a file or a folder itself, as a symbolic link, and
/// names that begin with a dot, as those of unfinished files do.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn in_folder(path: &Path, origin: &Origin, cancellation: &Cancellation) -> Result<Found> {
    let doing = || format!("look for backups in {}", path.display());
    let failed = |error| io_error(doing(), path, error);
    let mut found = Found::default();
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name());
    }
    names.sort_unstable();
    for name in names.iter().filter(|name| !name.as_encoded_bytes().starts_with(b".")) {
        cancellation.check()?;
        let path = path.join(name);
        match look_into(&path, origin, cancellation) {
            Ok(Looked::Backup(backup)) => found.backups.push(backup),
            Ok(Looked::OfAnother) => found.others += 1,
            Ok(Looked::NoBackup) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => found.unreadable.push((path, error)),
        }
    }
    // Of two of one moment, the later name is the newer.
    found.backups.reverse();
    found.backups.sort_by_key(|backup| std::cmp::Reverse(backup.made));
    Ok(found)
}

/// What a file or a folder is.
#[derive(Debug)]
pub(crate) enum Looked {
    /// A backup of the database.
    Backup(Backup),
    /// One of another.
    OfAnother,
    /// None.
    NoBackup,
}

/// Looks into the file or the folder at `path`.
///
/// # Errors
/// It looks like a backup, and cannot be read; it was changed meanwhile.
pub(crate) fn look_into(path: &Path, origin: &Origin, cancellation: &Cancellation) -> Result<Looked> {
    let doing = || format!("look into {}", path.display());
    let facts = || match fs::symlink_metadata(path) {
        Ok(facts) => Ok(Some(facts)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(doing(), path, error)),
    };
    let Some(before) = facts()? else { return Ok(Looked::NoBackup) };
    let is_folder = before.is_dir() && path.join("toc.dat").is_file();
    if !is_folder && !before.is_file() {
        return Ok(Looked::NoBackup);
    }
    let (is_ours, made) = if before.is_file() && is_sqlite(path) {
        (is_of_sqlite(path, origin, cancellation)?, modified(&before))
    } else if is_archive(path) {
        let archive = open(path, &doing())?;
        let header = archive.header();
        let is_ours = matches!(origin, Origin::Postgres(name) if *name == header.dbname);
        (is_ours, moment(&header.created, &TimeZone::system()).or_else(|| modified(&before)))
    } else {
        return Ok(Looked::NoBackup);
    };
    let stamp = Stamp::of(&before);
    if facts()?.is_none_or(|after| Stamp::of(&after) != stamp) {
        return Err(Error::new(ErrorKind::Changed, doing()).why("it was changed or replaced meanwhile"));
    }
    if !is_ours {
        return Ok(Looked::OfAnother);
    }
    let made =
        made.ok_or_else(|| Error::new(ErrorKind::Archive, doing()).why("the time at which it was made is none"))?;
    let bytes = if is_folder { size_of_folder(path)? } else { before.len() };
    Ok(Looked::Backup(Backup { path: path.to_path_buf(), made, bytes, owner: before.uid(), stamp }))
}

/// What is wrong with a backup, all of which is read for it: the first of it, or nothing.
///
/// # Errors
/// The end was asked for. That it cannot be read is what is wrong with it.
pub(crate) fn problem(backup: &Backup, reporter: &dyn Reporter) -> Result<Option<String>> {
    let path = &*backup.path;
    let first = if is_sqlite(path) {
        sqlite::verify(path, reporter).map(|verified| verified.problems.into_iter().next())
    } else {
        open(path, &format!("verify {}", path.display())).map(|mut archive| {
            let verified = verify_opened(&mut archive, reporter);
            let is_sound = verified.is_sound();
            let first = verified.problems.into_iter().next().map(|problem| problem.text);
            first.or_else(|| (!is_sound).then(|| "a part of it cannot be read".to_owned()))
        })
    };
    reporter.cancellation().check()?;
    let is_same = fs::symlink_metadata(path).is_ok_and(|facts| Stamp::of(&facts) == backup.stamp);
    match first {
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
        Err(error) => Ok(Some(error.to_string())),
        Ok(None) if !is_same => Ok(Some("it was changed or replaced while it was read".to_owned())),
        Ok(first) => Ok(first),
    }
}

/// Whether an SQLite file is a backup of the database: no other file beside it belongs to it, it has what the database has, and the
/// database's name is a part of its own. Databases of one application look alike inside, one for each of its users.
fn is_of_sqlite(path: &Path, origin: &Origin, cancellation: &Cancellation) -> Result<bool> {
    let Origin::Sqlite { path: database, identity } = origin else { return Ok(false) };
    let is_in_use = || SIDECARS.iter().any(|suffix| with_suffix(path, suffix).exists());
    let is_it = fs::canonicalize(path).is_ok_and(|path| path == *database);
    if is_it || !has_name_of(path, database) || is_put_away(path) || is_in_use() || is_open(path) {
        return Ok(false);
    }
    let doing = format!("look into {}", path.display());
    Ok(sqlite::identity(path, cancellation, &doing)?.may_be(identity))
}

/// Whether it is what a restore has put away: that is for whoever looked at what was restored to remove.
fn is_put_away(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().contains_str(".pre-restore-bak"))
}

/// Whether a process is seen to have it open, as an application has its database.
fn is_open(path: &Path) -> bool {
    sqlite::users(path).iter().any(|user| user.pid != std::process::id())
}

/// Whether a file's name has the name of the database in it, without its extension, as a word: not next to a letter or a digit.
fn has_name_of(path: &Path, database: &Path) -> bool {
    let bytes = |name: Option<&OsStr>| name.unwrap_or_default().as_encoded_bytes().to_vec();
    let (name, word) = (bytes(path.file_name()), bytes(database.file_stem()));
    let is_apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte.is_ascii());
    !word.is_empty()
        && name.find_iter(&word).any(|at| {
            is_apart(at.checked_sub(1).and_then(|before| name.get(before))) && is_apart(name.get(at + word.len()))
        })
}

fn modified(facts: &Metadata) -> Option<Timestamp> {
    Timestamp::new(facts.mtime(), i32::try_from(facts.mtime_nsec()).ok()?).ok()
}

/// The moment that an archive's header tells, which is what a clock on the wall showed.
fn moment(created: &Created, zone: &TimeZone) -> Option<Timestamp> {
    let small = |number: i32| i8::try_from(number).ok();
    let year = i16::try_from(created.year.checked_add(1900)?).ok()?;
    let (month, day) = (small(created.month.checked_add(1)?)?, small(created.day)?);
    let (hour, minute, second) = (small(created.hour)?, small(created.minute)?, small(created.second.min(59))?);
    let shown = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let moment = zone.to_ambiguous_timestamp(shown);
    // The hour that there is twice in autumn.
    if created.daylight_saving == 0 { moment.later().ok() } else { moment.compatible().ok() }
}

fn size_of_folder(path: &Path) -> Result<u64> {
    let failed = |error| io_error(format!("see how large {} is", path.display()), path, error);
    let mut bytes = 0;
    for entry in fs::read_dir(path).map_err(failed)? {
        bytes += entry.and_then(|entry| entry.metadata()).map_err(failed)?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(hour: i32, daylight_saving: i32) -> Created {
        Created { second: 6, minute: 5, hour, day: 25, month: 9, year: 126, daylight_saving }
    }

    #[test]
    fn the_moment_is_what_the_clock_on_the_wall_showed() {
        let text = |created: &Created, zone: &TimeZone| moment(created, zone).map(|moment| moment.to_string());
        assert_eq!(text(&created(4, 0), &TimeZone::UTC).as_deref(), Some("2026-10-25T04:05:06Z"));
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(text(&created(2, 1), &zone).as_deref(), Some("2026-10-25T00:05:06Z"));
        assert_eq!(text(&created(2, 0), &zone).as_deref(), Some("2026-10-25T01:05:06Z"));
        assert_eq!(text(&Created { day: 0, ..created(2, 0) }, &zone), None);
        assert_eq!(text(&Created { year: i32::MAX, ..created(2, 0) }, &zone), None);
    }

    #[test]
    fn a_name_is_known_as_a_word() {
        let has = |name: &str| has_name_of(Path::new(name), Path::new("/srv/app.db"));
        for name in ["app.db", "app-2026.db", "/b/2026_app", "x.app.y"] {
            assert!(has(name), "{name}");
        }
        for name in ["apple.db", "webapp-1.db", "app1.db", "äapp", "other.db"] {
            assert!(!has(name), "{name}");
        }
    }
}
