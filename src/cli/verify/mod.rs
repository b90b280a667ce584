//! `lifeboat verify`.

mod archive;
mod sqlite;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::archive::is_sqlite;
use super::common::Common;
use super::exit;
use super::progress::Console;
use super::report::{Outcome, failure_facts, failure_line};
use crate::{Error, ErrorKind, Level, Message, Reporter, Result};

const EXAMPLES: &str = "\
Examples:
  lifeboat verify app.dump
  lifeboat verify app-2026-04-24.db --json
  lifeboat verify /var/backups/*.dump
  ssh backup cat app.dump | lifeboat verify -

Exit codes: 0 if it is sound, 1 if it is damaged (each problem is named) or cannot be
read; of several, 0 if all are sound, and the others are checked in any case. No server is asked, and nothing that is in a backup is carried out.

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
    /// Archives of PostgreSQL databases in custom, directory or tar format (- is standard input), or SQLite databases
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let console = Console::new(common);
    if let [path] = args.paths.as_slice() {
        return verify(path, &console);
    }
    if args.paths.iter().filter(|path| is_input(path)).count() > 1 {
        return Err(
            Error::new(ErrorKind::Usage, "verify several backups").why("standard input can be one of them only")
        );
    }
    let (mut lines, mut backups, mut code) = (Vec::new(), Vec::new(), exit::SUCCESS);
    for path in &args.paths {
        match verify(path, &console) {
            Ok(outcome) => {
                lines.extend(outcome.lines);
                backups.push(outcome.json);
                if outcome.code != exit::SUCCESS {
                    code = outcome.code;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                console.message(Message::new(Level::Error, "", failure_line(&error)));
                let mut facts = failure_facts(&error)?;
                facts["file"] = path.to_string_lossy().into();
                backups.push(facts);
                code = exit::FAILED;
            }
        }
    }
    Ok(Outcome { lines, json: json!({ "backups": backups }), code })
}

fn is_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn verify(path: &Path, console: &Console) -> Result<Outcome> {
    let outcome =
        if !is_input(path) && is_sqlite(path) { sqlite::verify(path, console) } else { archive::verify(path, console) };
    outcome.map_err(|error| match (error.kind(), error.advice()) {
        (ErrorKind::Archive, None) if error.to_string().contains("SQLite database") => {
            error.hint("an SQLite database is not read from a pipe: give the name of its file")
        }
        (ErrorKind::Archive, None) => error.hint("do not rely on this backup: make another one, or take an older one"),
        _ => error,
    })
}
