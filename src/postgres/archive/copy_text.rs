//! COPY's text format, as far as it must be understood to know how many rows were sent.

use crate::Result;

/// Goes along with a stream of rows: counts them, and takes off the mark that ends them.
#[derive(Debug, Default)]
pub struct RowScanner {
    rows: u64,
    place: Place,
    /// Whether anything but empty lines came after the end mark.
    trailing: bool,
    /// Whether a carriage return may come between the end mark and the end of its line, as psql has it.
    for_psql: bool,
}

/// Where in the stream the next byte is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a line.
    #[default]
    Line,
    /// After a backslash that began the line.
    Backslash,
    /// After a backslash and a dot that began the line.
    Dot,
    /// After these and a carriage return.
    Return,
    /// Further on in a row.
    Row,
    /// After the end mark.
    End,
}

impl RowScanner {
    /// A scanner of rows that psql is going to read.
    pub fn for_script() -> Self {
        Self { for_psql: true, ..Self::default() }
    }

    /// Takes the next piece of the stream and hands on what of it is rows, cut in any way.
    ///
    /// # Errors
    /// Those of `send`.
    pub fn feed(&mut self, piece: &[u8], mut send: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut at = 0;
        // A backslash at the start of a line is held back until it is clear that it is not the end mark.
        let mut rows_end = 0;
        while at < piece.len() {
            match self.place {
                Place::Row => match bstr::ByteSlice::find_byte(&piece[at..], b'\n') {
                    Some(newline) => {
                        at += newline + 1;
                        self.rows += 1;
                        self.place = Place::Line;
                    }
                    None => at = piece.len(),
                },
                Place::Line if piece[at] == b'\\' => {
                    rows_end = at;
                    at += 1;
                    self.place = Place::Backslash;
                }
                Place::Line => self.place = Place::Row,
                Place::Backslash if piece[at] == b'.' => {
                    at += 1;
                    self.place = Place::Dot;
                }
                Place::Dot if self.for_psql && piece[at] == b'\r' => {
                    at += 1;
                    self.place = Place::Return;
                }
                Place::Dot | Place::Return if piece[at] == b'\n' => {
                    send(&piece[..rows_end])?;
                    self.place = Place::End;
                    at += 1;
                    rows_end = at;
                }
                held @ (Place::Backslash | Place::Dot | Place::Return) => {
                    let held: &[u8] = match held {
                        Place::Backslash => b"\\",
                        Place::Dot => b"\\.",
                        _ => b"\\.\r",
                    };
                    if at < held.len() {
                        // It was held back from the piece before this one, where it was not sent.
                        send(&held[..held.len() - at])?;
                    }
                    self.place = Place::Row;
                }
                Place::End => {
                    self.trailing |= piece[at..].iter().any(|byte| !byte.is_ascii_whitespace());
                    return Ok(());
                }
            }
        }
        match self.place {
            Place::End => Ok(()),
            Place::Backslash | Place::Dot | Place::Return => send(&piece[..rows_end]),
            Place::Line | Place::Row => send(piece),
        }
    }

    /// The number of rows so far; a last one without its newline counts.
    pub fn rows(&self) -> u64 {
        self.rows + u64::from(self.place == Place::Row)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent, and how many rows, when `text` comes in pieces of `size` bytes.
    fn scan(text: &[u8], size: usize) -> (Vec<u8>, u64, bool) {
        let mut scanner = RowScanner::default();
        let mut sent = Vec::new();
        for piece in text.chunks(size) {
            scanner
                .feed(piece, |bytes| {
                    sent.extend_from_slice(bytes);
                    Ok(())
                })
                .unwrap();
        }
        (sent, scanner.rows(), scanner.has_trailing())
    }

    #[test]
    fn rows_are_counted_and_the_end_mark_is_taken_off_however_the_stream_is_cut() {
        let cases: &[(&[u8], &[u8], u64, bool)] = &[
            (b"", b"", 0, false),
            (b"\\.\n\n\n", b"", 0, false),
            (b"1\t2\n3\t4\n\\.\n\n\n", b"1\t2\n3\t4\n", 2, false),
            (b"\n\n\\.\n", b"\n\n", 2, false),
            (b"\\N\n\\\\.\n\\.x\n\\.\n\n", b"\\N\n\\\\.\n\\.x\n", 3, false),
            (b"a\\.\n\\.\n", b"a\\.\n", 1, false),
            (b"a\nb", b"a\nb", 2, false),
            (b"a\n\\.\nb\n", b"a\n", 1, true),
            (b"\\.", b"", 0, false),
        ];
        for (text, sent, rows, trailing) in cases {
            for size in 1..=text.len().max(1) {
                assert_eq!(
                    scan(text, size),
                    (sent.to_vec(), *rows, *trailing),
                    "{:?} by {size}",
                    bstr::BStr::new(text)
                );
            }
        }
    }
}
