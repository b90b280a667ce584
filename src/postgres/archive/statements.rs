//! Cutting a stream of SQL into its statements: the data of archives that `pg_dump --inserts` makes.

use crate::sql::lexer::{Kind, Lexer};

/// The longest statement, in bytes. A server takes no message of 1 GiB.
const LONGEST: usize = 1 << 30;
/// The longest delimiter of dollar quotes. Nobody writes one of that length, and what could be one is kept until it is known.
const LONGEST_DELIMITER: usize = 64 * 1024;
/// From this length on, a statement is given away with the memory that it lies in: there is not room for two of every statement.
const LONG: usize = 1024 * 1024;

/// Takes a stream in pieces and gives its statements whole.
#[derive(Debug)]
pub struct StatementSplitter {
    /// What was not given away yet begins at `begin`: statements that are complete, and the beginning of one that is not.
    text: Vec<u8>,
    begin: usize,
    /// How far into it the tokens are known.
    scanned: usize,
    lexer: Lexer,
    longest: usize,
}

impl StatementSplitter {
    /// Nothing yet. `standard_strings` says whether backslashes are ordinary characters in plain strings.
    pub fn new(standard_strings: bool) -> Self {
        Self { text: Vec::new(), begin: 0, scanned: 0, lexer: Lexer::new(standard_strings), longest: LONGEST }
    }

    /// Takes the next piece; [`StatementSplitter::next_statement`] gives what became complete by it.
    pub fn feed(&mut self, piece: &[u8]) {
        self.forget();
        self.text.extend_from_slice(piece);
    }

    /// What is wrong with the statement that is not complete yet, if it or what is in it is too long. There is nothing else to keep it from taking all of the
    /// memory.
    pub fn what_is_too_long(&self) -> Option<&'static str> {
        if self.text.len() - self.begin > self.longest {
            Some("is longer than 1 GiB, which no server takes")
        } else if self.text.len() - self.scanned > LONGEST_DELIMITER {
            Some("has dollar quotes whose delimiter is longer than 64 KiB")
        } else {
            None
        }
    }

    /// Lets go of what was given away.
    fn forget(&mut self) {
        self.text.drain(..self.begin);
        self.scanned -= self.begin;
        self.begin = 0;
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
        let is_cut = end.is_none() && !matches!(self.lexer.open(), None | Some(Kind::LineComment));
        (self.text[self.begin..].trim_ascii().to_vec(), is_cut)
    }

    /// Where the first statement ends. Unless the stream `is_over`, what could go on in the next piece is left for then.
    fn find_end(&mut self, is_over: bool) -> Option<usize> {
        while let Some((kind, length)) = self.lexer.next(&self.text[self.scanned..], is_over) {
            self.scanned += length;
            if kind == Kind::Mark && self.text[self.scanned - 1] == b';' {
                return Some(self.scanned);
            }
        }
        None
    }
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
            // What a server takes for the end of a statement is not hidden by a quote in a comment.
            (
                "INSERT INTO t VALUES (1) /* ' */; DROP TABLE x; -- '\n;",
                true,
                &["INSERT INTO t VALUES (1) /* ' */;", "DROP TABLE x;", "-- '\n;"],
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
        assert_eq!(splitter.what_is_too_long(), None);
        splitter.feed(b"aaaaaaaaaaaaaaaaaaaaaaa");
        assert!(splitter.next_statement().is_none());
        assert!(splitter.what_is_too_long().unwrap().contains("1 GiB"));
        let mut splitter = StatementSplitter::new(true);
        splitter.feed(&[b"SELECT $".as_slice(), &[b'a'; LONGEST_DELIMITER]].concat());
        assert!(splitter.next_statement().is_none());
        assert!(splitter.what_is_too_long().unwrap().contains("64 KiB"));
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
