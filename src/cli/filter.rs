//! Filter files: what to include and exclude, a rule a line, as `pg_dump --filter` and `pg_restore --filter` take them.
//!
//! ```text
//! # a comment
//! include table_and_children "Odd name".measurements
//! exclude table_data audit.*
//! ```
//!
//! A pattern may be quoted, qualified and go over several lines inside of quotes, where `\n` is a line break and `\\` a
//! backslash.

use std::fs;
use std::io::Read;
use std::path::Path;

use bstr::{BString, ByteSlice};
use clap::ValueEnum;

use crate::console::standard_streams;
use crate::{Context, Error, ErrorKind, Result};

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Subject {
    Database,
    Extension,
    ForeignData,
    Function,
    Index,
    Schema,
    Table,
    TableAndChildren,
    TableData,
    TableDataAndChildren,
    Trigger,
}

/// One line of a filter file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Whether what matches is included; excluded otherwise.
    pub include: bool,
    /// What it is about.
    pub subject: Subject,
    /// The names that match, quotes and all.
    pub pattern: BString,
    /// The line it begins on, from 1.
    pub line: usize,
}

impl Rule {
    /// The error for a rule that makes no sense where this file is used.
    pub(crate) fn refused(&self, path: &Path) -> Error {
        let verb = if self.include { "include" } else { "exclude" };
        let subject = self.subject.to_possible_value();
        let subject = subject.as_ref().map_or("", |value| value.get_name());
        invalid(path, self.line, &format!("\"{verb} {subject}\" is not possible here"))
    }
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
    parse(&text).map_err(|(line, why)| invalid(path, line, &why))
}

fn invalid(path: &Path, line: usize, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("read the filter file {}", path.display()))
        .why(format!("line {line}: {why}"))
        .hint("a line is: include or exclude, what (table, schema, table_data, extension, …), a pattern")
}

/// A line's number, and what is wrong with it.
type Wrong = (usize, String);

fn parse(text: &[u8]) -> std::result::Result<Vec<Rule>, Wrong> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut rules = Vec::new();
    while !reader.rest.is_empty() {
        reader.skip_blanks();
        if !matches!(reader.peek(), None | Some(b'#' | b'\n')) {
            rules.push(reader.rule()?);
        }
        reader.skip_line();
    }
    Ok(rules)
}

