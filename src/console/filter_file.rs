//! The grammar of filter files, which pg_dump and pg_restore take: what to include and exclude, a rule a line.
//!
//! ```text
//! # a comment
//! include table_and_children "Odd name".measurements
//! exclude table_data audit.*
//! ```
//!
//! A pattern may be quoted, qualified and go over several lines inside of quotes, where `\n` is a line break and `\\` a
//! backslash.

use bstr::BString;

use crate::postgres::dump::Selection;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Subject {
    /// All of them, by the words of a filter file.
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Database, "database"),
        (Self::Extension, "extension"),
        (Self::ForeignData, "foreign_data"),
        (Self::Function, "function"),
        (Self::Index, "index"),
        (Self::Schema, "schema"),
        (Self::Table, "table"),
        (Self::TableAndChildren, "table_and_children"),
        (Self::TableData, "table_data"),
        (Self::TableDataAndChildren, "table_data_and_children"),
        (Self::Trigger, "trigger"),
    ];

    /// The word that a filter file has for it.
    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(subject, _)| *subject == self).map_or("", |(_, word)| word)
    }

    fn of_word(word: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(word)).map(|(subject, _)| *subject)
    }
}

/// One line of a filter file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Whether what matches is included; excluded otherwise.
    pub(crate) include: bool,
    /// What it is about.
    pub(crate) subject: Subject,
    /// The names that match, quotes and all.
    pub(crate) pattern: BString,
    /// The line it begins on, from 1.
    pub(crate) line: usize,
}

impl Rule {
    /// Takes it over into a selection for a dump; whether it is one that a dump can obey.
    pub(crate) fn select(&self, selection: &mut Selection) -> bool {
        let patterns = match (self.include, self.subject) {
            (true, Subject::Schema) => &mut selection.schemas,
            (true, Subject::Table) => &mut selection.tables,
            (true, Subject::TableAndChildren) => &mut selection.tables_and_children,
            (true, Subject::Extension) => &mut selection.extensions_beside_others,
            (true, Subject::ForeignData) => &mut selection.foreign_data,
            (false, Subject::Schema) => &mut selection.exclude_schemas,
            (false, Subject::Table) => &mut selection.exclude_tables,
            (false, Subject::TableAndChildren) => &mut selection.exclude_tables_and_children,
            (false, Subject::TableData) => &mut selection.exclude_table_data,
            (false, Subject::TableDataAndChildren) => &mut selection.exclude_table_data_and_children,
            (false, Subject::Extension) => &mut selection.exclude_extensions,
            _ => return false,
        };
        patterns.push(self.pattern.clone());
        true
    }
}

/// What is wrong with a line, and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) line: usize,
    pub(crate) fault: Fault,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It begins with this, which is neither include nor exclude.
    Verb(BString),
    /// It does not say what to include or exclude.
    NoSubject,
    /// This is nothing that can be filtered.
    Subject(BString),
    /// It has no pattern.
    NoPattern,
    /// The quotes around a name are not closed.
    OpenQuotes,
    /// A backslash inside of quotes stands before something else than n or another one.
    Backslash,
}

/// Reads the rules of a filter file.
///
/// # Errors
/// A line makes no sense.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Rule>, Wrong> {
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

    fn wrong<T>(&self, fault: Fault) -> Result<T, Wrong> {
        Err(Wrong { line: self.line, fault })
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

    fn rule(&mut self) -> Result<Rule, Wrong> {
        let line = self.line;
        let verb = self.word();
        let include = match verb.to_ascii_lowercase().as_slice() {
            b"include" => true,
            b"exclude" => false,
            _ => return self.wrong(Fault::Verb(verb.into())),
        };
        let word = self.word();
        if word.is_empty() {
            return self.wrong(Fault::NoSubject);
        }
        let Some(subject) = Subject::of_word(&word) else {
            return self.wrong(Fault::Subject(word.into()));
        };
        let pattern = self.pattern()?;
        if pattern.is_empty() {
            return self.wrong(Fault::NoPattern);
        }
        Ok(Rule { include, subject, pattern, line })
    }

    /// The pattern up to the end of the line or a comment. Blanks count only between words, as one; the names of
    /// functions have them in their arguments, after a comma.
    fn pattern(&mut self) -> Result<BString, Wrong> {
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
    fn quoted(&mut self, pattern: &mut BString) -> Result<(), Wrong> {
        let begun = self.line;
        pattern.extend(self.next());
        loop {
            match self.next() {
                None => return Err(Wrong { line: begun, fault: Fault::OpenQuotes }),
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
                    _ => return self.wrong(Fault::Backslash),
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
        for (text, line, fault) in [
            ("include table a\nkeep table b", 2, Fault::Verb("keep".into())),
            ("include", 1, Fault::NoSubject),
            ("include view v", 1, Fault::Subject("view".into())),
            ("exclude table # none", 1, Fault::NoPattern),
            ("exclude table", 1, Fault::NoPattern),
            ("\n\ninclude table \"a\nb\n", 3, Fault::OpenQuotes),
            ("include table \"a\\b\"", 1, Fault::Backslash),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Wrong { line, fault }), "{text:?}");
        }
    }
}
