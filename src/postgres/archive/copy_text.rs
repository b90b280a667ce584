//! COPY's text format: where its rows end, how many columns they have, and where the mark is that ends them.

use bstr::ByteSlice;

use crate::sql::{Encoding, LaterBytes};

/// The mark that ends the rows, as far as it goes before the line break that ends itself.
const MARK: &[u8] = b"\\.\r";

/// Goes along with a stream of rows, which may come in pieces.
#[derive(Debug, Clone)]
pub struct CopyScanner {
    /// Whether psql is going to read them, which knows lines only, and that there may be a carriage return in the end mark. To a
    /// server, what comes after a backslash has no meaning of its own, be it a line break.
    for_psql: bool,
    later_bytes: LaterBytes,
    counts_columns: bool,
    place: Place,
    rows: u64,
    row: Row,
    /// Whether something other than white space came after the end mark.
    trailing: bool,
}

/// Where in the stream the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a row.
    Begin,
    /// After so many bytes that began a row and may be those of the end mark.
    Mark(usize),
    /// Further on in a row, perhaps after a backslash that the next byte belongs to.
    Within { is_escaped: bool },
    /// After the end mark.
    End,
}

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The tabs between its columns, where these are counted.
    pub tabs: u64,
    /// Whether there is nothing in it: it is a row of no columns, or of a single one that is empty.
    pub is_empty: bool,
}

impl Row {
    const NEW: Self = Self { tabs: 0, is_empty: true };
}

/// What a piece of the stream has of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Bytes of it, without its line break.
    Part(&'a [u8]),
    /// Its end.
    End(Row),
}

impl CopyScanner {
    /// Of rows in this encoding, as a server understands them.
    pub fn new(encoding: Encoding) -> Self {
        Self {
            for_psql: false,
            later_bytes: LaterBytes::of(encoding),
            counts_columns: false,
            place: Place::Begin,
            rows: 0,
            row: Row::NEW,
            trailing: false,
        }
    }

    /// As [`CopyScanner::new`], which looks for the columns as well.
    pub fn with_columns(encoding: Encoding) -> Self {
        Self { counts_columns: true, ..Self::new(encoding) }
    }

    /// Of rows in a script that psql is going to read.
    pub fn for_psql() -> Self {
        Self { for_psql: true, ..Self::new(Encoding::Safe) }
    }

