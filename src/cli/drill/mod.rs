//! `lifeboat drill`: proves that backups made here can be restored here.

mod damage;
mod digest;
mod leftovers;
mod narrator;
mod postgres;
mod sample;
mod scratch;
mod sqlite;
mod writer;

use std::ffi::OsString;
use std::path::PathBuf;

use super::common::Common;
use super::database::{DatabaseArgs, SilenceArgs};
use super::progress::Console;
use super::report::Outcome;
use crate::{Database, Result};
use narrator::Narrator;

const EXAMPLES: &str = "\
Examples:
  lifeboat drill
      makes a sample SQLite database, backs it up while another process writes to
      it, kills that process, damages the database, restores it, and proves that
      every row is back
  lifeboat drill --url sqlite:////srv/app/app.db
      backs up that database, which may be in use, restores the backup in a
      scratch folder, and compares
  lifeboat drill --url postgresql:///app
      backs up that database, which may be in use, restores the backup in a
      scratch database on the same server, backs that up too, and compares
      definitions and rows; the role needs CREATEDB

Nothing but the scratch folder and the scratch database is written to; they are
removed at the end.";

/// Rehearse a disaster: back up, damage, restore, and prove that every row is back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The database to rehearse with, which is only read; without this, a sample, even if the environment names a database
    #[arg(long, short = 'd', visible_alias = "dbname", value_name = "URL")]
    url: Option<OsString>,
    /// Where to make the scratch folder, which takes twice the size of the database
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
    #[command(flatten)]
    silence: SilenceArgs,
}

/// What the drill's writing process is started with.
#[derive(Debug, clap::Args)]
pub(crate) struct WriterArgs {
    database: PathBuf,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let narrator = Narrator::new(common);
    let Some(url) = args.url else {
        return sqlite::sample_drill(args.scratch.as_deref(), &narrator, common);
    };
    let database = DatabaseArgs::of(url, args.silence).database(&common.cancellation)?;
    DatabaseArgs::tell_notes(&database, &Console::new(common));
    match database {
        Database::Sqlite(target) => sqlite::rehearse(&target.path, args.scratch.as_deref(), &narrator, common),
        Database::Postgres(target) => postgres::rehearse(&target, args.scratch.as_deref(), &narrator, common),
    }
}

/// The process that writes while the drill backs up.
pub(crate) fn write_forever(args: WriterArgs) -> Result<Outcome> {
    writer::write_until_input_ends(&args.database)?;
    Ok(Outcome::of_lines(Vec::new()))
}
