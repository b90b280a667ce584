//! `lifeboat backup`.

mod afterwards;
mod archive;
mod each;
mod globals;
pub(in crate::cli) mod name;
mod plain;
pub(in crate::cli) mod postgres;
mod rows;
mod selection;
mod standby;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use self::afterwards::AfterwardsArgs;
use self::archive::ArchiveFormat;
use self::globals::{GlobalsArgs, GlobalsFacts};
use self::name::{Fields, MadeFolders};
use self::postgres::PostgresArgs;
use super::amounts::{mebibytes, seconds};
use super::backend_options;
use super::backups::Origin;
use super::common::Common;
use super::database::DatabaseArgs;
use super::progress::Console;
use super::prune::{self, Policy};
use super::report::Outcome;
use crate::console::standard_streams;
use crate::sqlite::{self, BackupOptions};
use crate::{Database, Error, ErrorKind, Existing, Reporter, Result};

const EXAMPLES: &str = "\
Examples:
  lifeboat backup --url sqlite:////srv/app/app.db --output /var/backups/app-%F.db
  lifeboat backup --url postgresql://app@db.example/app --output app.dump
  lifeboat backup --output app.dump --compress zstd:3 --acl
      the URL is in the environment
  lifeboat backup --output audit.dump --schema audit --exclude-table-data 'audit.*_log'
  lifeboat backup --url postgresql:///app --output - | ssh other 'cat > app.dump'
  lifeboat backup --url postgresql:///app --format plain --owner --acl --output app.sql
  lifeboat backup -U postgres -d postgres --all-databases --output '{database}-%F.dump' --globals roles-%F.sql
  lifeboat backup --url postgresql:///app --format directory --jobs 4 --output app.dir

The application may go on working. The output appears when it is complete, or not
at all. A PostgreSQL archive is in pg_dump's custom format (-Fc), or in the one that
--format names: pg_restore reads it, and so does lifeboat restore. A backup in plain
format is an SQL script, which psql runs.";

/// Back up a database into one file, or a folder, while the application goes on working
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The file to write, or with --format directory the folder; - is standard output (PostgreSQL only). {database}, {host} and strftime's
    /// fields (%F, %H%M) in the name stand for what is backed up, and when that began. Folders on the way are made
    #[arg(
        long,
        short = 'o',
        short_alias = 'f',
        visible_alias = "file",
        value_name = "PATH",
        required_unless_present = "globals"
    )]
    output: Option<PathBuf>,
    /// Replace an existing file, or folder of an archive, as soon as the new one is complete
    #[arg(long)]
    force: bool,
    /// Fail if a lock is not granted within this time, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(1..=i64::from(i32::MAX) as u64))]
    lock_wait_timeout: u64,
    /// When the backup is complete, remove older ones of this database from its folder, but for those that these rules keep, as
    /// lifeboat prune does: last=7,daily=14,weekly=8,monthly=12,yearly=3
    #[arg(long, value_name = "RULES", requires = "output", value_parser = Policy::parse, help_heading = "Output file")]
    prune_keep: Option<Policy>,
    /// Back up every database of the server that can be connected to, but for templates, each into a file of its own: the name must have
    /// {database} in it. The one that is named is where the others are asked for. Roles and tablespaces are saved with --globals
    #[arg(long, requires = "output", help_heading = "PostgreSQL")]
    all_databases: bool,
    #[command(flatten)]
    afterwards: AfterwardsArgs,
    #[command(flatten)]
    sqlite: SqliteArgs,
    #[command(flatten)]
    globals: GlobalsArgs,
    #[command(flatten)]
    postgres: PostgresArgs,
}

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "SQLite")]
struct SqliteArgs {
    /// Write a compacted copy (VACUUM INTO): smaller, and free of what was deleted
    #[arg(long, overrides_with = "no_compact")]
    compact: bool,
    /// Copy the pages as they are (the default)
    #[arg(long, overrides_with = "compact")]
    no_compact: bool,
}

impl Args {
    /// Whether the backup, or a part of it, goes to standard output.
    pub(crate) fn takes_stdout(&self) -> bool {
        self.output_takes_stdout() || self.globals.takes_stdout()
    }

