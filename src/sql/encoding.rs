//! Encodings in which a later byte of a character can look like a backslash or a quote.

use bstr::BStr;

/// How long characters are, as psql sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// All bytes of a character but those of ASCII have their highest bit set, or it does not matter.
    Safe,
    Sjis,
    Gb18030,
    Johab,
    /// BIG5, GBK, UHC: two bytes.
    TwoBytes,
}

impl Encoding {
    /// The encoding of this name, which a client may use and a database may not, or any other.
    pub(super) fn of(name: &BStr) -> Self {
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

    /// How many bytes after `first` belong to its character, which goes on with `next`.
    pub(super) fn bytes_after(self, first: u8, next: Option<u8>) -> u8 {
        match (self, first) {
            (Self::Safe, _) | (_, ..=0x7f) | (Self::Sjis, 0xa1..=0xdf) => 0,
            (Self::Gb18030, _) if next.is_some_and(|next| next.is_ascii_digit()) => 3,
            (Self::Johab, 0x8f) => 2,
            _ => 1,
        }
    }
}
