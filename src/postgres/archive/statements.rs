//! Cutting a stream of SQL into its statements: the data of archives that `pg_dump --inserts` makes.

/// The longest statement, in bytes. A server takes no message of 1 GiB.
const LONGEST: usize = 1 << 30;
/// From this length on, a statement is given away with the memory that it lies in: there is not room for two of every statement.
const LONG: usize = 1024 * 1024;
/// The longest delimiter of a string in dollar quotes, in bytes; nobody writes one of that length.
const LONGEST_DELIMITER: usize = 1024;

/// Takes a stream in pieces and gives its statements whole.
#[derive(Debug)]
pub struct StatementSplitter {
    /// What was not given away yet begins at `begin`: statements that are complete, and the beginning of one that is not.
    text: Vec<u8>,
    begin: usize,
    /// How far into it the quotes are known.
    scanned: usize,
    within: Within,
    standard_strings: bool,
    longest: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    /// A name in double quotes.
    Name,
    /// A string; in some, a backslash takes away the meaning of what follows it.
    Text {
        backslash: bool,
    },
    /// A string in dollar quotes, whose delimiter lies between these offsets.
    Dollar {
        start: usize,
        end: usize,
    },
    /// A comment to the end of the line.
    Comment,
}

impl StatementSplitter {
    /// Nothing yet. `standard_strings` says whether backslashes are ordinary characters in plain strings.
    pub fn new(standard_strings: bool) -> Self {
        Self { text: Vec::new(), begin: 0, scanned: 0, within: Within::Nothing, standard_strings, longest: LONGEST }
    }

    /// Takes the next piece; [`StatementSplitter::next_statement`] gives what became complete by it.
    pub fn feed(&mut self, piece: &[u8]) {
        self.forget();
        self.text.extend_from_slice(piece);
    }

    /// Whether the statement that is not complete yet is longer than any that a server takes. There is nothing else to keep
    /// it from taking all of the memory.
    pub fn is_too_long(&self) -> bool {
        self.text.len() - self.begin > self.longest
    }

    /// Lets go of what was given away.
    fn forget(&mut self) {
        let Self { text, begin, scanned, within, .. } = self;
        text.drain(..*begin);
        *scanned -= *begin;
        if let Within::Dollar { start, end } = within {
            *start -= *begin;
            *end -= *begin;
        }
        *begin = 0;
    }

    /// The next complete statement, with its semicolon.
    pub fn next_statement(&mut self) -> Option<Vec<u8>> {
        let end = self.find_end(false)?;
        if end - self.begin >= LONG {
            return Some(self.take_long(end));
        }
        let statement = self.text[self.begin..end].to_vec();
        self.begin = end;
        Some(statement)
    }

    /// The first statement, which ends at `end`, in the memory that it lies in. What follows it is less than a piece.
    fn take_long(&mut self, end: usize) -> Vec<u8> {
        let end = end - self.begin;
        self.forget();
        let rest = self.text.split_off(end);
        self.scanned -= end;
        std::mem::replace(&mut self.text, rest)
    }

    /// What is left when the stream is over: a statement without its semicolon, or nothing but white space. Where it
    /// ends within quotes, it was cut off.
    pub fn finish(mut self) -> (Vec<u8>, bool) {
        let end = self.find_end(true);
        let is_cut = end.is_none() && !matches!(self.within, Within::Nothing | Within::Comment);
        let text = self.text[self.begin..].trim_ascii().to_vec();
        (text, is_cut)
    }

    /// Where the first statement ends. Unless the stream `is_over`, what could go on in the next piece is left for then.
    fn find_end(&mut self, is_over: bool) -> Option<usize> {
        while let Some(&byte) = self.text.get(self.scanned) {
            let at = self.scanned;
            let next = self.text.get(at + 1).copied();
            self.scanned += 1;
            match self.within {
                Within::Nothing => match byte {
                    b';' => return Some(self.scanned),
                    b'"' => self.within = Within::Name,
                    b'\'' => {
                        let backslash = !self.standard_strings || self.is_escape_string(at);
                        self.within = Within::Text { backslash };
                    }
                    b'-' | b'$' if next.is_none() && !is_over => {
                        self.scanned = at;
                        return None;
                    }
                    b'-' if next == Some(b'-') => self.within = Within::Comment,
                    b'$' => match self.dollar_delimiter(at) {
                        Some(Some(end)) => {
                            self.within = Within::Dollar { start: at, end };
                            self.scanned = end;
                        }
                        Some(None) => {}
                        None if is_over => {}
                        None => {
                            self.scanned = at;
                            return None;
                        }
                    },
                    _ => {}
                },
                // A doubled quote closes and opens again at once, which comes to the same.
                Within::Name if byte == b'"' => self.within = Within::Nothing,
                Within::Text { backslash: true } if byte == b'\\' => {
                    if next.is_none() {
                        self.scanned = at;
                        return None;
                    }
                    self.scanned += 1;
                }
                Within::Text { backslash } if byte == b'\'' => {
                    // Doubled quotes stay within: the string that opens again must be of the same sort.
                    match next {
                        Some(b'\'') => self.scanned += 1,
                        Some(_) => self.within = Within::Nothing,
                        None if is_over => self.within = Within::Nothing,
                        None => {
                            self.scanned = at;
                            self.within = Within::Text { backslash };
                            return None;
                        }
                    }
                }
                Within::Dollar { start, end } if byte == b'$' => {
                    let len = end - start;
                    if self.scanned >= end + len && self.text[self.scanned - len..self.scanned] == self.text[start..end]
                    {
                        self.within = Within::Nothing;
                    }
                }
                Within::Comment if byte == b'\n' => self.within = Within::Nothing,
                _ => {}
            }
        }
        None
    }