    /// What is to be done about older backups, if anything is. An SQLite database is looked into before it is backed up.
    fn pruning(&self, database: &Database, console: &Console) -> Result<Option<Pruning>> {
        let (Some(policy), Some(output)) = (self.prune_keep, &self.output) else { return Ok(None) };
        let is_plain = matches!(database, Database::Postgres(_)) && self.postgres.format() == ArchiveFormat::Plain;
        if is_plain || standard_streams::is_output(output) || (output.exists() && !output.is_file() && !output.is_dir())
        {
            return Err(Error::new(ErrorKind::Usage, "use --prune-keep")
                .why("the backup is no archive under a name of its own, which could be known again")
                .hint("leave it out, or choose another --output or --format"));
        }
        let origin = Origin::of(database, console.cancellation())?;
        Ok(Some(Pruning { policy, origin, output: output.clone() }))
    }

    fn output_takes_stdout(&self) -> bool {
        self.output.as_deref().is_some_and(standard_streams::is_output)
    }
}

/// What is done about older backups.
struct Pruning {
    policy: Policy,
    origin: Origin,
    output: PathBuf,
}

impl Pruning {
    /// Removes them, and says so in the report.
    fn finish(self, outcome: &mut Outcome, console: &Console) -> Result<()> {
        let complete = format!("the backup itself is complete: {}", self.output.display());
        let pruned = prune::after_backup(&self.output, &self.origin, self.policy, console);
        let pruned = pruned.map_err(|error| match error.advice() {
            None => error.hint(complete.as_str()),
            Some(_) => error,
        })?;
        if pruned.failed() > 0 {
            return Err(Error::new(ErrorKind::Io, "remove all older backups that are not kept")
                .why("each that is left is named above")
                .hint(complete));
        }
        // Before the advice.
        let at = outcome.lines.len().saturating_sub(1);
        outcome.lines.insert(at, pruned.line());
        let (number, bytes) = pruned.gone();
        outcome.json["pruned"] = serde_json::json!({ "backups": number, "bytes": bytes });
        Ok(())
    }
}

/// The file to write, without which there is nothing to do.
fn named(output: Option<&Path>) -> Result<&Path> {
    output.ok_or_else(|| {
        Error::new(ErrorKind::Usage, "make a backup").why("no file is named for it").hint("name one with --output")
    })
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let console = Console::new(common);
    let database = args.database.database(&common.cancellation)?;
    DatabaseArgs::tell_notes(&database, &console);
    let fields = Fields::of(&database);
    if args.all_databases {
        return each::run(args, database, &fields, &console, common);
    }
    one(args, database, &fields, &console, common)
}

/// Backs up one database.
fn one(args: Args, database: Database, fields: &Fields, console: &Console, common: &Common) -> Result<Outcome> {
    let output = args.output.as_deref().map(|output| fields.fill(output)).transpose()?;
    let (globals, afterwards) = (args.globals.filled(fields)?, args.afterwards.filled(fields)?);
    let args = Args { output, globals, afterwards, ..args };
    let paths = [args.output.as_deref(), args.globals.path()];
    let folders = paths.into_iter().flatten().map(MadeFolders::on_the_way_to).collect::<Result<Vec<MadeFolders>>>()?;
    let existing = if args.force { Existing::Replace } else { Existing::Refuse };
    let afterwards = args.output.as_deref().map(|output| {
        let is_folder = matches!(database, Database::Postgres(_)) && args.postgres.format() == ArchiveFormat::Directory;
        let is_special = output.exists() && !output.is_file();
        let is_file = !is_folder && !is_special && !standard_streams::is_output(output);
        args.afterwards.prepare((output, is_file), existing, console)
    });
    let afterwards = afterwards.transpose()?;
    let pruning = args.pruning(&database, console)?;
    let mut outcome = back_up(args, database, existing, console, common)?;
    folders.into_iter().for_each(MadeFolders::keep);
    afterwards.map(|afterwards| afterwards.finish(&mut outcome)).transpose()?;
    pruning.map(|pruning| pruning.finish(&mut outcome, console)).transpose()?;
    Ok(outcome)
}

