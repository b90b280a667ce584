//! `lifeboat restore`.

mod dry_run;
mod globals;
mod options;
mod report;
mod script;
mod swap;

use std::path::{Path, PathBuf};
use std::time::Instant;

use bstr::BStr;
use pgformat::Entry;

use super::archive::{explain_damage, open};
use super::backend_options;
use super::common::Common;
use super::database::DatabaseArgs;
use super::progress::Console;
use super::report::Outcome;
use crate::console::standard_streams;
use crate::postgres::restore;
use crate::{Database, Error, ErrorKind, Result, sqlite};
use options::PostgresArgs;

const EXAMPLES: &str = "\
Examples:
  lifeboat restore app-2026-04-24.db --url sqlite:////srv/app/app.db --force
  lifeboat restore app.dump --url postgresql://app@db.example/app --force
  lifeboat restore app.dump --url postgresql:///app --force -1 --owner --acl
  lifeboat restore app.dump --url postgresql:///app --force --table orders --data-only
  lifeboat restore app.dump --url postgresql:///app --table orders --dry-run
  lifeboat restore app.dump --url postgresql:///app --swap --disconnect --owner --acl --force
      into a new database, which takes the place of the one that is there in the end
  lifeboat list app.dump >chosen && vi chosen && lifeboat restore app.dump --use-list chosen --force
  lifeboat restore app.dump --script app.sql
      for psql; no database is needed
  lifeboat restore --globals roles.sql --url postgresql://postgres@db.example/postgres --force
      roles and tablespaces

Without --force nothing is changed, and what would be replaced is told (exit code 4).
What is not in the archive is not dropped: where it would go along with what is replaced,
as a partition that was made later does, nothing is changed, and it is named (exit code 4).
--dry-run lists each entry that would be restored, as `lifeboat list` does.

SQLite: the application must be stopped. The database that was there is kept beside
the restored one as *.pre-restore-bak, with its -wal, -shm and -journal; to move it
back, move all of them back.

PostgreSQL: as pg_restore --clean --if-exists --no-owner --no-acl does it; it can be
repeated. The other options have the names and the meaning that they have there.
With --swap the database that was there is kept as NAME_pre_restore_bak.";

/// Restore a database from a backup file; refuses without --force, and says what it would replace
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The backup file; - is standard input (PostgreSQL only)
    #[arg(value_name = "PATH", required_unless_present = "globals", conflicts_with = "globals")]
    path: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Go ahead and replace what is there
    #[arg(long)]
    force: bool,
    /// Say what would be restored and what would be replaced, and change nothing; needs no --force
    #[arg(long, conflicts_with = "script")]
    dry_run: bool,
    /// Restore roles and tablespaces, which are in no database, from this file, as lifeboat backup --globals and pg_dumpall
    /// --globals-only write it; - is standard input. With --force, those that are there already are altered
    #[arg(long, value_name = "FILE", conflicts_with = "script", help_heading = "PostgreSQL: roles and tablespaces")]
    globals: Option<PathBuf>,
    #[command(flatten)]
    postgres: PostgresArgs,
}

impl Args {
    /// Whether a script goes to standard output.
    pub(crate) fn takes_stdout(&self) -> bool {
        self.postgres.script.path().is_some_and(standard_streams::is_output)
    }
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let console = Console::new(common);
    let begun = Instant::now();
    args.postgres.check()?;
    let input = args.path.clone().unwrap_or_default();
    if let Some(path) = args.postgres.script.path() {
        if args.database.is_given() {
            return Err(Error::new(ErrorKind::Usage, format!("write {}", path.display()))
                .why("--script writes what psql can run later, and --url says where to restore now")
                .hint("leave out the one or the other"));
        }
        return script::write(&input, path, args.force, &args.postgres, &console);
    }
    let database = args.database.database(&common.cancellation)?;
    DatabaseArgs::tell_notes(&database, &console);
    match database {
        Database::Sqlite(target) => {
            common.given.check(backend_options::SQLITE)?;
            let database = std::path::absolute(&target.path).unwrap_or(target.path);
            let options = sqlite::RestoreOptions::default().force(args.force);
            let doing = || format!("restore {}", database.display());
            if input == Path::new("-") {
                return Err(Error::new(ErrorKind::Usage, doing())
                    .why("an SQLite backup cannot come from standard input")
                    .hint("give the name of a file"));
            }
            if args.dry_run {
                return dry_run::of_sqlite(&input, &sqlite::preview(&input, &database)?);
            }
            let summary = sqlite::restore(&input, &database, &options, &console)?;
            report::of_sqlite(&input, &summary, begun.elapsed())
        }
        Database::Postgres(target) if args.globals.is_some() => {
            let others = common.given.others_than(globals::OPTIONS);
            if !others.is_empty() {
                return Err(globals::refused(&others));
            }
            let how = globals::How {
                force: args.force,
                dry_run: args.dry_run,
                exit_on_error: args.postgres.exits_on_error(),
            };
            globals::run(&args.globals.unwrap_or_default(), &target, how, &console)
        }
        Database::Postgres(target) if args.postgres.swaps() => {
            let how = swap::How {
                force: args.force,
                dry_run: args.dry_run,
                disconnect: args.postgres.disconnects(),
                wait: args.postgres.lock_wait(),
            };
            let options = |entries: &[Entry]| args.postgres.options(args.force, entries, &console);
            swap::run(&input, &target, how, options, &console)
        }
        Database::Postgres(target) => {
            let mut archive = open(&input, &format!("restore {}", input.display()))?;
            let options = args.postgres.options(args.force, archive.entries(), &console)?;
            let elsewhere = |database: &BStr| target.with_database(database).connect();
            if args.dry_run {
                let mut connection = target.connect()?;
                let preview = restore::preview(&mut connection, &elsewhere, &mut archive, &options, &console)
                    .map_err(|error| explain_damage(error, &archive))?;
                return dry_run::of_postgres(&input, &target, &preview, archive.entries());
            }
            let connect = || target.connect();
            let summary = restore::restore_from(connect, &elsewhere, &mut archive, &options, &console)
                .map_err(|error| explain_damage(error, &archive))?;
            let created = archive.entries().iter().find(|e| e.desc.as_ref().is_some_and(|desc| desc == "DATABASE"));
            let target = match created.and_then(|entry| entry.tag.clone()).filter(|_| options.create) {
                Some(name) => &target.with_database(name),
                None => &*target,
            };
            report::of_postgres(&input, target, &summary, begun.elapsed())
        }
    }
}
