//! The statements that an archive may have for rows, and nothing else: `COPY table (columns) FROM stdin`, or INSERT. An archive
//! can say anything in their place, and whoever restores only data expects that nothing but data comes out of it.

use std::iter::Peekable;

use bstr::BString;

use crate::sql::lexer::{Kind, Token, tokens};
use crate::sql::quote;

/// What is wrong with another statement in the place of COPY.
pub(in crate::postgres) const IS_NONE: &str = "its statement for rows is not COPY … FROM stdin, and no other is run: it is damaged, or was made for something else";
/// What is wrong with another statement among rows.
pub(in crate::postgres) const IS_NO_DATA: &str = "there is a statement in its data that inserts no rows, and no other is run: it is damaged, or was made for something else";

/// A statement that takes rows from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) struct CopyStatement {
    /// The schema that the table is said to be in; archives of before March 2018 rely on the search path.
    pub schema: Option<BString>,
    /// The table.
    pub table: BString,
    /// How many columns each row has, where the statement names them; with the OID that old tables have.
    pub columns: Option<u64>,
}

impl CopyStatement {
    /// Reads a statement of the form that every version of pg_dump writes; `None` if it is anything else.
    pub fn parse(statement: &[u8]) -> Option<Self> {
        let mut rest = Words::of(statement);
        rest.word("COPY")?;
        let (schema, table) = rest.qualified()?;
        let mut columns = None;
        if rest.sign(b'(') {
            let mut count = 0;
            if !rest.sign(b')') {
                loop {
                    rest.name()?;
                    count += 1;
                    if rest.sign(b')') {
                        break;
                    }
                    rest.sign(b',').then_some(())?;
                }
            }
            columns = Some(count);
        }
        if rest.word("WITH").is_some() {
            rest.word("OIDS")?;
            columns = columns.map(|count| count + 1);
        }
        rest.word("FROM")?;
        rest.word("STDIN")?;
        rest.sign(b';');
        rest.is_over().then_some(Self { schema, table, columns })
    }
}

/// The name, with a schema's before it or not, that a text consists of.
pub(in crate::postgres) fn qualified_name(text: &[u8]) -> Option<(Option<BString>, BString)> {
    let mut rest = Words::of(text);
    let name = rest.qualified()?;
    rest.is_over().then_some(name)
}

/// Whether one of the statements that an entry's data consists of may be one: those of rows insert, and those of `BLOB
/// COMMENTS`, which only archives of before 9.0 have, say something about large objects.
pub(in crate::postgres) fn is_of_data(desc: &[u8], statement: &[u8]) -> bool {
    let words: &[&str] = match desc {
        b"BLOB COMMENTS" => &["COMMENT", "ON", "LARGE", "OBJECT"],
        _ => &["INSERT", "INTO"],
    };
    let mut rest = Words::of(statement);
    while rest.0.next_if(|token| token.kind == Kind::LineComment).is_some() {}
    words.iter().all(|word| rest.word(word).is_some())
}

/// What is left of a statement.
struct Words<'a>(Peekable<Box<dyn Iterator<Item = Token<'a>> + 'a>>);

impl<'a> Words<'a> {
    fn of(statement: &'a [u8]) -> Self {
        let tokens: Box<dyn Iterator<Item = Token<'a>> + 'a> =
            Box::new(tokens(statement).filter(|token| token.kind != Kind::Space));
        Self(tokens.peekable())
    }

    /// Goes past a key word, if that comes next.
    fn word(&mut self, word: &str) -> Option<()> {
        let is_it = |token: &Token<'_>| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word.as_bytes());
        self.0.next_if(is_it).map(|_| ())
    }

    /// Goes past a name, as it is without its quotes.
    fn name(&mut self) -> Option<BString> {
        let token = self.0.next()?;
        let name = match token.kind {
            Kind::Word if !token.text.first()?.is_ascii_digit() => token.text.to_ascii_lowercase(),
            Kind::Name => quote::unquoted(token.text)?,
            _ => return None,
        };
        (!name.is_empty()).then(|| name.into())
    }

