//! Options that make no sense for the database at hand.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use crate::{Error, ErrorKind, Result};

/// Which options were given on the command line, with the headings that they have in the help. A heading that begins with
/// a backend's name is about that backend alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct BackendOptions(Vec<(&'static str, String)>);

/// The backends, as headings name them.
pub(crate) const POSTGRES: &str = "PostgreSQL";
pub(crate) const SQLITE: &str = "SQLite";

impl BackendOptions {
    /// What was given to the verb.
    pub(crate) fn of(command: &Command, matches: &ArgMatches) -> Self {
        let Some((verb, matches)) = matches.subcommand() else { return Self::default() };
        let Some(command) = command.find_subcommand(verb) else { return Self::default() };
        let mut given = Vec::new();
        for arg in command.get_arguments() {
            let backend =
                [POSTGRES, SQLITE].into_iter().find(|b| arg.get_help_heading().is_some_and(|h| h.starts_with(b)));
            let Some(backend) = backend else { continue };
            if matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine) {
                given.push((backend, format!("--{}", arg.get_long().unwrap_or_else(|| arg.get_id().as_str()))));
            }
        }
        Self(given)
    }

    /// The options of one backend that were given, but for these.
    pub(crate) fn others_than(&self, known: &[&str]) -> Vec<&str> {
        self.0.iter().map(|(_, option)| option.as_str()).filter(|option| !known.contains(option)).collect()
    }

    /// Refuses the options of another backend than `this`, instead of letting them do nothing.
    pub(crate) fn check(&self, this: &str) -> Result<()> {
        let others: Vec<&str> = self.0.iter().filter(|(b, _)| *b != this).map(|(_, option)| option.as_str()).collect();
        if others.is_empty() {
            return Ok(());
        }
        let article = if this == SQLITE { "an" } else { "a" };
        Err(Error::new(ErrorKind::Usage, format!("use {}", others.join(" and ")))
            .why(format!("it means nothing for {article} {this} database"))
            .hint("leave it out, or see the URL: it says which database is meant"))
    }
}
