//! `lifeboat list`.

mod archive;
mod sizes;
mod sqlite;

use std::path::{Path, PathBuf};

use super::archive::{is_archive, is_sqlite};
use super::common::Common;
use super::progress::Console;
use super::report::Outcome;
use crate::Result;

const EXAMPLES: &str = "\
Examples:
  lifeboat list app.dump
  lifeboat list --sizes app.dump
  lifeboat list --rows app.dump
  ssh other 'cat app.dump' | lifeboat list -
  lifeboat list app-2026-04-24.db --json";

/// Show what is in a backup file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An archive of a PostgreSQL database (- is standard input), or an SQLite database
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show how much room the data of each table takes in the archive, largest first, instead of pg_restore's list
    #[arg(long, short = 's')]
    sizes: bool,
    /// As --sizes, with the number of rows of each table; reads the whole archive
    #[arg(long)]
    rows: bool,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let file = &args.file;
    let list = |file: &Path| match args.sizes || args.rows {
        true => sizes::list(file, args.rows, &Console::new(common)),
        false => archive::list(file, common.json),
    };
    if is_archive(file) || file == Path::new("-") || (file.exists() && !file.is_file()) {
        list(file)
    } else if is_sqlite(file) || !file.exists() {
        sqlite::list(file, &common.cancellation)
    } else {
        // The one that it is more likely to have been says why it is not.
        list(file).map_err(|e| e.hint("archives are made with lifeboat backup or pg_dump"))
    }
}