    /// Goes past a name that may have a schema's before it.
    fn qualified(&mut self) -> Option<(Option<BString>, BString)> {
        let name = self.name()?;
        if self.sign(b'.') { Some((Some(name), self.name()?)) } else { Some((None, name)) }
    }

    /// Goes past a sign, if that comes next.
    fn sign(&mut self, sign: u8) -> bool {
        self.0.next_if(|token| token.is_mark(sign)).is_some()
    }

    fn is_over(&mut self) -> bool {
        self.0.peek().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_every_pg_dump_are_read() {
        for (statement, schema, table, columns) in [
            ("COPY public.t (a, b) FROM stdin;\n", Some("public"), "t", Some(2)),
            ("COPY t (a) FROM stdin;\n", None, "t", Some(1)),
            ("COPY \"a (b, c)\".\"t\"\"(\" (\"x,)\", y, \"(\"\"\") FROM stdin;\n", Some("a (b, c)"), "t\"(", Some(3)),
            ("COPY t (a, b) WITH OIDS FROM stdin;\n", None, "t", Some(3)),
            ("COPY t WITH OIDS FROM stdin;\n", None, "t", None),
            ("COPY public.e  FROM stdin;\n", Some("public"), "e", None),
            ("COPY e () FROM stdin;", None, "e", Some(0)),
            ("COPY \"from\".\"stdin;\" (\"with\") FROM STDIN", Some("from"), "stdin;", Some(1)),
            ("COPY sch\u{e9}ma.\"T\"(a) FROM stdin;", Some("sch\u{e9}ma"), "T", Some(1)),
        ] {
            let copy = CopyStatement::parse(statement.as_bytes()).unwrap();
            let expected = CopyStatement { schema: schema.map(BString::from), table: table.into(), columns };
            assert_eq!(copy, expected, "{statement}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for statement in [
            "",
            "COPY",
            "COPY t FROM PROGRAM 'id';",
            "COPY t FROM '/etc/passwd';",
            "COPY t TO stdout;",
            "COPY (SELECT 1) TO stdout;",
            "COPY (DELETE FROM t RETURNING 1) TO stdout;",
            "COPY t FROM stdin; DROP TABLE t;",
            "COPY t FROM stdin WHERE evil();",
            "COPY t FROM stdin WITH (FORMAT binary);",
            "COPY t (a, FROM stdin;",
            "COPY t (a,) FROM stdin;",
            "COPY t (a b) FROM stdin;",
            "COPY \"t FROM stdin;",
            "COPY \"\" FROM stdin;",
            "COPY U&\"t\" FROM stdin;",
            "COPY a.b.c FROM stdin;",
            "COPY t WITH BINARY FROM stdin;",
            "COPY BINARY t FROM stdin;",
            "COPY t /* x */ FROM stdin;",
            "COPYt FROM stdin;",
            "DELETE FROM t;",
        ] {
            assert_eq!(CopyStatement::parse(statement.as_bytes()), None, "{statement}");
        }
    }

    #[test]
    fn data_is_inserted_or_says_something_about_large_objects() {
        let rows = |statement: &str| is_of_data(b"TABLE DATA", statement.as_bytes());
        assert!(rows("\nINSERT INTO t VALUES (1);") && rows("-- rows\n insert\ninto t VALUES (1);"));
        assert!(
            !rows("DELETE FROM t;")
                && !rows("INSERTINTO t;")
                && !rows("-- INSERT INTO t")
                && !rows("COPY t FROM stdin;")
        );
        let comment = "COMMENT ON LARGE OBJECT 1 IS 'x';";
        assert!(is_of_data(b"BLOB COMMENTS", comment.as_bytes()) && !rows(comment));
    }
}
