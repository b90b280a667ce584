//! Why a tool ends without having done what was asked.

use crate::Error;

/// Why a tool fails. What it is worded in is PostgreSQL's form, as callers look for it.
#[derive(Debug)]
pub(super) enum Failure {
    /// What the command line asks for cannot be.
    Usage(String),
    /// The same, with the advice to read the help.
    UsageWithHelp(String),
    /// getopt_long has a word of its own form for it, without "error:".
    Getopt(String),
    /// The message is told already.
    Told,
    /// The engine's error.
    Engine(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl Failure {
    /// A failure of the command line.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// The failure of a command line that has two options which exclude each other.
    pub(super) fn together(one: &str, other: &str) -> Self {
        Self::Usage(format!("options {one} and {other} cannot be used together"))
    }
}
