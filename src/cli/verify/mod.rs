//! `lifeboat verify`.

mod archive;
mod sqlite;

use std::path::{Path, PathBuf};

use super::archive::is_sqlite;
use super::common::Common;
use super::progress::Console;
use super::report::Outcome;
use crate::{ErrorKind, Result};

const EXAMPLES: &str = "\
Examples:
  lifeboat verify app.dump
  lifeboat verify app-2026-04-24.db --json
  ssh backup cat app.dump | lifeboat verify -

Exit codes: 0 if it is sound, 1 if it is damaged (each problem is named) or cannot be
read. No server is asked, and nothing that is in a backup is carried out.

What it cannot see: a byte that was changed into another one where there is no checksum.
In an archive, that is the table of contents (names, definitions, privileges), and rows
that are not compressed, or that pg_dump compressed with lz4 or zstd; of these, each row
must have its columns, and be text in the archive's encoding. In an SQLite database, it is
the values of rows. Only a restore shows that a server takes what is in it: lifeboat drill
does that.";

/// Check a backup to its last byte, without a server
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An archive of a PostgreSQL database in custom, directory or tar format (- is standard input), or an SQLite database
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let (path, console) = (&args.path, Console::new(common));
    let outcome = if path != Path::new("-") && is_sqlite(path) {
        sqlite::verify(path, &console)
    } else {
        archive::verify(path, &console)
    };
    outcome.map_err(|error| match (error.kind(), error.advice()) {
        (ErrorKind::Archive, None) if error.to_string().contains("SQLite database") => {
            error.hint("an SQLite database is not read from a pipe: give the name of its file")
        }
        (ErrorKind::Archive, None) => error.hint("do not rely on this backup: make another one, or take an older one"),
        _ => error,
    })
}
