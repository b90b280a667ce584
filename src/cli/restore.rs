//! `lifeboat restore`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::archive::open;
use super::database::DatabaseArgs;
use super::flags::pair;
use super::progress::Console;
use super::report::{Outcome, mebibytes};
use super::{Common, exit, given};
use crate::connect::{Database, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::restore::{self, RestoreOptions, RestoreSummary};
use crate::progress::{Level, Message, Reporter};
use crate::sqlite::{self, Move};

const EXAMPLES: &str = "\
Examples:
  lifeboat restore app-2026-04-24.db --url sqlite:////srv/app/app.db --force
  lifeboat restore app.dump --url postgresql://app@db.example/app --force
  lifeboat restore app.dump --url postgresql:///app --force -1 --owner --acl

Without --force nothing is changed, and what would be replaced is told (exit code 4).

SQLite: the application must be stopped. The database that was there is kept beside
the restored one as *.pre-restore-bak, with its -wal, -shm and -journal; to move it
back, move all of them back.

PostgreSQL: as pg_restore --clean --if-exists --no-owner --no-acl does it; it can be
repeated.";

/// Restore a database from a backup file; refuses without --force, and says what it would replace
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The backup file; - is standard input (PostgreSQL only)
    #[arg(value_name = "PATH")]
    path: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Go ahead and replace what is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    postgres: PostgresArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PostgreSQL")]
struct PostgresArgs {
    /// Drop each object before creating it (the default)
    #[arg(long, short = 'c', overrides_with = "no_clean")]
    clean: bool,
    /// Drop nothing
    #[arg(long, overrides_with = "clean")]
    no_clean: bool,
    /// Drop with IF EXISTS, so that what is not there is no error (the default)
    #[arg(long, overrides_with = "no_if_exists")]
    if_exists: bool,
    /// Drop without IF EXISTS
    #[arg(long, overrides_with = "if_exists")]
    no_if_exists: bool,
    /// Give objects to the owners that the archive names
    #[arg(long, overrides_with = "no_owner")]
    owner: bool,
    /// Leave objects to the role that restores (the default)
    #[arg(long, short = 'O', overrides_with = "owner")]
    no_owner: bool,
    /// Restore privileges (GRANT, REVOKE)
    #[arg(long, visible_alias = "privileges", overrides_with = "no_acl")]
    acl: bool,
    /// Restore no privileges (the default)
    #[arg(long, short = 'x', visible_alias = "no-privileges", overrides_with = "acl")]
    no_acl: bool,
    /// Everything in one transaction: all of it, or nothing
    #[arg(long, short = '1')]
    single_transaction: bool,
    /// Stop at the first error instead of going on and counting them
    #[arg(long, short = 'e')]
    exit_on_error: bool,
    /// How many connections write
    #[arg(long, short = 'j', value_name = "N", conflicts_with = "single_transaction", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let console = Console::new(common);
    let begun = Instant::now();
    match args.database.database()? {
        Database::Sqlite(target) => {
            common.given.check(given::SQLITE)?;
            let database = std::path::absolute(&target.path).unwrap_or(target.path);
            let options = sqlite::RestoreOptions { force: args.force };
            if args.path == Path::new("-") {
                return Err(Error::new(ErrorKind::Usage, format!("restore {}", database.display()))
                    .why("an SQLite backup cannot come from standard input")
                    .hint("give the name of a file"));
            }
            let summary = sqlite::restore(&args.path, &database, &options, &console)?;
            Ok(sqlite_report(&args.path, &summary, begun.elapsed()))
        }
        Database::Postgres(target) => {
            if args.postgres.jobs.is_some_and(|jobs| jobs > 1) {
                console.message(Message {
                    level: Level::Warning,
                    subject: "--jobs".into(),
                    text: "a restore uses one connection for now".into(),
                });
            }
            let mut archive = open(&args.path, &format!("restore {}", args.path.display()))?;
            let mut connection = target.connect()?;
            let options = args.postgres.options(args.force);
            let summary = restore::restore(&mut connection, &mut archive, &options, &console)?;
            Ok(postgres_report(&args.path, &target, &summary, begun.elapsed()))
        }
    }
}

impl PostgresArgs {
    fn options(&self, force: bool) -> RestoreOptions {
        RestoreOptions {
            force,
            clean: pair(self.clean, self.no_clean, true),
            if_exists: pair(self.if_exists, self.no_if_exists, true),
            owner: pair(self.owner, self.no_owner, false),
            acl: pair(self.acl, self.no_acl, false),
            single_transaction: self.single_transaction,
            exit_on_error: self.exit_on_error,
            ..RestoreOptions::default()
        }
    }
}

fn sqlite_report(input: &Path, summary: &sqlite::RestoreSummary, took: Duration) -> Outcome {
    let mut lines = vec![
        "lifeboat: restore complete".to_owned(),
        "backend: sqlite".to_owned(),
        format!("database: {}", summary.database.display()),
        format!("size: {}", mebibytes(summary.bytes)),
    ];
    let told = |verb: &str, moves: &[Move]| {
        moves.iter().map(|m| format!("{verb}: {} -> {}", m.from.display(), m.to.display())).collect::<Vec<_>>()
    };
    lines.extend(told("earlier", &summary.earlier));
    lines.extend(told("previous", &summary.moved));
    if !summary.moved.is_empty() {
        lines.push("lifeboat: the previous database is kept; remove it when the restored one has proved good.".into());
    }
    let moves = |moves: &[Move]| {
        moves
            .iter()
            .map(|m| json!({"from": m.from.to_string_lossy(), "to": m.to.to_string_lossy()}))
            .collect::<Vec<_>>()
    };
    let result = json!({
        "backend": "sqlite",
        "input": input.to_string_lossy(),
        "database": summary.database.to_string_lossy(),
        "bytes": summary.bytes,
        "journal_mode": summary.journal_mode.name(),
        "previous": moves(&summary.moved),
        "earlier": moves(&summary.earlier),
        "integrity_check": "ok",
        "seconds": took.as_millis() as f64 / 1000.0,
    });
    Outcome::new(lines, result)
}

fn postgres_report(input: &Path, target: &Target, summary: &RestoreSummary, took: Duration) -> Outcome {
    let failed = summary.failed_entries();
    let count = match failed {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    let (headline, code) = if summary.rolled_back {
        ("restore failed and was rolled back: nothing was changed".to_owned(), exit::FAILED)
    } else if summary.stopped {
        ("restore stopped at the first error: what was restored before it remains".to_owned(), exit::FAILED)
    } else if summary.is_complete() {
        ("restore complete".to_owned(), exit::SUCCESS)
    } else {
        (format!("restore finished, but {count} failed; each is told above"), exit::INCOMPLETE)
    };
    let lines = vec![
        format!("lifeboat: {headline}"),
        "backend: postgresql".to_owned(),
        target.describe().replacen("database ", "database: ", 1),
        format!("entries: {} restored, {failed} failed", summary.entries),
        format!("rows: {}", summary.rows),
        format!("data: {}", mebibytes(summary.bytes)),
    ];
    let errors: Vec<_> = summary
        .errors
        .iter()
        .map(|e| {
            json!({
                "id": e.entry.dump_id.0,
                "entry": e.entry.to_string(),
                "message": e.message,
                "sqlstate": e.sqlstate,
                "detail": e.detail,
                "hint": e.hint,
                "context": e.context,
                "statement": e.statement,
            })
        })
        .collect();
    let result = json!({
        "backend": "postgresql",
        "input": input.to_string_lossy(),
        "database": target.database().to_string(),
        "entries": summary.entries,
        "rows": summary.rows,
        "bytes": summary.bytes,
        "large_objects": summary.large_objects,
        "dropped": summary.dropped,
        "errors": errors,
        "skipped": summary.skipped.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "stopped": summary.stopped,
        "rolled_back": summary.rolled_back,
        "seconds": took.as_millis() as f64 / 1000.0,
    });
    let mut outcome = Outcome::new(lines, result);
    outcome.code = code;
    outcome
}
