//! The command line: what a person types, and how the engine's answers look. One verb a folder.

mod amounts;
mod archive;
mod backend_options;
mod backup;
mod backups;
mod check;
mod choice;
mod common;
mod completions;
mod database;
mod destination;
mod drill;
mod exit;
mod facts;
mod filter;
mod included;
mod install_tools;
mod list;
mod option_values;
mod progress;
mod prune;
mod report;
mod restore;
mod scratch_database;
mod status;
mod usage;
mod verify;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::Result;
use crate::console::signals;
use backend_options::BackendOptions;
use common::Common;
use report::{Outcome, Printer};

pub(crate) use choice::name as choice_name;

const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    failed: no backup was made; the restore did not happen, or stopped where
       the message says; what was verified is damaged; a check failed
  2    the command line or the URL makes no sense
  3    the restore finished, but some entries failed (each was reported); of several
       databases some could not be backed up; the check has warnings
  4    refused: a target exists or is in use, or --force is missing; nothing was
       changed
  130  ended by SIGINT, 143 by SIGTERM, 129 by SIGHUP, and so on (128 and the
       signal's number); unfinished files were removed

Environment:
  LIFEBOAT_DATABASE_URL, LIFEBOAT_DATABASE_URL_FILE, DATABASE_URL, Z4J_DATABASE_URL
       the database, where --url is not given; the first that is set counts
  PGHOST, PGPORT, PGUSER, PGPASSWORD, PGPASSFILE, PGSSLMODE, ...
       what a PostgreSQL URL leaves open, as for PostgreSQL's own tools";

/// Backs up and restores PostgreSQL and SQLite, with no client tools on the host
#[derive(Debug, Parser)]
#[command(name = "lifeboat", version, long_version = version::long(), after_help = EXIT_CODES, arg_required_else_help = true, args_override_self = true, disable_help_flag = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Backup(Box<backup::Args>),
    Restore(Box<restore::Args>),
    Check(Box<check::Args>),
    Status(Box<status::Args>),
    Prune(prune::Args),
    List(list::Args),
    Verify(verify::Args),
    Drill(drill::Args),
    InstallTools(install_tools::Args),
    Completions(completions::CompletionsArgs),
    ManPages(completions::ManPagesArgs),
    #[command(hide = true)]
    DrillWriter(drill::WriterArgs),
}

impl Verb {
    fn name(&self) -> &'static str {
        match self {
            Self::Backup(_) => "backup",
            Self::Restore(_) => "restore",
            Self::Check(_) => "check",
            Self::Status(_) => "status",
            Self::Prune(_) => "prune",
            Self::List(_) => "list",
            Self::Verify(_) => "verify",
            Self::Drill(_) => "drill",
            Self::InstallTools(_) => "install-tools",
            Self::Completions(_) => "completions",
            Self::ManPages(_) => "man-pages",
            Self::DrillWriter(_) => "drill-writer",
        }
    }

    /// Whether standard output is for data.
    fn takes_stdout(&self) -> bool {
        match self {
            Self::Backup(args) => args.takes_stdout(),
            Self::Restore(args) => args.takes_stdout(),
            _ => false,
        }
    }

    fn run(self, common: &Common) -> Result<Outcome> {
        match self {
            Self::Backup(args) => backup::run(*args, common),
            Self::Restore(args) => restore::run(*args, common),
            Self::Check(args) => check::run(*args, common),
            Self::Status(args) => status::run(*args, common),
            Self::Prune(args) => prune::run(args, common),
            Self::List(args) => list::run(args, common),
            Self::Verify(args) => verify::run(args, common),
            Self::Drill(args) => drill::run(args, common),
            Self::InstallTools(args) => install_tools::run(&args),
            Self::Completions(args) => completions::print(&args),
            Self::ManPages(args) => completions::write_pages(&args),
            Self::DrillWriter(args) => drill::write_forever(args),
        }
    }
}

/// Runs lifeboat's own command line.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    // What the program is called by is nothing to be printed.
    let mut command = Cli::command().bin_name("lifeboat");
    let matches = match command.try_get_matches_from_mut(arguments) {
        Ok(matches) => matches,
        Err(e) => return usage::tell(e, arguments),
    };
    let mut cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(e) => return usage::tell(e.format(&mut command), arguments),
    };
    cli.common.given = BackendOptions::of(&command, &matches);
    cli.common.settle(arguments);
    let verb = cli.verb.name();
    let printer = Printer::new(verb, &cli.common, cli.verb.takes_stdout());
    if let Err(e) = signals::handle(cli.common.cancellation.clone(), move |ended| printer.ended(ended)) {
        return printer.error(&e);
    }
    match cli.verb.run(&cli.common) {
        Ok(outcome) => printer.outcome(&outcome),
        Err(e) => printer.error(&e),
    }
}