struct Reader<'a> {
    rest: &'a [u8],
    line: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if *first == b'\n' {
            self.line += 1;
        }
        Some(*first)
    }

    /// Passes blanks of this line, and says whether there were any.
    fn skip_blanks(&mut self) -> bool {
        let before = self.rest.len();
        while self.peek().is_some_and(is_blank) {
            self.next();
        }
        self.rest.len() != before
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != b'\n') {}
    }

    fn wrong<T>(&self, why: impl Into<String>) -> std::result::Result<T, Wrong> {
        Err((self.line, why.into()))
    }

    fn word(&mut self) -> Vec<u8> {
        self.skip_blanks();
        let mut word = Vec::new();
        while let Some(c) = self.peek().filter(|c| *c != b'\n' && !is_blank(*c)) {
            word.push(c);
            self.next();
        }
        word
    }

    fn rule(&mut self) -> std::result::Result<Rule, Wrong> {
        let line = self.line;
        let verb = self.word();
        let include = match verb.to_ascii_lowercase().as_slice() {
            b"include" => true,
            b"exclude" => false,
            _ => return self.wrong(format!("\"{}\" is neither include nor exclude", verb.as_bstr())),
        };
        let word = self.word();
        if word.is_empty() {
            return self.wrong("it does not say what to include or exclude");
        }
        let Ok(subject) = Subject::from_str(&word.to_str_lossy(), true) else {
            return self.wrong(format!("\"{}\" is nothing that can be filtered", word.as_bstr()));
        };
        let pattern = self.pattern()?;
        if pattern.is_empty() {
            return self.wrong("the pattern is missing");
        }
        Ok(Rule { include, subject, pattern, line })
    }

    /// The pattern up to the end of the line or a comment. Blanks count only between words, as one; the names of
    /// functions have them in their arguments, after a comma.
    fn pattern(&mut self) -> std::result::Result<BString, Wrong> {
        let mut pattern = BString::default();
        self.skip_blanks();
        let mut blank = false;
        while let Some(c) = self.peek().filter(|c| !matches!(c, b'#' | b'\n')) {
            let after_mark = matches!(pattern.last(), None | Some(b'.' | b'(' | b')' | b' '));
            let is_mark = matches!(c, b'.' | b'(' | b')' | b',');
            if blank && !is_mark && !after_mark {
                pattern.push(b' ');
            }
            match c {
                b'"' => self.quoted(&mut pattern)?,
                _ => {
                    pattern.push(c);
                    self.next();
                }
            }
            if c == b',' {
                pattern.push(b' ');
            }
            blank = self.skip_blanks();
        }
        Ok(pattern)
    }

    /// A quoted name, which keeps its quotes: they mean the same in a pattern.
    fn quoted(&mut self, pattern: &mut BString) -> std::result::Result<(), Wrong> {
        let begun = self.line;
        pattern.extend(self.next());
        loop {
            match self.next() {
                None => return Err((begun, "the quotes are not closed".into())),
                Some(b'"') => {
                    pattern.push(b'"');
                    if self.peek() != Some(b'"') {
                        return Ok(());
                    }
                    pattern.extend(self.next());
                }
                Some(b'\\') => match self.next() {
                    Some(b'n') => pattern.push(b'\n'),
                    Some(b'\\') => pattern.push(b'\\'),
                    _ => return self.wrong("inside of quotes, a backslash is followed by n or by another backslash"),
                },
                Some(b'\r') if self.peek() == Some(b'\n') => {}
                Some(c) => pattern.push(c),
            }
        }
    }
}

fn is_blank(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &str) -> Vec<String> {
        parse(text.as_bytes()).unwrap().into_iter().map(|rule| rule.pattern.to_string()).collect()
    }

    #[test]
    fn reads_rules_and_passes_over_comments_and_empty_lines() {
        let rules = parse(b"# all\n\n  include TABLE a.b # one\r\nExclude table_data_and_children c\n\t\n").unwrap();
        let expected = [
            Rule { include: true, subject: Subject::Table, pattern: "a.b".into(), line: 3 },
            Rule { include: false, subject: Subject::TableDataAndChildren, pattern: "c".into(), line: 4 },
        ];
        assert_eq!(rules, expected);
    }

    #[test]
    fn blanks_count_only_where_they_part_words() {
        assert_eq!(
            patterns("include function  f ( int ,double   precision )  \ninclude table \"a b\" . \"c\"\n"),
            ["f(int, double precision)", "\"a b\".\"c\""]
        );
    }

    #[test]
    fn quoted_names_may_hold_anything() {
        assert_eq!(
            patterns("include table \"a # \"\"b\"\"\nc\\n\\\\d\".e\nexclude schema x"),
            ["\"a # \"\"b\"\"\nc\n\\d\".e", "x"]
        );
    }

    #[test]
    fn nonsense_is_an_error_with_its_line() {
        for (text, line, word) in [
            ("include table a\nkeep table b", 2, "keep"),
            ("include", 1, "say what"),
            ("include view v", 1, "view"),
            ("exclude table # none", 1, "missing"),
            ("exclude table", 1, "missing"),
            ("\n\ninclude table \"a\nb\n", 3, "closed"),
            ("include table \"a\\b\"", 1, "backslash"),
        ] {
            let (at, why) = parse(text.as_bytes()).unwrap_err();
            assert!(at == line && why.contains(word), "{text:?}: line {at}: {why}");
        }
    }
}