fn back_up(args: Args, database: Database, existing: Existing, console: &Console, common: &Common) -> Result<Outcome> {
    let begun = Instant::now();
    let to_stdout = args.output_takes_stdout();
    match database {
        Database::Sqlite(target) => {
            common.given.check(backend_options::SQLITE)?;
            let database = target.path;
            let options = BackupOptions {
                compact: args.sqlite.compact,
                existing,
                lock_wait: Duration::from_millis(args.lock_wait_timeout),
            };
            if to_stdout {
                return Err(Error::new(ErrorKind::Usage, format!("back up {}", database.display()))
                    .why("an SQLite backup is checked before it is given out, so it cannot go to standard output")
                    .hint("give the name of a file"));
            }
            let summary = sqlite::backup(&database, named(args.output.as_deref())?, &options, console)?;
            let facts = SqliteFacts {
                journal_mode: summary.journal_mode.name(),
                compact: options.compact,
                integrity_check: "ok",
                violations: summary.violations,
            };
            report("sqlite", ("file", &summary.output), summary.bytes, begun.elapsed(), facts)
        }
        Database::Postgres(target) => {
            common.given.check(backend_options::POSTGRES)?;
            let (format, owner) = (args.postgres.format(), args.postgres.owner());
            let pauses = args.postgres.pauses_replay();
            let options = args.postgres.options(Duration::from_millis(args.lock_wait_timeout))?;
            let connect = || target.connect();
            if to_stdout && args.globals.takes_stdout() {
                return Err(Error::new(ErrorKind::Usage, "write two files to standard output")
                    .hint("give the name of a file to --output or to --globals"));
            }
            let globals = args.globals.write(&connect, &options, existing, console)?;
            let (output, globals) = match (args.output.as_deref(), globals) {
                (None, Some(globals)) => return globals.alone(begun.elapsed()),
                (output, globals) => (named(output)?, globals),
            };
            let write = || match format {
                ArchiveFormat::Plain => {
                    let how = (&options, &archive::style(&options), owner);
                    plain::write(&connect, how, (output, existing), console)
                }
                _ => archive::write(&connect, format, &options, (output, existing), console),
            };
            // What has gone into a pipe cannot be had back.
            let is_stream = to_stdout || output.exists() && !output.is_file() && !output.is_dir();
            let (bytes, summary) = standby::back_up(&connect, pauses, !is_stream, console, write)?;
            let globals = globals.map(globals::Written::finish).transpose()?;
            let facts = PostgresFacts {
                format: format.name(),
                archive_version: options.version().to_string(),
                compression: options.compression.to_string(),
                entries: summary.entries,
                tables: summary.tables,
                rows: summary.data.rows,
                large_objects: summary.data.large_objects,
                data_bytes: summary.data.bytes,
                globals,
            };
            let what = if format == ArchiveFormat::Directory { "folder" } else { "file" };
            let line = facts.globals.as_ref().map(GlobalsFacts::line);
            let mut outcome = report("postgresql", (what, output), bytes, begun.elapsed(), facts)?;
            // Before the advice.
            outcome.lines.splice(4..4, line);
            Ok(outcome)
        }
    }
}

#[derive(Serialize)]
struct Facts<'a, T> {
    backend: &'a str,
    output: Cow<'a, str>,
    bytes: u64,
    #[serde(flatten)]
    more: T,
    seconds: f64,
}

#[derive(Serialize)]
struct SqliteFacts {
    journal_mode: &'static str,
    compact: bool,
    integrity_check: &'static str,
    violations: u64,
}

#[derive(Serialize)]
struct PostgresFacts {
    format: &'static str,
    archive_version: String,
    compression: String,
    entries: usize,
    tables: usize,
    rows: u64,
    large_objects: u64,
    data_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    globals: Option<GlobalsFacts>,
}

fn report(
    backend: &str,
    (what, output): (&str, &Path),
    bytes: u64,
    took: Duration,
    more: impl Serialize,
) -> Result<Outcome> {
    let output = match output.to_str() {
        Some("-") => output.to_path_buf(),
        _ => std::path::absolute(output).unwrap_or_else(|_| output.to_path_buf()),
    };
    let lines = vec![
        "lifeboat: backup complete".to_owned(),
        format!("backend: {backend}"),
        format!("output: {}", output.display()),
        format!("size: {}", mebibytes(bytes)),
        format!("lifeboat: move this {what} off-host (scp, rclone, S3, ...) for true disaster recovery."),
    ];
    Outcome::new(lines, Facts { backend, output: output.to_string_lossy(), bytes, more, seconds: seconds(took) })
}
