//! The newest backup: how old it is, whether it is sound.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::collected::Collected;
use super::finding::{Finding, Findings, Level};
use super::{age, shown};
use crate::cli::amounts::human;
use crate::cli::backups::{self, Backup, Looked, Origin};
use crate::cli::progress::Console;
use crate::{Database, Error, ErrorKind, Reporter, Result, io_error};

const CHECK: &str = "newest_backup";

/// Looks at the backup at `path`, or at the newest of the database in the folder that is there. Gives its size.
pub(super) fn check(
    path: &Path,
    database: &Database,
    (max_age, verify): (Option<Duration>, bool),
    console: &Console,
    findings: &mut Findings,
) -> Result<Option<u64>> {
    let newest = match find(path, database, console, findings) {
        Ok(Some(newest)) => newest,
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
        Err(error) => {
            findings.add(Finding::of_error(Level::Failed, CHECK, &error));
            return Ok(None);
        }
    };
    let seconds = Timestamp::now().as_second() - newest.made.as_second();
    let (level, age) = match u64::try_from(seconds) {
        Ok(seconds) if max_age.is_some_and(|most| seconds > most.as_secs()) => {
            let most = age::shown(max_age.unwrap_or_default().as_secs());
            (Level::Failed, format!("is {} old, and must not be older than {most}", age::shown(seconds)))
        }
        Ok(seconds) => (Level::Ok, format!("is {} old", age::shown(seconds))),
        // Its clock was another one.
        Err(_) => (Level::Warning, "was made in the future, by this machine's clock".to_owned()),
    };
    findings.add(facts(
        Finding::new(level, CHECK, format!("{} {age}, {}", shown(&newest.path), human(newest.bytes))),
        &newest,
    ));
    if verify {
        findings.add(soundness(&newest, console)?.fact("file", shown(&newest.path)));
    }
    Ok(Some(newest.bytes))
}

fn facts(finding: Finding, backup: &Backup) -> Finding {
    finding
        .fact("file", shown(&backup.path))
        .fact("made", backup.made.to_string())
        .fact("made_seconds", backup.made.as_second())
        .fact("age_seconds", (Timestamp::now().as_second() - backup.made.as_second()).max(0))
        .fact("bytes", backup.bytes)
}

fn find(path: &Path, database: &Database, console: &Console, findings: &mut Findings) -> Result<Option<Backup>> {
    let cancellation = console.cancellation();
    let doing = || format!("look for the newest backup in {}", shown(path));
    let real = std::fs::canonicalize(path).map_err(|error| io_error(doing(), path, error))?;
    let origin = Origin::of(database, cancellation)?;
    if !real.is_dir() || real.join("toc.dat").is_file() {
        return match backups::look_into(&real, &origin, cancellation)? {
            Looked::Backup(backup) => Ok(Some(backup)),
            Looked::OfAnother => Err(none(path, "it is a backup of another database")),
            Looked::NoBackup => Err(none(path, "it is no backup")),
        };
    }
    let found = backups::in_folder(&real, &origin, cancellation)?;
    for (path, error) in &found.unreadable {
        let error = Finding::of_error(Level::Warning, "backups", error);
        findings.add(error.fact("file", shown(path)));
    }
    match found.backups.into_iter().next() {
        Some(newest) => Ok(Some(newest)),
        None => {
            let others = match found.others {
                0 => String::new(),
                n => format!(", but {n} of other databases"),
            };
            Err(none(path, &format!("there is no backup of this database{others}")))
        }
    }
}

fn none(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Archive, format!("find a backup of this database at {}", shown(path))).why(why)
}

/// Reads all of it.
fn soundness(backup: &Backup, console: &Console) -> Result<Finding> {
    const CHECK: &str = "newest_backup_sound";
    let path = shown(&backup.path);
    Ok(match backups::problem(backup, &Collected::new(console))? {
        None => Finding::new(Level::Ok, CHECK, format!("{path} is sound")).fact("sound", true),
        Some(first) => Finding::new(Level::Failed, CHECK, format!("{path} is damaged: {first}"))
            .hint("make another one now; lifeboat verify tells all that is wrong with it")
            .fact("sound", false),
    })
}
