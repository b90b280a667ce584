//! Filter files, and what the tools say of those that make no sense.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};

use super::failure::Failure;
use crate::console::filter_file::{self, Fault, Wrong};
use crate::console::standard_streams;
use crate::printable::escaped;

pub(super) use crate::console::filter_file::{Rule, Subject};

/// Has each rule of a filter file taken by `take`, which says whether it could; `-` is standard input.
///
/// # Errors
/// The file cannot be read, or a rule makes no sense.
pub(super) fn read(path: &OsStr, mut take: impl FnMut(Rule) -> bool) -> Result<(), Failure> {
    let shown = escaped(&path.to_string_lossy()).into_owned();
    let mut text = Vec::new();
    let source = if path == "-" {
        standard_streams::input("read a filter from standard input")?
            .read_to_end(&mut text)
            .map_err(|e| Failure::usage(format!("could not read from filter file \"{shown}\": {e}")))?;
        "standard input".to_owned()
    } else {
        text = fs::read(path)
            .map_err(|e| Failure::usage(format!("could not open filter file \"{shown}\": {}", words(&e))))?;
        format!("file \"{shown}\"")
    };
    let invalid = |line: usize, why: &str| {
        Failure::usage(format!("invalid format in filter read from {source} on line {line}: {}", escaped(why)))
    };
    for rule in filter_file::parse(&text).map_err(|Wrong { line, fault }| invalid(line, &why(&fault)))? {
        let (line, verb) = (rule.line, if rule.include { "include" } else { "exclude" });
        let subject = rule.subject.word().replace('_', " ");
        if !take(rule) {
            return Err(invalid(line, &format!("{verb} filter for \"{subject}\" is not allowed")));
        }
    }
    Ok(())
}

/// The system's words for an error, without its number.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn why(fault: &Fault) -> String {
    match fault {
        Fault::Verb(_) => "invalid filter command (expected \"include\" or \"exclude\")".to_owned(),
        Fault::NoSubject => "missing filter object type".to_owned(),
        Fault::Subject(word) => format!("unsupported filter object type: \"{word}\""),
        Fault::NoPattern => "missing object name pattern".to_owned(),
        Fault::OpenQuotes => "unexpected end of file".to_owned(),
        Fault::Backslash => "a backslash inside of quotes is followed by neither n nor a backslash".to_owned(),
    }
}
