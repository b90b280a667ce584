//! Encodings in which a later byte of a character can look like a backslash or a quote.

use std::borrow::Cow;

use bstr::BStr;

/// How long characters are, as a client of PostgreSQL's sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// All bytes of a character but those of ASCII have their highest bit set, or it does not matter.
    Safe,
    /// SJIS and SHIFT_JIS_2004.
    Sjis,
    /// GB18030.
    Gb18030,
    /// JOHAB.
    Johab,
    /// BIG5, GBK, UHC: two bytes.
    TwoBytes,
}

impl Encoding {
    /// The encoding of this name, which a client may use and a database may not, or any other.
    pub fn of(name: &BStr) -> Self {
        let plain: Vec<u8> = name.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
        match plain.as_slice() {
            b"sjis" | b"mskanji" | b"shiftjis" | b"win932" | b"windows932" | b"shiftjis2004" => Self::Sjis,
            b"gb18030" => Self::Gb18030,
            b"johab" => Self::Johab,
            b"big5" | b"win950" | b"windows950" | b"gbk" | b"win936" | b"windows936" | b"uhc" | b"win949"
            | b"windows949" => Self::TwoBytes,
            _ => Self::Safe,
        }
    }
}

/// Goes along with text and tells the later bytes of its characters from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaterBytes {
    encoding: Encoding,
    /// How many bytes of a character are still to come.
    rest: u8,
    /// Whether the next byte tells how many.
    is_second: bool,
}

impl LaterBytes {
    /// At the beginning of a text in this encoding.
    pub fn of(encoding: Encoding) -> Self {
        Self { encoding, rest: 0, is_second: false }
    }

    /// Whether there are any that could be taken for something else.
    pub fn matter(&self) -> bool {
        self.encoding != Encoding::Safe
    }

    /// Whether the text's next byte, which is this, belongs to the character before it. No character goes beyond its line.
    pub fn has(&mut self, byte: u8) -> bool {
        if byte == b'\n' {
            *self = Self::of(self.encoding);
            return false;
        }
        if std::mem::take(&mut self.is_second) {
            self.rest = if byte.is_ascii_digit() { 2 } else { 0 };
            return true;
        }
        if let Some(rest) = self.rest.checked_sub(1) {
            self.rest = rest;
            return true;
        }
        match (self.encoding, byte) {
            (Encoding::Safe, _) | (_, ..=0x7f) | (Encoding::Sjis, 0xa1..=0xdf) => {}
            (Encoding::Gb18030, _) => self.is_second = true,
            (Encoding::Johab, 0x8f) => self.rest = 2,
            _ => self.rest = 1,
        }
        false
    }

    /// The text's next piece, with a byte that means nothing in place of each later one, as psql does before it reads a text.
    pub fn masked<'a>(&mut self, piece: &'a [u8]) -> Cow<'a, [u8]> {
        match self.matter() {
            true => piece.iter().map(|byte| if self.has(*byte) { 0xff } else { *byte }).collect(),
            false => Cow::Borrowed(piece),
        }
    }
}
