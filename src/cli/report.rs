//! Printing a result or an error, for people or as JSON.

use std::io;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Map, Value};

use super::common::Common;
use super::exit::{self, Code};
use super::{choice, progress};
use crate::console::secret;
use crate::console::signals::Ended;
use crate::console::terminal::{self, Stream};
use crate::{Context, Error, ErrorKind, Result};

/// What a verb that came to its end has to say.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The report for people, line by line; what else looks like the end of a line in one of them is escaped.
    pub lines: Vec<String>,
    /// The same for programs, as an object.
    pub json: Value,
    /// How it went.
    pub code: Code,
}

impl Outcome {
    /// A success: `lines` for people, and `facts`, a struct, for programs.
    pub(crate) fn new(lines: Vec<String>, facts: impl Serialize) -> Result<Self> {
        let json = serde_json::to_value(facts).context(ErrorKind::Internal, || "make the report")?;
        Ok(Self { lines, json, code: exit::SUCCESS })
    }

    /// A success of which only people are told.
    pub(crate) fn of_lines(lines: Vec<String>) -> Self {
        Self { lines, json: Value::Object(Map::new()), code: exit::SUCCESS }
    }
}

/// The object for programs, at a success and at a failure.
#[derive(Serialize)]
struct Report<'a, T> {
    schema_version: u32,
    ok: bool,
    command: Option<&'a str>,
    #[serde(flatten)]
    facts: T,
    warnings: Vec<String>,
    /// How many more there were than are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_warnings: Option<u64>,
    exit_code: u8,
}

/// The version of what is printed with `--json`: it changes when something of it goes, or means something else; not when something comes.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Failure<'a> {
    error: FailureFacts<'a>,
}

#[derive(Serialize)]
struct FailureFacts<'a> {
    kind: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

/// A failure as programs are told of it, where it is one of several things that are told.
pub(crate) fn failure_facts(error: &Error) -> Result<Value> {
    let (message, hint) = (error.named(choice::name), error.advice().map(|hint| hint.named(choice::name)));
    let (message, hint) = (secret::masked_in_error(&message), hint.as_deref().map(secret::masked_in_error));
    let error = FailureFacts { kind: exit::word(error.kind()), message: &message, hint: hint.as_deref() };
    serde_json::to_value(Failure { error }).context(ErrorKind::Internal, || "make the report")
}

/// A failure with what would help, as one line, where it is one of several things that are told.
pub(crate) fn failure_line(error: &Error) -> String {
    let message = error.named(choice::name);
    let line = match error.advice() {
        Some(hint) => format!("{message} (hint: {})", hint.named(choice::name)),
        None => message,
    };
    secret::masked_in_error(&line).into_owned()
}

/// Prints what a verb has to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    verb: &'static str,
    json: bool,
    quiet: bool,
    /// Standard output belongs to the data: everything goes to standard error.
    stdout_taken: bool,
}

impl Printer {
    pub(crate) fn new(verb: &'static str, common: &Common, stdout_taken: bool) -> Self {
        Self { verb, json: common.json, quiet: common.quiet, stdout_taken }
    }

    pub(crate) fn outcome(self, outcome: &Outcome) -> ExitCode {
        progress::clear();
        let to = self.stream();
        let printed = if self.json {
            print_json(to, Some(self.verb), &outcome.json, outcome.code)
        } else if self.quiet {
            Ok(())
        } else {
            terminal::lines(to, outcome.lines.iter().map(String::as_str))
        };
        match printed {
            Ok(()) => outcome.code.into(),
            // Who reads it has seen enough; what was to be done is done.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => outcome.code.into(),
            Err(e) => {
                let _ = terminal::line(Stream::Err, &format!("lifeboat: error: could not print the report: {e}"));
                exit::FAILED.into()
            }
        }
    }

    pub(crate) fn error(self, error: &Error) -> ExitCode {
        progress::clear();
        let code = exit::of(error.kind());
        let hint = error.advice().map(|hint| hint.named(choice::name));
        self.failure(exit::word(error.kind()), &error.named(choice::name), hint.as_deref(), code);
        code.into()
    }

    /// Prints a failure. There is nobody to tell if that fails too.
    pub(crate) fn failure(self, kind: &str, message: &str, hint: Option<&str>, code: Code) {
        let message = &*secret::masked_in_error(message);
        let hint = hint.map(secret::masked_in_error);
        let hint = hint.as_deref();
        if self.json {
            let error = Failure { error: FailureFacts { kind, message, hint } };
            let _ = print_json(self.stream(), Some(self.verb), error, code);
            return;
        }
        let told = format!("lifeboat: error: {message}");
        let hint = hint.map(|hint| format!("hint: {hint}"));
        let _ = terminal::lines(Stream::Err, std::iter::once(told.as_str()).chain(hint.as_deref()));
    }

    /// Prints that a signal asked for the end; the code that says so.
    pub(crate) fn ended(self, ended: &Ended) -> u8 {
        progress::clear();
        let code = Code(u8::try_from(128 + ended.signal).unwrap_or(exit::INTERRUPTED.0));
        let left = &ended.left;
        let hint = if left.is_empty() { "unfinished files were removed".to_owned() } else { left.join("; ") };
        let message = format!("could not go on: {} asked for the end", ended.name);
        self.failure("interrupted", &message, Some(&hint), code);
        code.0
    }

    /// Where what is for standard output goes.
    fn stream(self) -> Stream {
        if self.stdout_taken { Stream::Err } else { Stream::Out }
    }
}

fn print_json(to: Stream, command: Option<&str>, facts: impl Serialize, code: Code) -> io::Result<()> {
    let (warnings, more_warnings) = progress::warnings();
    let warnings = warnings.iter().map(|warning| secret::masked(warning).into_owned()).collect();
    let ok = code == exit::SUCCESS;
    let report =
        Report { schema_version: SCHEMA_VERSION, ok, command, facts, warnings, more_warnings, exit_code: code.0 };
    terminal::line(to, &terminal::json(serde_json::to_value(report)?))
}

/// Prints what is wrong with a command line that makes no sense, line by line.
pub(crate) fn usage_error(text: &str, as_json: bool) -> ExitCode {
    let text = &*secret::masked_in_error(text);
    let _ = if as_json {
        let message = text.strip_prefix("error: ").unwrap_or(text);
        let error = Failure { error: FailureFacts { kind: "usage", message, hint: None } };
        print_json(Stream::Out, None, error, exit::USAGE)
    } else {
        terminal::lines(Stream::Err, format!("lifeboat: {text}").split('\n'))
    };
    exit::USAGE.into()
}

/// Prints the help that was asked for, or that is wanted; `code` is how that ends.
pub(crate) fn help(text: &clap::Error, code: Code) -> ExitCode {
    match text.print() {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            let _ = terminal::line(Stream::Err, &format!("lifeboat: error: could not print the help: {e}"));
            exit::FAILED.into()
        }
        // A reader that has seen enough is no failure.
        _ => code.into(),
    }
}
