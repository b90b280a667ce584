//! Which bytes are characters of an encoding, as the server sees it: what it would refuse is told.

use bstr::ByteSlice;

/// An encoding, as far as it says which bytes can follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// Every byte is a character, or nothing is known of it.
    Bytes,
    Utf8,
    EucJp,
    /// EUC_KR and EUC_CN.
    EucPairs,
    EucTw,
    Johab,
    MuleInternal,
    ShiftJis,
    /// BIG5, GBK and UHC.
    Pairs,
    Gb18030,
}

impl Scheme {
    fn of(encoding: &[u8]) -> Self {
        match encoding {
            b"UTF8" | b"UNICODE" => Self::Utf8,
            b"EUC_JP" | b"EUC_JIS_2004" => Self::EucJp,
            b"EUC_KR" | b"EUC_CN" => Self::EucPairs,
            b"EUC_TW" => Self::EucTw,
            b"JOHAB" => Self::Johab,
            b"MULE_INTERNAL" => Self::MuleInternal,
            b"SJIS" | b"SHIFT_JIS_2004" => Self::ShiftJis,
            b"BIG5" | b"GBK" | b"UHC" => Self::Pairs,
            b"GB18030" => Self::Gb18030,
            _ => Self::Bytes,
        }
    }

    /// What is at the beginning of `text`, whose first byte is 128 or more.
    fn look(self, text: &[u8]) -> Look {
        let in_range = |from: u8, to: u8| move |byte: &u8| (from..=to).contains(byte);
        // All of so many bytes but the first are of this kind.
        let all = |length: usize, is_right: &dyn Fn(&u8) -> bool| match text.get(1..length.min(text.len())) {
            Some(rest) if !rest.iter().all(is_right) => Look::Wrong,
            _ if text.len() < length => Look::Cut,
            _ => Look::Character(length),
        };
        let euc = in_range(0xa1, 0xfe);
        match (self, text[0]) {
            (Self::Bytes, _) => Look::Character(1),
            (Self::Utf8, _) => utf8(text),
            (Self::EucJp, 0x8e) => all(2, &in_range(0xa1, 0xdf)),
            (Self::EucJp | Self::Johab, 0x8f) => all(3, &euc),
            (Self::EucTw, 0x8e) => match text.get(1) {
                Some(plane) if !(0xa1..=0xa7).contains(plane) => Look::Wrong,
                _ => all(4, &euc),
            },
            (Self::EucTw, 0x8f) => Look::Wrong,
            (Self::EucTw | Self::Johab, _) => all(2, &euc),
            (Self::EucJp | Self::EucPairs, first) if euc(&first) => all(2, &euc),
            (Self::MuleInternal, first) => {
                let length = match first {
                    0x81..=0x8d => 2,
                    0x90..=0x9b => 3,
                    0x9c | 0x9d => 4,
                    _ => 1,
                };
                all(length, &|byte| *byte >= 0x80)
            }
            (Self::ShiftJis, 0xa1..=0xdf) => Look::Character(1),
            (Self::ShiftJis, 0x81..=0x9f | 0xe0..=0xfc) => all(2, &|byte| matches!(byte, 0x40..=0x7e | 0x80..=0xfc)),
            (Self::Pairs, _) => all(2, &|byte| *byte != 0),
            (Self::Gb18030, 0x81..=0xfe) => match text.get(1) {
                None => Look::Cut,
                Some(0x30..=0x39) => match (text.get(2), text.get(3)) {
                    (Some(0x81..=0xfe), Some(0x30..=0x39)) => Look::Character(4),
                    (Some(0x81..=0xfe), None) | (None, _) => Look::Cut,
                    _ => Look::Wrong,
                },
                Some(0x40..=0x7e | 0x80..=0xfe) => Look::Character(2),
                Some(_) => Look::Wrong,
            },
            (Self::EucJp | Self::EucPairs | Self::ShiftJis | Self::Gb18030, _) => Look::Wrong,
        }
    }
}

fn utf8(text: &[u8]) -> Look {
    let first = &text[..text.len().min(4)];
    match std::str::from_utf8(first) {
        Ok(text) => Look::Character(text.chars().next().map_or(1, char::len_utf8)),
        Err(error) if error.valid_up_to() > 0 => {
            let valid = first[..error.valid_up_to()].to_str().ok().and_then(|text| text.chars().next());
            Look::Character(valid.map_or(1, char::len_utf8))
        }
        Err(error) if error.error_len().is_none() => Look::Cut,
        Err(_) => Look::Wrong,
    }
}

/// What is at a place of a text.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// A character of so many bytes.
    Character(usize),
    /// The beginning of one.
    Cut,
    Wrong,
}

/// Goes along with text and looks for what is no character of its encoding.
#[derive(Debug)]
pub(super) struct Characters {
    scheme: Scheme,
    name: String,
    /// The beginning of a character that the last piece ended in.
    cut: Vec<u8>,
}

impl Characters {
    /// Of an encoding, by PostgreSQL's name for it.
    pub(super) fn of(encoding: &[u8]) -> Self {
        let encoding = encoding.to_ascii_uppercase();
        let scheme = Scheme::of(&encoding);
        let name = if scheme == Scheme::Utf8 { "UTF-8".into() } else { encoding.to_str_lossy().into_owned() };
        Self { scheme, name, cut: Vec::new() }
    }

