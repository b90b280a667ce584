//! The rows of a COPY statement, as far as they can be checked without a server.

use bstr::ByteSlice;

use super::characters::Characters;
use crate::postgres::archive::copy_statement::CopyStatement;
use crate::postgres::archive::copy_text::{CopyScanner, Event, Row};
use crate::sql::Encoding;

/// How many rows with a wrong number of columns are told one by one.
const TOLD: usize = 3;

/// Goes along with the data of a COPY statement: counts its rows, and the columns of each.
#[derive(Debug)]
pub struct RowCheck {
    scanner: CopyScanner,
    columns: Columns,
    characters: Characters,
    /// The first row with a byte that no server takes, and what that is.
    wrong_byte: Option<(u64, String)>,
}

/// Goes along with the rows, and holds their columns against those that there must be.
#[derive(Debug)]
struct Columns {
    /// How many each row must have; where the statement names none, as many as the first row.
    expected: Option<u64>,
    rows: u64,
    /// Rows that have another number: the first few of them, and how many in all.
    wrong: Vec<(u64, u64)>,
    wrong_rows: u64,
}

impl Columns {
    fn take(&mut self, row: Row) {
        self.rows += 1;
        // A row of no columns and one of a single empty column look the same.
        let may_have_none = matches!(self.expected, None | Some(0));
        let columns = if row.is_empty && may_have_none { 0 } else { row.tabs + 1 };
        if *self.expected.get_or_insert(columns) != columns {
            self.wrong_rows += 1;
            if self.wrong.len() < TOLD {
                self.wrong.push((self.rows, columns));
            }
        }
    }

    fn problems(&self) -> Vec<String> {
        let Some(expected) = self.expected else { return Vec::new() };
        let named = |n: u64| if n == 1 { "1 column".to_owned() } else { format!("{n} columns") };
        let told = |(row, columns): &(u64, u64)| {
            format!("row {row} has {}, and its COPY names {}", named(*columns), named(expected))
        };
        let mut problems: Vec<String> = self.wrong.iter().map(told).collect();
        if self.wrong_rows > TOLD as u64 {
            problems.push(format!("{} rows have a wrong number of columns in all", self.wrong_rows));
        }
        problems
    }
}

impl RowCheck {
    /// A check of what comes after `statement`, in an archive of that encoding.
    pub fn new(statement: &CopyStatement, encoding: &[u8]) -> Self {
        Self {
            scanner: CopyScanner::with_columns(Encoding::of(encoding.as_bstr())),
            columns: Columns { expected: statement.columns, rows: 0, wrong: Vec::new(), wrong_rows: 0 },
            characters: Characters::of(encoding),
            wrong_byte: None,
        }
    }

