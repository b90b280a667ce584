//! What the tools say, in the form that PostgreSQL's have: `pg_dump: error: …`, `pg_dump: detail: …`, `pg_dump: hint: …`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::major::Major;
use super::wording::{self, Told};
use crate::Error;
use crate::console::secret;
use crate::console::signals::Ended;
use crate::console::terminal::{self, Stream};

/// Says what one tool has to say.
#[derive(Debug, Clone)]
pub(super) struct Messages {
    /// What the program was called by.
    called: OsString,
    /// Its last part, which messages begin with.
    name: String,
    major: Major,
}

impl Messages {
    pub(super) fn new(called: &OsStr, tool: &str, major: Major) -> Self {
        let name =
            Path::new(called).file_name().map_or_else(|| tool.into(), |name| name.to_string_lossy().into_owned());
        Self { called: called.to_owned(), name, major }
    }

    /// An error.
    pub(super) fn error(&self, message: &str) {
        self.tell(&["error: "], message);
    }

    /// A warning.
    pub(super) fn warning(&self, message: &str) {
        self.tell(&["warning: "], message);
    }

    /// What is being done, for those who want to know.
    pub(super) fn info(&self, message: &str) {
        self.tell(&[], message);
    }

    /// What there is to say of a message besides.
    pub(super) fn detail(&self, message: &str) {
        self.tell(&["detail: "], message);
    }

    /// What would help.
    pub(super) fn hint(&self, message: &str) {
        self.tell(&["hint: "], message);
    }

    /// Why the tool fails.
    pub(super) fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Usage(message) => self.error(message),
            Failure::UsageWithHelp(message) => {
                self.error(message);
                self.try_help();
            }
            Failure::Getopt(message) => {
                if !message.is_empty() {
                    self.line(&format!("{}: {message}", self.called.to_string_lossy()));
                }
                self.try_help();
            }
            Failure::Told => {}
            Failure::Engine(error) => self.engine(error),
        }
    }

    /// An error of the engine's.
    pub(super) fn engine(&self, error: &Error) {
        let Told { message, detail, hint } = wording::of(error);
        self.error(&message);
        if let Some(detail) = detail {
            self.detail(&detail);
        }
        if let Some(hint) = hint {
            self.hint(&hint);
        }
    }

    fn try_help(&self) {
        let advice = format!("Try \"{} --help\" for more information.", self.name);
        // Before 15, it was no message like others.
        if self.major.number() < 15 { self.line(&advice) } else { self.hint(&advice) }
    }

    /// That a signal ended the work.
    pub(super) fn terminated(&self, ended: &Ended) {
        self.info("terminated by user");
        for left in &ended.left {
            self.hint(left);
        }
    }

    /// Prints lines that were asked for to standard output.
    pub(super) fn print(&self, lines: &[String]) -> ExitCode {
        match terminal::lines(Stream::Out, lines.iter().map(String::as_str)) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.error(&format!("could not write to standard output: {error}"));
                ExitCode::FAILURE
            }
            _ => ExitCode::SUCCESS,
        }
    }

    fn tell(&self, level: &[&str], message: &str) {
        self.line(&format!("{}: {}{}", self.name, level.concat(), secret::masked_in_error(message)));
    }

    /// There is nobody to tell if that fails.
    fn line(&self, line: &str) {
        let _ = terminal::lines(Stream::Err, line.split('\n'));
    }
}
