//! The drill with SQLite: with a sample, and with a database of the user's.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::damage::{Damage, damage};
use super::narrator::{Narrator, failed, passed};
use super::sample;
use super::scratch::Scratch;
use super::writer::Writer;
use crate::cli::amounts::{mebibytes, seconds};
use crate::cli::choice;
use crate::cli::common::Common;
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::sqlite::{self, BackupOptions, RestoreOptions, SIDECARS, TableDigest};
use crate::{Context, Error, ErrorKind, Reporter, Result, io_error};

/// How many transfers the sample begins with: some 20 MB.
const TRANSFERS: i64 = 15_000;

/// Restores must be refused when they would do harm; a drill shows that they are.
fn expect_refusal(result: Result<sqlite::RestoreSummary>, kind: ErrorKind, what: &str) -> Result<Error> {
    match result {
        Err(e) if e.kind() == kind => Ok(e),
        Err(e) => Err(failed(format!("{what} was refused, but for another reason")).source(e)),
        Ok(_) => Err(failed(format!("{what} was not refused"))),
    }
}

/// The drill with the sample database.
pub(super) fn sample_drill(parent: Option<&Path>, narrator: &Narrator, common: &Common) -> Result<Outcome> {
    let begun = Instant::now();
    let console = Console::new(common);
    let scratch = Scratch::new(parent, &console)?;
    let database = scratch.path().join("app.db");
    let saved = scratch.path().join("backup.db");
    let force = RestoreOptions::default().force(true);
    narrator.say("lifeboat: drill with a sample SQLite database");

    sample::create(&database, TRANSFERS).context(ErrorKind::Io, || "make the sample database")?;
    let size = fs::metadata(&database).context(ErrorKind::Io, || "look at the sample database")?.len();
    narrator.say(&format!(
        "1. made {} ({}, WAL mode, {TRANSFERS} transfers between 500 accounts)",
        database.display(),
        mebibytes(size)
    ));

    let mut writer = Writer::start(&database)?;
    writer.wait_beyond(TRANSFERS + 20)?;
    narrator.say(&format!(
        "2. another process (pid {}) writes to it without pause, a transaction a transfer",
        writer.pid()
    ));

    let before = writer.committed();
    let backup = sqlite::backup(&database, &saved, &BackupOptions::default(), &console)?;
    let held =
        sample::prove(&saved).map_err(|why| failed(format!("the backup is not a consistent snapshot: {why}")))?;
    let after = writer.wait_beyond(held.last)?;
    if held.last < before {
        return Err(failed(format!("the backup ends at transfer {}, but {before} was committed before it", held.last)));
    }
    narrator.say(&format!(
        "3. backed up meanwhile: {}; transfer {before} was committed when it began, the snapshot ends with {}, the writer is at {after}",
        mebibytes(backup.bytes), held.last
    ));

    let refusal = expect_refusal(
        sqlite::restore(&saved, &database, &force, &common.cancellation),
        ErrorKind::Refused,
        "restoring while the database is in use",
    )?;
    narrator.say("4. tried to restore while it is in use; refused, as it must be:");
    narrator.say(&format!("   {}", refusal.named(choice::name)));

    let last = writer.committed();
    writer.kill()?;
    let done = damage(&database, 4096).map_err(|e| io_error("damage the sample database", &database, e))?;
    let faults = broken_how(&database, &console)?;
    let log = fs::metadata(scratch.path().join("app.db-wal")).map_or(0, |m| m.len());
    narrator.say(&format!(
        "5. disaster: killed the writer after transfer {last}, overwrote {} pages with noise, cut off {}; a stale -wal of {} is left",
        done.pages_overwritten, mebibytes(done.bytes_cut_off), mebibytes(log)
    ));
    narrator.say(&format!("   SQLite says: {faults}"));

    let cut = scratch.path().join("cut-off.db");
    cut_copy(&saved, &cut)?;
    let refusal = expect_refusal(
        sqlite::restore(&cut, &database, &force, &common.cancellation),
        ErrorKind::Archive,
        "restoring from half a backup",
    )?;
    narrator.say("6. tried to restore from half of the backup file; refused, as it must be:");
    narrator.say(&format!("   {}", refusal.named(choice::name)));

    let restored = sqlite::restore(&saved, &database, &force, &console)?;
    let kept = restored.moved.iter().map(|m| name_of(&m.to)).collect::<Vec<_>>().join(", ");
    narrator.say(&format!("7. restored; the damaged files are kept as {kept}"));

    let names = SIDECARS.iter().map(|suffix| format!("app.db{suffix}"));
    let stale: Vec<String> = names.filter(|name| scratch.path().join(name).exists()).collect();
    if !stale.is_empty() {
        return Err(failed(format!("{} stands beside the restored database", stale.join(", "))));
    }
    let proof = sample::prove(&database).map_err(|why| failed(format!("the restored database is wrong: {why}")))?;
    if proof != held {
        return Err(failed(format!(
            "the backup ended with transfer {}, the restored database ends with {}",
            held.last, proof.last
        )));
    }
    let tables = compare(&saved, &database, &console)?;
    narrator.say("8. proved:");
    narrator.say(&format!(
        "   every transfer from 1 to {} is back, none half, each value as it was written; all balances agree ({} values)",
        proof.last, proof.values
    ));
    tell(&tables, narrator);
    if !sqlite::faults(&database, "check the restored database", &console)?.is_empty() {
        return Err(failed("the restored database does not pass the integrity check"));
    }
    narrator.say("   PRAGMA integrity_check: ok; no -wal, -shm or -journal stands beside it");
    let facts = SampleFacts {
        backend: "sqlite",
        sample: true,
        committed_when_backup_began: before,
        last_in_snapshot: proof.last,
        last_committed: last,
        damage: done,
        refused: ["database in use", "truncated backup"],
        tables: facts(&tables),
        values_compared: proof.values,
        integrity_check: "ok",
        seconds: seconds(begun.elapsed()),
    };
    Outcome::new(vec![passed(begun.elapsed())], facts)
}

