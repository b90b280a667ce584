//! Rows as INSERT statements, made here of what COPY sends.
//!
//! pg_dump selects the rows by a cursor for that. COPY writes values by the same functions of their types, and so the same texts,
//! and never plans a query over the table, which would run functions in the expressions of its indexes, whoever wrote them. It
//! also sends rows as they come, without a round trip for every hundred of them.
//!
//! Text that psql could take for a command of its own, where it has lost track of quotes, is written otherwise than pg_dump does
//! ([`harmless`]).

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::dump::InsertForm;
use crate::sql::harmless::{self, Literals};
use crate::sql::{Encoding, LaterBytes, Sql};

/// What ends the statements in an archive: empty lines.
const END: &[u8] = b"\n\n";
/// No number is longer: `numeric` has 131,072 digits before the point and 16,383 after it.
const LONGEST_NUMBER: usize = 256 * 1024;

/// How a column's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Not at all: the server makes them.
    Default,
    /// As they are, but for those that are words.
    Number,
    /// In quotes, with a B before them.
    Bits,
    /// As the words for them.
    Boolean,
    /// In quotes.
    Text,
}

impl Value {
    /// Of the type with this OID, which is no domain.
    pub fn of_type(oid: u32) -> Self {
        match oid {
            // int8, int2, int4, oid, float4, float8, numeric
            20 | 21 | 23 | 26 | 700 | 701 | 1700 => Self::Number,
            // bit, varbit
            1560 | 1562 => Self::Bits,
            16 => Self::Boolean,
            _ => Self::Text,
        }
    }
}

/// The statements for a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inserts {
    /// Up to the values.
    begin: BString,
    /// How each column's values are written, in the order of the columns.
    columns: Vec<Value>,
    form: InsertForm,
    /// Whether a backslash in a literal is a plain character.
    standard_strings: bool,
}

impl Inserts {
    /// For a table whose name is quoted; `begin` is what comes between that and the values, in the style of all of it.
    pub fn new(table: &Sql, begin: &Sql, columns: Vec<Value>, form: InsertForm, standard_strings: bool) -> Self {
        let mut sql = Sql::styled(begin.style());
        sql.kw("INSERT INTO ").sql(table).kw(" ");
        match columns.is_empty() {
            true => sql.kw("DEFAULT VALUES;\n"),
            false => sql.sql(begin).kw(if form.rows_per_insert > 1 { "VALUES\n\t(" } else { "VALUES (" }),
        };
        let begin = harmless::statements(sql.as_bstr(), standard_strings, sql.style().encoding).into_owned().into();
        Self { begin, columns, form, standard_strings }
    }

    fn end(&self) -> &'static [u8] {
        if self.form.on_conflict_do_nothing { b" ON CONFLICT DO NOTHING;\n" } else { b";\n" }
    }
}

/// Where in the rows the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between two rows.
    Begin,
    /// Before a value.
    Before,
    /// After a backslash that begins a value.
    Escaped,
    /// After what stands for NULL.
    Null,
    /// In a value, perhaps after a backslash.
    Within { is_escaped: bool },
}

/// Makes statements of rows in COPY's text format, which come in pieces.
pub(super) struct Statements<'a> {
    inserts: &'a Inserts,
    later_bytes: LaterBytes,
    place: Place,
    /// The column that the next value is of.
    column: usize,
    /// How its values are written; a number that is too long for one is text.
    value: Value,
    /// What came of a value that must be known before it is written.
    held: Vec<u8>,
    /// How many rows the open statement has.
    rows: u32,
    literals: Literals,
}

impl<'a> Statements<'a> {
    pub(super) fn new(inserts: &'a Inserts, encoding: Encoding) -> Self {
        Self {
            inserts,
            later_bytes: LaterBytes::of(encoding),
            place: Place::Begin,
            column: 0,
            value: Value::Text,
            held: Vec::new(),
            rows: 0,
            literals: Literals::new(inserts.standard_strings),
        }
    }

    /// Appends to `out` what is to be written for the next piece of the rows.
    ///
    /// # Errors
    /// It is not what COPY writes of such a table.
    pub(super) fn feed(&mut self, rows: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let from = out.len();
        self.write(rows, out)?;
        self.literals.mend(out, from);
        Ok(())
    }

    fn write(&mut self, mut rows: &[u8], out: &mut Vec<u8>) -> Result<()> {
        while let Some((&byte, rest)) = rows.split_first() {
            if self.place == Place::Begin {
                self.begin_row(out);
            }
            if self.later_bytes.matter() && self.later_bytes.has(byte) {
                self.part_of_character(byte, out);
                rows = rest;
                continue;
            }
            match (self.place, byte) {
                (Place::Within { is_escaped: true }, _) => {
                    self.take(&[unescaped(byte)], out);
                    self.place = Place::Within { is_escaped: false };
                }
                (Place::Escaped, b'N') => self.place = Place::Null,
                (Place::Escaped, _) => {
                    self.open(out);
                    self.take(&[unescaped(byte)], out);
                }
                (_, b'\n' | b'\t') => {
                    self.end_value(out);
                    self.next_column(byte == b'\n', out)?;
                }
                (Place::Before, _) if self.column >= self.inserts.columns.len() => {
                    return Err(unexpected("a row has more columns than the table"));
                }
                (Place::Null, _) => return Err(unexpected("there is something after the mark of a NULL")),
                (Place::Before, b'\\') => self.place = Place::Escaped,
                (Place::Within { .. }, b'\\') => self.place = Place::Within { is_escaped: true },
                _ => {
                    if self.place == Place::Before {
                        self.open(out);
                    }
                    let length = if self.later_bytes.matter() { 1 } else { plain(rows) };
                    let (part, after) = rows.split_at(length);
                    self.take(part, out);
                    rows = after;
                    continue;
                }
            }
            rows = rest;
        }
        Ok(())
    }

