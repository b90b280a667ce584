//! Patterns for names, by the rules of psql.

use bstr::{BStr, BString, ByteSlice};

use crate::sql::{Encoding, LaterBytes};

/// A pattern, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Regular expressions for the parts, the last one being the name's.
    parts: Vec<BString>,
    /// What stands before the first dot, without quotes and otherwise as it was typed.
    first: BString,
    /// How many dots part something.
    pub dots: usize,
    /// How many parts there may be.
    most: usize,
}

impl Pattern {
    /// Takes a pattern apart. There are at most `most` parts; further dots are a part of the last one, and counted.
    pub(super) fn parse(text: &BStr, most: usize, encoding: Encoding) -> Self {
        let mut pattern = Self { parts: vec!["^(".into()], first: BString::default(), dots: 0, most };
        let mut quoted = false;
        let mut later = LaterBytes::of(encoding);
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                _ if later.has(byte) => pattern.push(byte, &[byte]),
                b'"' if quoted && bytes.next_if_eq(&b'"').is_some() => pattern.push(b'"', b"\""),
                b'"' => quoted = !quoted,
                // In names a dollar sign is common, and the end needs no mark.
                b'$' => pattern.push(byte, b"\\$"),
                _ if quoted && b"|*+?()[]{}.^\\".contains(&byte) => pattern.push(byte, &[b'\\', byte]),
                _ if quoted => pattern.push(byte, &[byte]),
                b'*' => pattern.push(byte, b".*"),
                b'?' => pattern.push(byte, b"."),
                b'.' => {
                    pattern.dots += 1;
                    if pattern.parts.len() < most {
                        pattern.close();
                        pattern.parts.push("^(".into());
                    } else {
                        pattern.push(byte, b".");
                    }
                }
                // More likely an array type than an empty set of characters.
                b'[' if bytes.peek() == Some(&b']') => pattern.push(byte, b"\\["),
                _ => {
                    let folded = byte.to_ascii_lowercase();
                    pattern.push(folded, &[folded]);
                }
            }
        }
        pattern.close();
        pattern
    }

    fn push(&mut self, plain: u8, expression: &[u8]) {
        if self.dots == 0 {
            self.first.push(plain);
        }
        if let Some(part) = self.parts.last_mut() {
            part.extend_from_slice(expression);
        }
    }

    fn close(&mut self) {
        if let Some(part) = self.parts.last_mut() {
            part.extend_from_slice(b")$");
        }
    }

    /// The regular expression for the name.
    pub(super) fn name(&self) -> &BStr {
        self.parts.last().map(|part| part.as_bstr()).unwrap_or_default()
    }

    /// The regular expression for the schema's name, if the pattern has one.
    pub(super) fn schema(&self) -> Option<&BStr> {
        self.parts.iter().rev().nth(1).map(|part| part.as_bstr())
    }

    /// The database's name, literally, if the pattern has one.
    pub(super) fn database(&self) -> Option<&BStr> {
        (self.most > 1 && self.parts.len() == self.most).then(|| self.first.as_bstr())
    }
}

/// The regular expression for databases' names; none for a pattern with dots, for they part no name of a database.
pub(in crate::postgres) fn of_databases(text: &BStr, encoding: Encoding) -> Option<BString> {
    let pattern = Pattern::parse(text, 1, encoding);
    (pattern.dots == 0).then(|| pattern.name().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, Option<String>, String, usize) {
        let pattern = Pattern::parse(text.into(), 3, Encoding::Safe);
        let text = |part: &BStr| part.to_string();
        (pattern.database().map(text), pattern.schema().map(text), text(pattern.name()), pattern.dots)
    }

    fn name(text: &str) -> String {
        parsed(text).2
    }

    #[test]
    fn wildcards_become_regular_expressions_and_case_is_folded() {
        assert_eq!(name("Emp*"), "^(emp.*)$");
        assert_eq!(name("t?"), "^(t.)$");
        assert_eq!(name("a|b+[0-9]"), "^(a|b+[0-9])$");
        assert_eq!(name("x[]"), "^(x\\[])$");
        assert_eq!(name("a$b"), "^(a\\$b)$");
        assert_eq!(name("\u{c4}b"), "^(\u{c4}b)$");
        assert_eq!(name(""), "^()$");
    }

    #[test]
    fn quotes_take_meaning_away() {
        assert_eq!(name("\"A*b.c\"D"), "^(A\\*b\\.cd)$");
        assert_eq!(name("\"a\"\"b\""), "^(a\"b)$");
        assert_eq!(name("\"a$\"\"\""), "^(a\\$\")$");
        assert_eq!(name("\"[]\""), "^(\\[\\])$");
        assert_eq!(name("a\"\"b"), "^(ab)$");
    }

    #[test]
    fn dots_part_schema_and_database_from_the_name() {
        let part = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("s*.t"), (None, part("^(s.*)$"), "^(t)$".into(), 1));
        assert_eq!(parsed("\"D.b\"x*.s.t"), (part("D.bx*"), part("^(s)$"), "^(t)$".into(), 2));
        assert_eq!(parsed("d.s.t.u"), (part("d"), part("^(s)$"), "^(t.u)$".into(), 3));
        let alone = Pattern::parse("a.b".into(), 1, Encoding::Safe);
        assert_eq!((alone.name(), alone.database(), alone.dots), ("^(a.b)$".into(), None, 1));
        let schema = Pattern::parse("d.s".into(), 2, Encoding::Safe);
        assert_eq!((schema.name(), schema.database(), schema.dots), ("^(s)$".into(), Some("d".into()), 1));
    }

    #[test]
    fn later_bytes_of_characters_mean_nothing() {
        let pattern = Pattern::parse(b"\x95\x5cA\x83\x41\"\x95\x5c|\"".as_bstr(), 3, Encoding::Sjis);
        assert_eq!(pattern.name(), b"^(\x95\x5ca\x83\x41\x95\x5c\\|)$".as_bstr());
    }
}