    /// Takes the next piece of the data.
    pub fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        // A server takes no rows at all of data with such a byte. Formats without checksums tell of damage by it.
        if self.wrong_byte.is_none()
            && !self.scanner.has_ended()
            && let Some(at) = self.characters.first_wrong(piece)
        {
            self.go_on(&piece[..at]);
            if !self.scanner.has_ended() {
                let what = match piece[at] {
                    0 => "a zero byte".to_owned(),
                    _ => format!("a byte that is no character in {}", self.characters.name()),
                };
                self.wrong_byte = Some((self.rows() + 1, what));
            }
            rest = &piece[at..];
        }
        self.go_on(rest);
    }

    fn go_on(&mut self, piece: &[u8]) {
        self.scanner.feed_rows(piece, |event| {
            if let Event::End(row) = event {
                self.columns.take(row);
            }
        });
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.scanner.rows()
    }

    /// What is wrong with the data, all of which was fed.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = Vec::new();
        problems.extend(self.wrong_byte.as_ref().map(|(row, what)| format!("row {row} has {what}")));
        problems.extend(self.columns.problems());
        if self.scanner.has_trailing() {
            problems.push("there is something after the end mark of the rows".to_owned());
        }
        if !self.scanner.has_ended() {
            problems.push(format!("the rows have no end mark: after {} they are cut off", self.rows()));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, encoding: &str, data: &[u8]) -> (u64, Vec<String>) {
        let copy = CopyStatement::parse(statement.as_bytes()).unwrap();
        let whole = {
            let mut check = RowCheck::new(&copy, encoding.as_bytes());
            check.feed(data);
            (check.rows(), check.problems())
        };
        for size in 1..data.len() {
            let mut check = RowCheck::new(&copy, encoding.as_bytes());
            data.chunks(size).for_each(|piece| check.feed(piece));
            assert_eq!((check.rows(), check.problems()), whole, "{:?} by {size}", bstr::BStr::new(data));
        }
        whole
    }

    const TWO: &str = "COPY public.t (a, b) FROM stdin;\n";

    #[test]
    fn rows_and_their_columns_are_counted_however_the_data_is_cut() {
        let none: [&str; 0] = [];
        for (statement, data, rows, problems) in [
            (TWO, &b"\\.\n\n\n"[..], 0, &none[..]),
            (TWO, b"1\t2\n\\N\t\\N\n\t\n\\.\n\n\n", 3, &none),
            (TWO, b"a\\\tb\tc\n\\\\\tx\n\\.x\t\\.\n\\.\n", 3, &none),
            (
                TWO,
                b"1\t2\n\xff\n\\.\n",
                2,
                &["row 2 has a byte that is no character in UTF-8", "row 2 has 1 column, and its COPY names 2 columns"],
            ),
            (TWO, "1\tä€\u{10ffff}\n2\t\\\\303\n\\.\n".as_bytes(), 2, &none),
            (TWO, b"1\t\xc3\n2\t\0\n\\.\n", 2, &["row 1 has a byte that is no character in UTF-8"]),
            (TWO, b"1\t\xe2\x82\n\\.\n", 1, &["row 1 has a byte that is no character in UTF-8"]),
            (TWO, b"1\tx\n2\t\0\0\n\\.\n", 2, &["row 2 has a zero byte"]),
            (
                TWO,
                b"1\t2\t3\n\\.\nmore",
                1,
                &[
                    "row 1 has 3 columns, and its COPY names 2 columns",
                    "there is something after the end mark of the rows",
                ],
            ),
            (TWO, b"1\t2\n3\t", 1, &["the rows have no end mark: after 1 they are cut off"]),
            (TWO, b"", 0, &["the rows have no end mark: after 0 they are cut off"]),
            (TWO, b"\\.", 0, &["the rows have no end mark: after 0 they are cut off"]),
            ("COPY e  FROM stdin;\n", b"\n\n\\.\n\n\n", 2, &none),
            ("COPY e  FROM stdin;\n", b"\nx\n\\.\n\n\n", 2, &["row 2 has 1 column, and its COPY names 0 columns"]),
            ("COPY t FROM stdin;\n", b"1\t2\n3\n\\.\n", 2, &["row 2 has 1 column, and its COPY names 2 columns"]),
            ("COPY t (a) FROM stdin;\n", b"\n\n\\.\n", 2, &none),
            (
                TWO,
                b"1\n2\n3\n4\n\\.\n",
                4,
                &[
                    "row 1 has 1 column, and its COPY names 2 columns",
                    "row 2 has 1 column, and its COPY names 2 columns",
                    "row 3 has 1 column, and its COPY names 2 columns",
                    "4 rows have a wrong number of columns in all",
                ],
            ),
        ] {
            let problems: Vec<String> = problems.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(check(statement, "UTF8", data), (rows, problems), "{:?}", bstr::BStr::new(data));
        }
    }

    #[test]
    fn half_a_character_is_no_backslash() {
        // The second byte of this character is a backslash, and a tab follows it.
        let data = b"\x83\x5c\tb\n\\.\n";
        assert_eq!(check(TWO, "SJIS", data).1, Vec::<String>::new());
        assert_eq!(check(TWO, "GBK", b"\x81\x5c\t\x81\x30\x81\x5c\n\\.\n").1, Vec::<String>::new());
        // In this encoding, 0xb1 is a character by itself.
        assert_eq!(check(TWO, "SJIS", b"\xb1\\\tb\tc\n\\.\n").1, Vec::<String>::new());
        // Where it is none, both the byte and the columns are wrong.
        assert_eq!(check(TWO, "UTF8", data).1.len(), 2);
    }
}
