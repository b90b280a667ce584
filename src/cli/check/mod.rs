//! `lifeboat check`.

mod age;
mod collected;
mod configuration;
mod finding;
mod newest;
mod postgres;
mod prometheus;
mod room;
mod sqlite;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use self::finding::{Finding, Findings, Level};
use super::amounts::{counted, seconds};
use super::backend_options;
use super::backup::name::Fields;
use super::backup::postgres::PostgresArgs;
use super::common::Common;
use super::database::DatabaseArgs;
use super::exit::{self, Code};
use super::progress::Console;
use super::report::Outcome;
use crate::{Database, Message, Reporter, Result};

const EXAMPLES: &str = "\
Examples:
  lifeboat check --url postgresql://app@db.example/app
  lifeboat check --output '/var/backups/{database}/%F.dump' --backups /var/backups/app --max-age 26h
      the URL is in the environment
  lifeboat check --url sqlite:////srv/app/app.db --integrity --json
  lifeboat check --backups /var/backups/app --max-age 26h --nagios --quiet
  lifeboat check --prometheus /var/lib/node_exporter/lifeboat.prom

Nothing is changed, and no table is locked. It takes the options of lifeboat backup that say
what of a PostgreSQL database goes into a backup, and tells what that backup would meet.

Exit codes: 0 if a backup is possible and the newest is as it should be, notes
included; 3 if there are warnings; 1 if something failed. With --nagios those of
monitoring plugins: 0, 1 for warnings, 2 if something failed.";

/// Check whether the database can be backed up, and whether there is a backup to rely on
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Where backups are going to be written, named as for lifeboat backup: whether that is possible, and whether there is room
    #[arg(long, short = 'o', short_alias = 'f', visible_alias = "file", value_name = "PATH")]
    output: Option<PathBuf>,
    /// A backup, or a folder: how old the newest backup of this database in it is, and whether it is sound. It looks inside
    #[arg(long, value_name = "PATH")]
    backups: Option<PathBuf>,
    /// Fail if the newest backup is older: 90min, 26h, 7d
    #[arg(long, value_name = "TIME", requires = "backups", value_parser = age::age)]
    max_age: Option<Duration>,
    /// Do not read the newest backup to its end to see whether it is sound
    #[arg(long, requires = "backups")]
    no_verify: bool,
    /// Write what was found as metrics in Prometheus' text format, too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    prometheus: Option<PathBuf>,
    /// End with the exit codes of monitoring plugins, and begin with one line that sums up
    #[arg(long, help_heading = "Output")]
    nagios: bool,
    #[command(flatten)]
    sqlite: SqliteArgs,
    #[command(flatten)]
    postgres: Box<PostgresArgs>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "SQLite")]
struct SqliteArgs {
    /// Check the whole database (PRAGMA integrity_check), which reads all of it
    #[arg(long)]
    integrity: bool,
}

#[derive(Serialize)]
struct Facts<'a> {
    status: Level,
    backend: &'static str,
    database: String,
    findings: &'a [Finding],
    counts: Counts,
    seconds: f64,
}

/// How many findings there are of the levels that count.
#[derive(Serialize)]
struct Counts {
    failed: u64,
    warnings: u64,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let begun = Instant::now();
    let console = Console::new(common);
    let database = args.database.database(&common.cancellation)?;
    let fields = Fields::of(&database);
    let mut findings = Findings::default();
    configuration::check(&args.database, &database, &mut findings);
    let (backend, shown, bytes) = match &database {
        Database::Sqlite(target) => {
            common.given.check(backend_options::SQLITE)?;
            let bytes = sqlite::check(&target.path, args.sqlite.integrity, &console, &mut findings)?;
            ("sqlite", target.path.display().to_string(), bytes)
        }
        Database::Postgres(target) => {
            common.given.check(backend_options::POSTGRES)?;
            let options = args.postgres.options(Duration::ZERO)?;
            let bytes = postgres::check(target, &options, &console, &mut findings)?;
            ("postgresql", target.describe(), bytes)
        }
    };
    let newest = match &args.backups {
        Some(path) => newest::check(path, &database, (args.max_age, !args.no_verify), &console, &mut findings)?,
        None => None,
    };
    if let Some(output) = &args.output {
        room::check(&fields.fill(output)?, newest.or(bytes), &mut findings);
    }
    if let Some(path) = &args.prometheus {
        // Of what was found, the report tells all the same.
        if let Err(error) = prometheus::write(path, &name(&database), &findings, &console) {
            findings.add(Finding::of_error(Level::Failed, "prometheus", &error));
        }
    }
    if common.quiet && !common.json {
        tell_what_is_wrong(&findings, &console);
    }
    let status = findings.worst();
    let facts = Facts {
        status,
        backend,
        database: shown,
        findings: &findings.0,
        counts: Counts { failed: findings.count(Level::Failed), warnings: findings.count(Level::Warning) },
        seconds: seconds(begun.elapsed()),
    };
    let mut lines: Vec<String> = findings.0.iter().map(Finding::line).collect();
    let summary = summary(&findings);
    let at = if args.nagios { 0 } else { lines.len() };
    lines.insert(at, summary);
    Ok(Outcome { code: code(status, args.nagios), ..Outcome::new(lines, facts)? })
}

/// The name of the database: for an SQLite one, that of its file.
fn name(database: &Database) -> String {
    match database {
        Database::Sqlite(target) => target.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        Database::Postgres(target) => target.database().to_string(),
    }
}

fn code(status: Level, nagios: bool) -> Code {
    match (status, nagios) {
        (Level::Ok | Level::Note, _) => exit::SUCCESS,
        (Level::Warning, false) => exit::INCOMPLETE,
        (Level::Failed, false) => exit::FAILED,
        (Level::Warning, true) => exit::PLUGIN_WARNING,
        (Level::Failed, true) => exit::PLUGIN_CRITICAL,
    }
}

/// `lifeboat: check: failed: 2 failed, 1 warning, 9 ok`.
fn summary(findings: &Findings) -> String {
    let number = |level| findings.count(level);
    let mut parts = Vec::new();
    if number(Level::Failed) > 0 {
        parts.push(format!("{} failed", number(Level::Failed)));
    }
    for (level, one, many) in [(Level::Warning, "warning", "warnings"), (Level::Note, "note", "notes")] {
        if number(level) > 0 {
            parts.push(counted(number(level), one, many));
        }
    }
    parts.push(format!("{} ok", number(Level::Ok)));
    format!("lifeboat: check: {}: {}", findings.worst().word(), parts.join(", "))
}

/// For who wants to hear of nothing else.
fn tell_what_is_wrong(findings: &Findings, console: &Console) {
    for finding in findings.0.iter().filter(|finding| finding.level >= Level::Warning) {
        let level = if finding.level == Level::Failed { crate::Level::Error } else { crate::Level::Warning };
        let hint = finding.hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        console.message(Message::new(level, finding.check, format!("{}{hint}", finding.message)));
    }
}

/// A path as messages show it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
