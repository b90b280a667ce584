//! `lifeboat status`.

mod backup;
mod comparison;
mod database;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use self::comparison::{Comparison, compare};
use self::table::{Contents, Source};
use super::backend_options;
use super::common::Common;
use super::database::DatabaseArgs;
use super::progress::Console;
use super::report::Outcome;
use crate::{Database, Result};

const EXAMPLES: &str = "\
Examples:
  lifeboat status --url postgresql://app@db.example/app
  lifeboat status --url postgresql://app@db.example/app --exact
  lifeboat status app.dump
  lifeboat status app.dump --url postgresql://app@db.example/app --exact
      side by side, with what differs
  lifeboat status app-2026-04-24.db --compare --json
      the URL of the database is in the environment

The rows of a PostgreSQL database are estimated from the catalog, unless --exact has every
table read; those of a backup and of an SQLite database are always counted.";

/// Show the tables of a database or of a backup, with their rows and sizes, or both side by side
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A backup: an archive of a PostgreSQL database (- is standard input), or an SQLite database. Alone, no database is looked at
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Look at the database that the environment names, too
    #[arg(long, requires = "file")]
    compare: bool,
    #[command(flatten)]
    postgres: PostgresArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PostgreSQL")]
struct PostgresArgs {
    /// Count the rows of the database, which reads every table under a lock that keeps nobody from writing
    #[arg(long)]
    exact: bool,
    /// Take this role, once connected
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Fail if a lock is not granted within this time, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(1..=i64::from(i32::MAX) as u64))]
    lock_wait_timeout: u64,
}

#[derive(Serialize)]
struct Facts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'a Contents>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<&'a Contents>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let console = Console::new(common);
    let database = match args.file.is_none() || args.compare || args.database.is_given() {
        true => Some(args.database.database(&common.cancellation)?),
        false => None,
    };
    match &database {
        Some(Database::Postgres(_)) => common.given.check(backend_options::POSTGRES)?,
        Some(Database::Sqlite(_)) => common.given.check(backend_options::SQLITE)?,
        None => {}
    }
    if let Some(database) = &database {
        DatabaseArgs::tell_notes(database, &console);
    }
    // The backup may not be one, which is soon seen.
    let backup = args.file.as_deref().map(|file| backup::contents(file, &console)).transpose()?;
    let PostgresArgs { exact, role, lock_wait_timeout } = args.postgres;
    let wait = Duration::from_millis(lock_wait_timeout);
    let database = database.map(|database| database::contents(&database, exact, role, wait, &console)).transpose()?;
    let comparison = database.as_ref().zip(backup.as_ref()).map(|(database, backup)| compare(database, backup));
    let lines = match (&database, &backup, &comparison) {
        (Some(database), Some(backup), Some(comparison)) => comparison.lines(database, backup),
        (Some(one), ..) | (None, Some(one), _) => one.lines(),
        (None, None, _) => Vec::new(),
    };
    let facts = Facts { database: database.as_ref(), backup: backup.as_ref(), comparison: comparison.as_ref() };
    Outcome::new(lines, facts)
}

/// What the two are called in a comparison.
fn word(source: Source) -> &'static str {
    match source {
        Source::Database => "database",
        Source::Backup => "backup",
    }
}
