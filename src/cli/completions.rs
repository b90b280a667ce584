//! `lifeboat completions` and `lifeboat man-pages`: what shells and manuals know of the command line.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::report::Outcome;
use crate::console::terminal;
use crate::{Context, Error, ErrorKind, Result, io_error};

const EXAMPLES: &str = "\
Examples:
  lifeboat completions bash >/usr/share/bash-completion/completions/lifeboat
  lifeboat completions zsh >~/.zfunc/_lifeboat
  lifeboat completions fish >~/.config/fish/completions/lifeboat.fish";

/// Print what a shell needs to complete lifeboat's options
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write man pages, one for each verb
#[derive(Debug, clap::Args)]
pub(crate) struct ManPagesArgs {
    /// The folder, which must be there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

fn command() -> Command {
    Cli::command().bin_name("lifeboat")
}

/// Prints the completions; they are what is asked for, however quiet the program is to be.
pub(crate) fn print(args: &CompletionsArgs) -> Result<Outcome> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "lifeboat", &mut text);
    match terminal::data().write_all(&text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context(ErrorKind::Io, || "print the completions")
        }
        _ => Ok(Outcome::of_lines(Vec::new())),
    }
}

/// Writes the pages.
pub(crate) fn write_pages(args: &ManPagesArgs) -> Result<Outcome> {
    let mut command = command().disable_help_subcommand(true);
    command.build();
    let mut lines = Vec::new();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let pages = verbs.map(|verb| (format!("lifeboat-{}", verb.get_name()), verb.clone()));
    for (name, of) in std::iter::once(("lifeboat".to_owned(), command.clone())).chain(pages.collect::<Vec<_>>()) {
        let page = of.name(name.clone());
        let mut text = Vec::new();
        let doing = || format!("write the page {name}.1");
        clap_mangen::Man::new(page).render(&mut text).context(ErrorKind::Internal, doing)?;
        let path = args.folder.join(format!("{name}.1"));
        fs::write(&path, text).map_err(|error| -> Error { io_error(doing(), &path, error) })?;
        lines.push(format!("lifeboat: {} is written", path.display()));
    }
    Ok(Outcome::of_lines(lines))
}