    /// Takes the next piece of the stream. Given back is what of the stream is rows: what was held back of the piece before, which may
    /// have been the beginning of the end mark, and what this one has.
    pub fn feed<'a>(&mut self, piece: &'a [u8]) -> (&'static [u8], &'a [u8]) {
        self.go_on::<false>(piece, |_| ())
    }

    /// As [`CopyScanner::feed`], and tells what the piece has of each row.
    pub fn feed_rows<'a>(&mut self, piece: &'a [u8], tell: impl FnMut(Event<'_>)) -> (&'static [u8], &'a [u8]) {
        self.go_on::<true>(piece, tell)
    }

    #[inline]
    fn go_on<'a, const TELLS: bool>(
        &mut self,
        piece: &'a [u8],
        mut tell: impl FnMut(Event<'_>),
    ) -> (&'static [u8], &'a [u8]) {
        let mut held: &[u8] = b"";
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            match (self.place, byte) {
                (Place::Within { is_escaped }, _) if !TELLS && !self.later_bytes.matter() => {
                    at += self.count_rows(&piece[at..], is_escaped);
                }
                (Place::Within { is_escaped }, _) => at += self.rows_in(&piece[at..], is_escaped, &mut tell),
                (Place::Begin, b'\\') => (self.place, at) = (Place::Mark(1), at + 1),
                (Place::Begin, _) => self.place = Place::Within { is_escaped: false },
                (Place::Mark(1), b'.') => (self.place, at) = (Place::Mark(2), at + 1),
                (Place::Mark(2), b'\r') if self.for_psql => (self.place, at) = (Place::Mark(3), at + 1),
                (Place::Mark(length @ 2..), b'\n') => {
                    self.place = Place::End;
                    self.look_at_the_rest(&piece[at + 1..]);
                    return (held, &piece[..at.saturating_sub(length)]);
                }
                (Place::Mark(length), _) => {
                    // It is none. What came of it with the piece before was not handed on then.
                    if length > at {
                        held = &MARK[..length - at];
                    }
                    self.row.is_empty = false;
                    tell(Event::Part(&MARK[..length]));
                    let is_escaped = length == 1 && !self.for_psql;
                    self.place = Place::Within { is_escaped };
                }
                (Place::End, _) => {
                    self.look_at_the_rest(&piece[at..]);
                    return (b"", b"");
                }
            }
        }
        let length = if let Place::Mark(length) = self.place { length } else { 0 };
        (held, &piece[..piece.len().saturating_sub(length)])
    }

    /// As [`CopyScanner::rows_in`], of rows that nobody wants to know more of.
    fn count_rows(&mut self, text: &[u8], is_escaped: bool) -> usize {
        let mut at = 0;
        while let Some(line) = text[at..].find_byte(b'\n') {
            let end = at + line;
            at = end + 1;
            if !self.for_psql && is_after_backslash(text, end, is_escaped) {
                continue;
            }
            self.rows += 1;
            if text.get(at).is_none_or(|byte| *byte == b'\\') {
                self.place = Place::Begin;
                return at;
            }
        }
        let is_escaped = !self.for_psql && is_after_backslash(text, text.len(), is_escaped);
        self.place = Place::Within { is_escaped };
        text.len()
    }

    /// Goes through the rows that `text` begins with, up to one that may be the end mark. How long they are is the result.
    #[inline]
    fn rows_in(&mut self, text: &[u8], mut is_escaped: bool, tell: &mut impl FnMut(Event<'_>)) -> usize {
        let mut at = 0;
        loop {
            let rest = &text[at..];
            let end = self.row_end(rest, is_escaped);
            let part = &rest[..end.unwrap_or(rest.len())];
            if !part.is_empty() {
                self.row.is_empty = false;
                tell(Event::Part(part));
            }
            if end.is_none() {
                return text.len();
            }
            at += part.len() + 1;
            self.rows += 1;
            tell(Event::End(std::mem::replace(&mut self.row, Row::NEW)));
            if text.get(at).is_none_or(|byte| *byte == b'\\') {
                self.place = Place::Begin;
                return at;
            }
            is_escaped = false;
        }
    }

    fn look_at_the_rest(&mut self, rest: &[u8]) {
        self.trailing |= rest.iter().any(|byte| !byte.is_ascii_whitespace());
    }

    /// Where the row ends that `text` goes on with. The columns up to there are counted.
    #[inline]
    fn row_end(&mut self, text: &[u8], is_escaped: bool) -> Option<usize> {
        match () {
            () if self.for_psql => text.find_byte(b'\n'),
            () if self.later_bytes.matter() => self.row_end_in_characters(text, is_escaped),
            () => self.row_end_in_bytes(text, is_escaped),
        }
    }

    #[inline]
    fn row_end_in_bytes(&mut self, text: &[u8], is_escaped: bool) -> Option<usize> {
        let end = find_plain(text, b'\n', 0, is_escaped);
        let row = &text[..end.unwrap_or(text.len())];
        if self.counts_columns {
            let mut from = 0;
            while let Some(tab) = find_plain(row, b'\t', from, is_escaped) {
                self.row.tabs += 1;
                from = tab + 1;
            }
        }
        if end.is_none() {
            self.place = Place::Within { is_escaped: is_after_backslash(text, text.len(), is_escaped) };
        }
        end
    }

    fn row_end_in_characters(&mut self, text: &[u8], mut is_escaped: bool) -> Option<usize> {
        for (at, &byte) in text.iter().enumerate() {
            if self.later_bytes.has(byte) || std::mem::take(&mut is_escaped) {
                continue;
            }
            match byte {
                b'\n' => return Some(at),
                b'\t' => self.row.tabs += 1,
                b'\\' => is_escaped = true,
                _ => {}
            }
        }
        self.place = Place::Within { is_escaped };
        None
    }

    /// The number of rows that have ended.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the last row has begun and has not ended.
    pub fn is_within_row(&self) -> bool {
        matches!(self.place, Place::Within { .. })
    }

    /// Whether the end mark came. Data that pg_dump wrote always have it: without it, some of them are missing.
    pub fn has_ended(&self) -> bool {
        self.place == Place::End
    }

    /// Whether something came after the end mark that is not to be there.
    pub fn has_trailing(&self) -> bool {
        self.trailing
    }
}