#[derive(Serialize)]
struct SampleFacts<'a> {
    backend: &'static str,
    sample: bool,
    committed_when_backup_began: i64,
    last_in_snapshot: i64,
    last_committed: i64,
    damage: Damage,
    refused: [&'static str; 2],
    tables: Vec<TableFacts<'a>>,
    values_compared: u64,
    integrity_check: &'static str,
    seconds: f64,
}

#[derive(Serialize)]
struct TableFacts<'a> {
    table: &'a str,
    rows: u64,
    sha256: &'a str,
}

fn facts(tables: &[TableDigest]) -> Vec<TableFacts<'_>> {
    tables.iter().map(|t| TableFacts { table: &t.table, rows: t.rows, sha256: &t.sha256 }).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What SQLite finds wrong with the damaged database. A copy is looked at: the evidence stays as it is.
fn broken_how(database: &Path, reporter: &dyn Reporter) -> Result<String> {
    let copy = database.with_extension("looked-at");
    fs::copy(database, &copy).map_err(|e| io_error("copy the damaged database", &copy, e))?;
    let faults = match sqlite::faults(&copy, "look at the damaged database", reporter) {
        Ok(faults) => faults,
        Err(e) => vec![e.to_string()],
    };
    fs::remove_file(&copy).map_err(|e| io_error("remove the copy of the damaged database", &copy, e))?;
    match faults.first() {
        Some(first) => Ok(first.clone()),
        None => Err(failed("the damage was not noticed by SQLite, so that the drill would prove nothing")),
    }
}

fn cut_copy(from: &Path, to: &Path) -> Result<()> {
    let cut = || -> std::io::Result<()> {
        let length = fs::copy(from, to)?;
        fs::OpenOptions::new().write(true).open(to)?.set_len(length / 2)
    };
    cut().map_err(|e| io_error("make half a backup file", to, e))
}

/// Fails unless both databases hold the same tables with the same rows.
fn compare(one: &Path, other: &Path, reporter: &dyn Reporter) -> Result<Vec<TableDigest>> {
    let (expected, found) = (sqlite::digest_file(one, reporter)?, sqlite::digest_file(other, reporter)?);
    for table in &expected {
        match found.iter().find(|t| t.table == table.table) {
            Some(same) if same == table => {}
            Some(different) => {
                return Err(failed(format!(
                    "table {} differs: {} rows with checksum {}, expected {} rows with {}",
                    table.table, different.rows, different.sha256, table.rows, table.sha256
                )));
            }
            None => return Err(failed(format!("table {} is missing", table.table))),
        }
    }
    if found.len() != expected.len() {
        return Err(failed(format!("{} tables, expected {}", found.len(), expected.len())));
    }
    Ok(expected)
}

fn tell(tables: &[TableDigest], narrator: &Narrator) {
    let width = tables.iter().map(|t| t.table.chars().count()).max().unwrap_or(0).max(5);
    narrator.say(&format!(
        "   {:width$} {:>12}  SHA-256 of all its rows, same in backup and restored database",
        "table", "rows"
    ));
    for table in tables {
        let short = table.sha256.get(..32).unwrap_or(&table.sha256);
        narrator.say(&format!("   {:width$} {:>12}  {short}...", table.table, table.rows));
    }
}

/// The drill with a database of the user's, which is only read.
pub(super) fn rehearse(
    database: &Path,
    parent: Option<&Path>,
    narrator: &Narrator,
    common: &Common,
) -> Result<Outcome> {
    let begun = Instant::now();
    let console = Console::new(common);
    let scratch = Scratch::new(parent, &console)?;
    let saved = scratch.path().join("backup.db");
    let copy = scratch.path().join("restored.db");
    narrator.say(&format!("lifeboat: drill with {}", database.display()));

    let original = sqlite::digest_file(database, &console)?;
    let backup = sqlite::backup(database, &saved, &BackupOptions::default(), &console)?;
    narrator.say(&format!("1. backed up: {}, integrity check passed", mebibytes(backup.bytes)));

    sqlite::restore(&saved, &copy, &RestoreOptions::default().force(true), &console)?;
    narrator.say("2. restored in a scratch folder, integrity check passed");

    let tables = compare(&saved, &copy, &console)?;
    // Two equal looks at the original, before and after, mean that it had not changed when the backup was made.
    let untouched = original == sqlite::digest_file(database, &console)?;
    if untouched && original != tables {
        return Err(failed("nobody wrote to the database, but the backup does not hold the same rows"));
    }
    narrator.say("3. compared:");
    tell(&tables, narrator);
    narrator.say(if untouched {
        "   the database itself holds the same rows"
    } else {
        "   the database was written to meanwhile, so that it was not compared with the backup"
    });
    let facts = RehearsalFacts {
        backend: "sqlite",
        sample: false,
        database: database.to_string_lossy(),
        bytes: backup.bytes,
        tables: facts(&tables),
        compared_with_database: untouched,
        integrity_check: "ok",
        seconds: seconds(begun.elapsed()),
    };
    Outcome::new(vec![passed(begun.elapsed())], facts)
}

#[derive(Serialize)]
struct RehearsalFacts<'a> {
    backend: &'static str,
    sample: bool,
    database: Cow<'a, str>,
    bytes: u64,
    tables: Vec<TableFacts<'a>>,
    compared_with_database: bool,
    integrity_check: &'static str,
    seconds: f64,
}