    /// Appends what is to be written after the last row.
    ///
    /// # Errors
    /// That has no end.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.place != Place::Begin {
            return Err(unexpected("the last row has no end"));
        }
        if self.rows > 0 {
            out.extend_from_slice(self.inserts.end());
        }
        out.extend_from_slice(END);
        Ok(())
    }

    fn begin_row(&mut self, out: &mut Vec<u8>) {
        if self.rows == 0 {
            out.extend_from_slice(&self.inserts.begin)
        } else {
            out.extend_from_slice(b",\n\t(")
        }
        self.column = 0;
        self.place = Place::Before;
        self.defaults(out);
    }

    /// Writes the columns that come next and have no value.
    fn defaults(&mut self, out: &mut Vec<u8>) {
        while let Some(&value) = self.inserts.columns.get(self.column) {
            if self.column > 0 {
                out.extend_from_slice(b", ");
            }
            self.value = value;
            if value != Value::Default {
                return;
            }
            out.extend_from_slice(b"DEFAULT");
            self.column += 1;
        }
    }

    /// Goes on after a column.
    fn next_column(&mut self, is_last: bool, out: &mut Vec<u8>) -> Result<()> {
        let columns = self.inserts.columns.len();
        // A row without values has none to be counted.
        if self.column < columns {
            self.column += 1;
            self.defaults(out);
        }
        match (self.column < columns, is_last) {
            (true, false) => self.place = Place::Before,
            (false, true) => self.end_row(out),
            (true, true) => return Err(unexpected("a row has fewer columns than the table")),
            (false, false) => return Err(unexpected("a row has more columns than the table")),
        }
        Ok(())
    }

    fn end_row(&mut self, out: &mut Vec<u8>) {
        self.place = Place::Begin;
        if self.inserts.columns.is_empty() {
            return;
        }
        out.push(b')');
        self.rows += 1;
        if self.rows >= self.inserts.form.rows_per_insert.max(1) {
            out.extend_from_slice(self.inserts.end());
            self.rows = 0;
        }
    }

    /// Begins a value that is not NULL.
    fn open(&mut self, out: &mut Vec<u8>) {
        self.place = Place::Within { is_escaped: false };
        self.held.clear();
        match self.value {
            Value::Bits => out.extend_from_slice(b"B'"),
            Value::Text => out.push(b'\''),
            Value::Number | Value::Boolean | Value::Default => {}
        }
    }

    /// A later byte of a character, which is none that means something.
    fn part_of_character(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.value {
            Value::Text => out.push(byte),
            _ => self.take(&[byte], out),
        }
    }

    /// A part of a value, without COPY's escapes.
    fn take(&mut self, part: &[u8], out: &mut Vec<u8>) {
        match self.value {
            Value::Text | Value::Bits => self.quote(part, out),
            Value::Number | Value::Boolean | Value::Default => {
                self.held.extend_from_slice(part);
                if self.held.len() > LONGEST_NUMBER {
                    let held = std::mem::take(&mut self.held);
                    self.value = Value::Text;
                    out.push(b'\'');
                    self.quote(&held, out);
                }
            }
        }
    }

    fn quote(&self, part: &[u8], out: &mut Vec<u8>) {
        let mut rest = part;
        let special: &[u8] = if self.inserts.standard_strings { b"'" } else { b"'\\" };
        while let Some(at) = rest.find_byteset(special) {
            out.extend_from_slice(&rest[..=at]);
            out.push(rest[at]);
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
    }

    /// Writes the end of a value, or all of it where it was held.
    fn end_value(&mut self, out: &mut Vec<u8>) {
        match self.place {
            Place::Null => return out.extend_from_slice(b"NULL"),
            _ if self.inserts.columns.len() <= self.column => return,
            Place::Before => self.open(out),
            _ => {}
        }
        let held = std::mem::take(&mut self.held);
        match self.value {
            Value::Text | Value::Bits => out.push(b'\''),
            Value::Boolean => out.extend_from_slice(if held == b"t" { b"true" } else { b"false" }),
            Value::Number | Value::Default if is_number(&held) => out.extend_from_slice(&held),
            Value::Number | Value::Default => {
                out.push(b'\'');
                self.quote(&held, out);
                out.push(b'\'');
            }
        }
        self.held = held;
    }
}

/// How much of a value begins without anything that ends it or means something else. It is something.
fn plain(rows: &[u8]) -> usize {
    rows.find_byteset(b"\t\n\\").unwrap_or(rows.len())
}

/// What a letter after a backslash stands for.
fn unescaped(byte: u8) -> u8 {
    match byte {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        other => other,
    }
}

/// Whether it can be written without quotes: a number, and neither a word such as NaN nor anything else that a server could send.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let is_whole = match number.iter().position(|byte| *byte == b'.') {
        Some(at) => digits(&number[..at]) && digits(&number[at + 1..]),
        None => digits(number),
    };
    let unsigned = |text: &[u8]| digits(text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text));
    is_whole && exponent.is_none_or(unsigned)
}

fn unexpected(why: &'static str) -> Error {
    Error::new(ErrorKind::Server, "make INSERT statements of the rows that the server sends").why(why)
}

#[cfg(test)]
#[path = "inserts_tests.rs"]
mod tests;
