//! Filter files on lifeboat's own command line.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::console::filter_file::{self, Fault, Rule, Wrong};
use crate::console::standard_streams;
use crate::{Context, Error, ErrorKind, Result};

/// The error for a rule that makes no sense where this file is used.
pub(crate) fn refused(rule: &Rule, path: &Path) -> Error {
    let verb = if rule.include { "include" } else { "exclude" };
    invalid(path, rule.line, &format!("\"{verb} {}\" is not possible here", rule.subject.word()))
}

/// Reads the rules of the file at `path`; `-` is standard input.
///
/// # Errors
/// The file cannot be read, or a line of it makes no sense; the error names the line.
pub(crate) fn read(path: &Path) -> Result<Vec<Rule>> {
    let doing = || format!("read the filter file {}", path.display());
    let mut text = Vec::new();
    if path == Path::new("-") {
        let doing = "read a filter from standard input";
        standard_streams::input(doing)?.read_to_end(&mut text).context(ErrorKind::Io, || doing)?;
    } else {
        text = fs::read(path).context(ErrorKind::Io, doing)?;
    }
    filter_file::parse(&text).map_err(|Wrong { line, fault }| invalid(path, line, &why(&fault)))
}

fn invalid(path: &Path, line: usize, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("read the filter file {}", path.display()))
        .why(format!("line {line}: {why}"))
        .hint("a line is: include or exclude, what (table, schema, table_data, extension, …), a pattern")
}

fn why(fault: &Fault) -> String {
    match fault {
        Fault::Verb(verb) => format!("\"{verb}\" is neither include nor exclude"),
        Fault::NoSubject => "it does not say what to include or exclude".to_owned(),
        Fault::Subject(word) => format!("\"{word}\" is nothing that can be filtered"),
        Fault::NoPattern => "the pattern is missing".to_owned(),
        Fault::OpenQuotes => "the quotes are not closed".to_owned(),
        Fault::Backslash => "inside of quotes, a backslash is followed by n or by another backslash".to_owned(),
    }
}