    /// Whether the quote at `at` follows an `E` that is a word of its own.
    fn is_escape_string(&self, at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).and_then(|at| self.text.get(at)).copied();
        matches!(before(1), Some(b'e' | b'E')) && !before(2).is_some_and(is_name_byte)
    }

    /// Where the delimiter that begins with the dollar at `at` ends; `Some(None)` if it is none, `None` if it may go on.
    fn dollar_delimiter(&self, at: usize) -> Option<Option<usize>> {
        if at.checked_sub(1).and_then(|before| self.text.get(before)).copied().is_some_and(is_name_byte) {
            return Some(None);
        }
        for (offset, &byte) in self.text.iter().enumerate().skip(at + 1).take(LONGEST_DELIMITER) {
            match byte {
                b'$' => return Some(Some(offset + 1)),
                _ if offset == at + 1 && byte.is_ascii_digit() => return Some(None),
                _ if is_name_byte(byte) => {}
                _ => return Some(None),
            }
        }
        if self.text.len() - at > LONGEST_DELIMITER { Some(None) } else { None }
    }
}

/// Whether the byte can be part of a name without quotes; every byte of a character beyond ASCII can.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, size: usize, standard_strings: bool) -> (Vec<String>, String, bool) {
        let mut splitter = StatementSplitter::new(standard_strings);
        let mut statements = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            splitter.feed(piece);
            while let Some(statement) = splitter.next_statement() {
                statements.push(String::from_utf8(statement).unwrap().trim().to_owned());
            }
        }
        let (rest, is_cut) = splitter.finish();
        (statements, String::from_utf8(rest).unwrap(), is_cut)
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_quotes_however_the_stream_is_cut() {
        let cases: &[(&str, bool, &[&str])] = &[
            ("", true, &[]),
            ("\n\n", true, &[]),
            (
                "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\n\n\n",
                true,
                &["INSERT INTO a VALUES (1);", "INSERT INTO a VALUES (2);"],
            ),
            (
                "INSERT INTO a VALUES ('x;''y;', \"c;\"\"d;\");SELECT 1;",
                true,
                &["INSERT INTO a VALUES ('x;''y;', \"c;\"\"d;\");", "SELECT 1;"],
            ),
            ("SELECT '\\';SELECT 2;", true, &["SELECT '\\';", "SELECT 2;"]),
            ("SELECT '\\';SELECT 2;';", false, &["SELECT '\\';SELECT 2;';"]),
            ("SELECT E'\\';SELECT ''2;';", true, &["SELECT E'\\';SELECT ''2;';"]),
            ("SELECT namE'\\';SELECT 2;", true, &["SELECT namE'\\';", "SELECT 2;"]),
            (
                "SELECT $$;$$, $a$;$$;$b$;$a$, x$1;SELECT $1;",
                true,
                &["SELECT $$;$$, $a$;$$;$b$;$a$, x$1;", "SELECT $1;"],
            ),
            ("SELECT 1 - -1; -- no; end\nSELECT 2;", true, &["SELECT 1 - -1;", "-- no; end\nSELECT 2;"]),
        ];
        for (text, standard_strings, expected) in cases {
            for size in 1..=text.len().max(1) {
                let (statements, rest, is_cut) = split(text, size, *standard_strings);
                assert_eq!(statements, *expected, "{text} by {size}");
                assert_eq!((rest.as_str(), is_cut), ("", false), "{text} by {size}");
            }
        }
    }

    #[test]
    fn what_is_left_at_the_end_is_a_statement_or_was_cut_off() {
        assert_eq!(split("SELECT 1; SELECT 2\n", 3, true), (vec!["SELECT 1;".into()], "SELECT 2".into(), false));
        assert_eq!(split("SELECT 'abc", 4, true), (vec![], "SELECT 'abc".into(), true));
        assert_eq!(split("SELECT 'abc'", 4, true), (vec![], "SELECT 'abc'".into(), false));
    }

    #[test]
    fn statement_that_is_too_long_is_told_before_it_is_complete() {
        let mut splitter = StatementSplitter { longest: 20, ..StatementSplitter::new(true) };
        splitter.feed(b"SELECT 1; SELECT 2; SELECT 'aaaa");
        assert!(splitter.next_statement().is_some() && splitter.next_statement().is_some());
        assert!(!splitter.is_too_long());
        splitter.feed(b"aaaaaaaaaaaaaaaaaaaaaaa");
        assert!(splitter.next_statement().is_none());
        assert!(splitter.is_too_long());
    }

    #[test]
    fn delimiter_without_an_end_is_none() {
        let mut splitter = StatementSplitter::new(true);
        splitter.feed(b"SELECT $a");
        for _ in 0..2000 {
            splitter.feed(b"a");
            assert_eq!(splitter.next_statement(), None);
        }
        splitter.feed(b"; ");
        assert!(splitter.next_statement().is_some());
    }
}