/// Where `byte` is in the text, from a place on, as something that no backslash comes before.
#[inline]
fn find_plain(text: &[u8], byte: u8, mut from: usize, is_escaped: bool) -> Option<usize> {
    loop {
        let at = from + text[from..].find_byte(byte)?;
        if !is_after_backslash(text, at, is_escaped) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Whether a backslash before this place of the text belongs to what is there. `is_escaped` is whether one belongs to the text's first
/// byte.
#[inline]
fn is_after_backslash(text: &[u8], at: usize, is_escaped: bool) -> bool {
    match text[..at].last() {
        Some(b'\\') => {
            let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
            (backslashes % 2 == 1) != (backslashes == at && is_escaped)
        }
        Some(_) => false,
        None => is_escaped,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of a stream in pieces: what is handed on, the rows, what is left over, whether there was something after the end.
    #[derive(Debug, PartialEq)]
    struct Scanned {
        sent: Vec<u8>,
        rows: Vec<(Vec<u8>, u64)>,
        rest: Vec<u8>,
        ended: bool,
        trailing: bool,
    }

    fn scan<'a>(mut scanner: CopyScanner, pieces: impl Iterator<Item = &'a [u8]>) -> Scanned {
        let (mut sent, mut rows, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        // Told or not, it comes to the same.
        let mut quiet = scanner.clone();
        for piece in pieces {
            let (held, more) = scanner.feed_rows(piece, |event| match event {
                Event::Part(part) => rest.extend_from_slice(part),
                Event::End(row) => {
                    assert_eq!(row.is_empty, rest.is_empty());
                    rows.push((std::mem::take(&mut rest), row.tabs));
                }
            });
            assert_eq!(quiet.feed(piece), (held, more));
            sent.extend_from_slice(held);
            sent.extend_from_slice(more);
        }
        assert_eq!((scanner.rows(), scanner.is_within_row()), (rows.len() as u64, !rest.is_empty()));
        assert_eq!(
            (quiet.rows(), quiet.has_ended(), quiet.has_trailing()),
            (scanner.rows(), scanner.has_ended(), scanner.has_trailing())
        );
        Scanned { sent, rows, rest, ended: scanner.has_ended(), trailing: scanner.has_trailing() }
    }

    /// The same by the book, character by character, of a text that is all there.
    fn by_the_book(text: &[u8], is_psql: bool) -> Scanned {
        let (mut sent, mut rows, mut row, mut tabs, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0, 0);
        let is_mark = |at: usize| {
            let rest = &text[at..];
            rest.starts_with(b"\\.\n") || (is_psql && rest.starts_with(b"\\.\r\n"))
        };
        let (mut ended, mut trailing) = (false, false);
        while at < text.len() {
            if row.is_empty() && (at == 0 || text[at - 1] == b'\n') && is_mark(at) {
                let end = at + text[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
                (ended, trailing) = (true, text[end..].iter().any(|byte| !byte.is_ascii_whitespace()));
                break;
            }
            match text[at] {
                b'\n' => rows.push((std::mem::take(&mut row), std::mem::take(&mut tabs))),
                b'\\' if !is_psql => {
                    row.push(b'\\');
                    row.extend(text.get(at + 1));
                    at += 1;
                }
                byte => {
                    tabs += u64::from(byte == b'\t' && !is_psql);
                    row.push(byte);
                }
            }
            at += 1;
        }
        for (row, _) in &rows {
            sent.extend_from_slice(row);
            sent.push(b'\n');
        }
        // What may be the beginning of the end mark is neither.
        let held: &[&[u8]] = if is_psql { &[b"\\", b"\\.", b"\\.\r"] } else { &[b"\\", b"\\."] };
        if held.contains(&row.as_slice()) {
            row.clear();
        }
        sent.extend_from_slice(&row);
        Scanned { sent, rows, rest: row, ended, trailing }
    }

    const PIECES: &[&str] = &["\\", "\n", "\t", ".", "a", "\\.\n", "\n\\.\n", "\\N", "\r", "\\.", "bc"];

    proptest! {
        #[test]
        fn rows_are_those_of_the_book_however_the_stream_is_cut(
            text in proptest::collection::vec(proptest::sample::select(PIECES), 0..30),
            size in 1_usize..9,
            is_psql: bool,
        ) {
            let text = text.concat().into_bytes();
            let scanner = || if is_psql { CopyScanner::for_psql() } else { CopyScanner::with_columns(Encoding::Safe) };
            let expected = by_the_book(&text, is_psql);
            prop_assert_eq!(&scan(scanner(), text.chunks(size)), &expected);
            prop_assert_eq!(&scan(scanner(), std::iter::once(text.as_slice())), &expected);
        }
    }

    #[test]
    fn later_bytes_of_characters_are_no_backslashes() {
        let rows = |encoding: &str, text: &[u8]| {
            let scanner = || CopyScanner::with_columns(Encoding::of(encoding.into()));
            let whole = scan(scanner(), std::iter::once(text));
            for size in 1..text.len() {
                assert_eq!(scan(scanner(), text.chunks(size)), whole, "{encoding} by {size}");
            }
            whole.rows.iter().map(|(_, tabs)| *tabs).collect::<Vec<_>>()
        };
        assert_eq!(rows("SJIS", b"\x95\x5c\n\xb1\\\n\n\x83\x5c\t\n\\.\n"), [0, 0, 1]);
        assert_eq!(rows("UTF8", b"\x95\x5c\n\n\\.\n"), [0]);
        assert_eq!(rows("GB18030", b"\x81\x30\x81\x35\t\x81\x5c\n\\.\n"), [1]);
        // Characters of three bytes.
        assert_eq!(rows("JOHAB", b"\x8f\xb0\xa1\t\x8f\xb0\xa1\n\\.\n"), [1]);
    }
}
