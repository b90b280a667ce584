//! How errors of the engine are worded where PostgreSQL's tools have words that callers look for.

use bstr::{BString, ByteSlice};

use super::connection::NotConnected;
use crate::postgres::dump::{InvalidEncoding, PatternFault};
use crate::printable::on_one_line;
use crate::wire::ServerError;
use crate::{Choice, Error};

/// What there is to say of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
}

/// What there is to say of an error.
pub(super) fn of(error: &Error) -> Told {
    let hint = || error.advice().map(|hint| hint.named(name));
    let ours = error.named(name);
    if let Some(fault) = error.cause::<PatternFault>() {
        return Told { message: pattern(fault), detail: None, hint: hint() };
    }
    if let Some(InvalidEncoding { name, .. }) = error.cause::<InvalidEncoding>() {
        let message = format!("invalid client encoding \"{}\" specified", on_one_line(name.as_bstr()));
        return Told { message, ..Told::default() };
    }
    if let Some(NotConnected { place, error }) = error.cause::<NotConnected>() {
        let why = match error.server() {
            Some(report) => server(report),
            None => error.named(name),
        };
        let hint = error.advice().map(|hint| hint.named(name));
        return Told { message: format!("connection to server {place} failed: {why}"), detail: None, hint };
    }
    match error.server() {
        Some(report) => {
            let detail = match error.refused_statement().filter(|statement| !statement.is_empty()) {
                Some(statement) => format!("Query was: {statement}"),
                None => ours,
            };
            Told { message: format!("query failed: {}", server(report)), detail: Some(detail), hint: hint() }
        }
        None => Told { message: ours, detail: None, hint: hint() },
    }
}

/// A server's report, as libpq words it.
pub(super) fn server(report: &ServerError) -> String {
    let mut said =
        format!("{}:  {}", on_one_line(report.severity.as_bytes().as_bstr()), on_one_line(report.message.as_bstr()));
    let more = [("DETAIL", &report.detail), ("HINT", &report.hint), ("CONTEXT", &report.context)];
    for (what, text) in more {
        if let Some(text) = text {
            said.push_str(&format!("\n{what}:  {}", on_one_line(text.as_bstr())));
        }
    }
    said
}

fn pattern(fault: &PatternFault) -> String {
    let shown = |pattern: &BString| on_one_line(pattern.as_bstr());
    match fault {
        PatternFault::NoMatch { what, pattern: Some(pattern) } => {
            format!("no matching {what} were found for pattern \"{}\"", shown(pattern))
        }
        PatternFault::NoMatch { what, pattern: None } => format!("no matching {what} were found"),
        PatternFault::TooManyDots { what: "tables", pattern } => {
            format!("improper relation name (too many dotted names): {}", shown(pattern))
        }
        PatternFault::TooManyDots { pattern, .. } => {
            format!("improper qualified name (too many dotted names): {}", shown(pattern))
        }
        PatternFault::OtherDatabase { pattern } => {
            format!("cross-database references are not implemented: {}", shown(pattern))
        }
    }
}

/// The names of choices that these tools have. What only lifeboat's own verbs can do is named as they name it.
pub(super) fn name(choice: &Choice) -> String {
    let name = match choice {
        Choice::Jobs(Some(jobs)) => return format!("--jobs={jobs}"),
        Choice::Jobs(None) => "--jobs",
        Choice::LockWait => "--lock-wait-timeout",
        Choice::NoOwner => "--no-owner",
        Choice::NoRolePasswords => "--no-role-passwords",
        Choice::NoSubscriptions => "--no-subscriptions",
        Choice::DisableTriggers => "--disable-triggers",
        Choice::Inserts => "--inserts",
        Choice::List => "--use-list",
        Choice::Output => "--file",
        Choice::Role => "--role",
        Choice::Script => "--file",
        Choice::Tables => "--table",
        Choice::TransactionSize => "--transaction-size",
        Choice::Create => "--create",
        Choice::Url => "--dbname",
        // A command, and no option.
        Choice::Verify => "lifeboat verify",
        other => return format!("{} of lifeboat itself", crate::cli::choice_name(other)),
    };
    name.to_owned()
}
