//! What is said of a command line that makes no sense: clap's words, without those of the command line.
//!
//! A password can stand anywhere in a command line: in a URL that was given as a file, in an option that does not exist, as a
//! word of its own. So clap's messages are printed without what was typed, but for names of options; a number says where it is.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{exit, report};
use crate::printable::escaped;

/// Stands for what is not repeated, until the message is made: a character that no message of clap's or ours has.
const TYPED: &str = "\u{e0f1}";

/// Prints clap's message about the command line, or the help that was asked for.
pub(super) fn tell(mut error: clap::Error, arguments: &[OsString]) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => report::help(&error, exit::SUCCESS),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => report::help(&error, exit::USAGE),
        _ => {
            let json = arguments.iter().take_while(|a| *a != "--").any(|a| a == "--json");
            report::usage_error(message(&mut error, arguments).trim_end(), json)
        }
    }
}

fn message(error: &mut clap::Error, arguments: &[OsString]) -> String {
    let value = take(error, ContextKind::InvalidValue);
    let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let place = take_argument(error, arguments);
    take(error, ContextKind::InvalidSubcommand);
    let text = error.to_string();
    let text = if reason.is_empty() { text } else { text.replace(&reason, &without(&reason, value.as_deref())) };
    let place = place.map(|number| format!(" (number {number})")).unwrap_or_default();
    let text = match error.kind() {
        ErrorKind::UnknownArgument => text.replace(&format!(" '{TYPED}'"), &place),
        _ => text.replace(&format!(" '{TYPED}'"), ""),
    };
    text.replace(TYPED, "...")
}

/// Puts [`TYPED`] in the place of what was typed, which is given back.
fn take(error: &mut clap::Error, kind: ContextKind) -> Option<String> {
    let Some(ContextValue::String(typed)) = error.get(kind) else { return None };
    let typed = typed.clone();
    // An empty one is one that is missing, and clap says so.
    if !typed.is_empty() {
        error.insert(kind, ContextValue::String(TYPED.to_owned()));
    }
    Some(typed)
}

/// Puts [`TYPED`] in the place of an argument that clap does not know, unless it is the name of an option; gives its number.
fn take_argument(error: &mut clap::Error, arguments: &[OsString]) -> Option<usize> {
    // Of other errors, it is one of our own names.
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return None };
    let typed = typed.clone();
    let at = arguments.iter().position(|argument| {
        let argument = argument.to_string_lossy();
        // `--ulr=x`, and `-px`, where the rest is a value for all that is known.
        let is_long = typed.starts_with("--");
        argument == typed || argument.strip_prefix(&typed).is_some_and(|rest| !is_long || rest.starts_with('='))
    });
    let is_value = arguments.iter().take(at.unwrap_or(0)).any(|argument| argument == "--");
    if at.is_none() || is_value || !is_option(&typed) {
        error.insert(ContextKind::InvalidArg, ContextValue::String(TYPED.to_owned()));
        // Its tips repeat it.
        error.remove(ContextKind::Suggested);
        if typed.contains("://") {
            let tip = StyledStr::from("the URL of the database is given with '--url'");
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        }
    }
    at
}

/// Whether it is written as options are: `-x` or `--some-words`.
fn is_option(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '-';
    match text.strip_prefix("--") {
        Some(name) => !name.is_empty() && name.len() <= 40 && name.chars().all(is_letter),
        None => text.strip_prefix('-').is_some_and(|name| name.len() == 1 && name.is_ascii()),
    }
}

/// The reason for which a value was not taken, without the value, which it may begin with or have in quotes.
fn without(reason: &str, value: Option<&str>) -> String {
    let plain = escaped(reason);
    let Some(value) = value.map(escaped).filter(|value| !value.is_empty()) else { return plain.into_owned() };
    let plain = plain.replace(&format!("\"{value}\""), "it");
    match plain.strip_prefix(&*value) {
        Some(rest) => format!("it{rest}"),
        // A digit may be there by chance, and tells nothing.
        None if value.chars().count() > 3 => plain.replace(&*value, "it"),
        None => plain,
    }
}