    /// The encoding's name, for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether all of a text, which ends here, is characters.
    pub(super) fn are(encoding: &[u8], text: &[u8]) -> bool {
        let mut characters = Self::of(encoding);
        characters.first_wrong(text).is_none() && characters.cut.is_empty()
    }

    /// Where the first byte of `piece` is that is not to be there: a zero byte, or one that is in no character.
    pub(super) fn first_wrong(&mut self, piece: &[u8]) -> Option<usize> {
        let zero = piece.find_byte(0);
        if self.scheme == Scheme::Bytes {
            return zero;
        }
        let end = zero.unwrap_or(piece.len());
        let mut at = 0;
        while let (false, Some(&byte)) = (self.cut.is_empty(), piece[..end].get(at)) {
            self.cut.push(byte);
            match self.scheme.look(&self.cut) {
                Look::Character(_) => self.cut.clear(),
                Look::Cut => {}
                Look::Wrong => return Some(at),
            }
            at += 1;
        }
        // This is by far the fastest.
        if self.scheme == Scheme::Utf8 {
            return self.first_wrong_utf8(&piece[..end], at).or(zero);
        }
        while let Some(next) = piece[at..end].iter().position(|byte| *byte >= 0x80) {
            at += next;
            match self.scheme.look(&piece[at..end]) {
                Look::Character(length) => at += length,
                Look::Wrong => return Some(at),
                Look::Cut => {
                    self.cut = piece[at..end].to_vec();
                    break;
                }
            }
        }
        zero
    }

    fn first_wrong_utf8(&mut self, text: &[u8], from: usize) -> Option<usize> {
        let error = std::str::from_utf8(&text[from..]).err()?;
        let place = from + error.valid_up_to();
        if error.error_len().is_none() {
            self.cut = text[place..].to_vec();
            return None;
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the first wrong byte is, however the text is cut.
    fn first(encoding: &str, text: &[u8]) -> Option<usize> {
        let whole = Characters::of(encoding.as_bytes()).first_wrong(text);
        for size in 1..text.len() {
            let mut characters = Characters::of(encoding.as_bytes());
            let mut found = None;
            for (nr, piece) in text.chunks(size).enumerate() {
                let at = characters.first_wrong(piece).map(|at| nr * size + at);
                found = found.or(at);
                if found.is_some() {
                    break;
                }
            }
            // The byte that shows it, rather than the one that begins it, where they are in two pieces.
            let is_near = match (whole, found) {
                (Some(whole), Some(found)) => (whole..whole + 4).contains(&found),
                (whole, found) => whole == found,
            };
            assert!(is_near, "{encoding} {:?} by {size}: {whole:?}, {found:?}", text.as_bstr());
        }
        whole
    }

    #[test]
    fn characters_are_those_of_the_server() {
        for (encoding, right, wrong) in [
            ("UTF8", "aä€😀".as_bytes(), &[&b"\xff"[..], b"\xc3a", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"][..]),
            (
                "EUC_JP",
                b"a\xa4\xa2\x8e\xb1\x8f\xb0\xa1",
                &[b"\xa4a", b"\x8e\xe0", b"\x80\xa1", b"\x8f\xb0a", b"\xa4\n"],
            ),
            ("EUC_JIS_2004", b"\xa4\xa2", &[b"\xa4\x20"]),
            ("EUC_KR", b"\xb0\xa1", &[b"\x8e\xb1", b"\xb0\x41", b"\xff\xa1"]),
            ("EUC_CN", b"\xb0\xa1", &[b"\xb0\x41"]),
            ("EUC_TW", b"\xc4\xe3\x8e\xa2\xa1\xa1", &[b"\x8e\xb0\xa1\xa1", b"\x8f\xa1\xa1", b"\xc4\x41"]),
            ("JOHAB", b"\xb0\xa1", &[b"\xb0\x41"]),
            ("MULE_INTERNAL", b"\x81\xe4\x92\xb0\xa1", &[b"\x81a", b"\x92\xb0a"]),
            ("SJIS", b"\x83\x5c\xb1\xe0\xfc", &[b"\x83\x20", b"\x80\x40", b"\xfd\x40", b"\x81\n"]),
            ("BIG5", b"\xa4\x40", &[]),
            ("GBK", b"\x81\x5c", &[]),
            (
                "GB18030",
                b"\x81\x30\x81\x30\x81\x40",
                &[b"\x81\x20", b"\x81\x30\x20\x30", b"\x81\x30\x81\x40", b"\xff\x40"],
            ),
            ("LATIN1", b"\x80\xff\xa0", &[]),
            ("WIN1252", b"\x81\x8d", &[]),
            ("SQL_ASCII", b"\xff\xc3", &[]),
            ("", b"\xff\xc3", &[]),
        ] {
            assert_eq!(first(encoding, right), None, "{encoding}");
            assert!(Characters::are(encoding.as_bytes(), right), "{encoding}");
            for wrong in wrong {
                assert_eq!(first(encoding, &[right, wrong, right].concat()), Some(right.len()), "{encoding} {wrong:?}");
            }
            assert_eq!(first(encoding, &[right, b"\0", right].concat()), Some(right.len()), "{encoding}");
        }
        assert!(!Characters::are(b"UTF8", b"a\xc3") && !Characters::are(b"EUC_JP", b"\xa4"));
    }
}
