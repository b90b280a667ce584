//! Quoting of identifiers and string literals.

use bstr::BStr;

use super::keywords::QUOTED_KEYWORDS;
use super::{Encoding, LaterBytes};

/// Appends `name` as an identifier, in double quotes where `quote_ident` would put them.
pub fn ident(out: &mut Vec<u8>, name: &BStr) {
    let plain = name.first().is_some_and(|c| c.is_ascii_lowercase() || *c == b'_')
        && name.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'_')
        && std::str::from_utf8(name).is_ok_and(|word| QUOTED_KEYWORDS.binary_search(&word).is_err());
    if plain {
        out.extend_from_slice(name);
    } else {
        quoted_ident(out, name);
    }
}

/// Appends `name` as an identifier in double quotes.
pub fn quoted_ident(out: &mut Vec<u8>, name: &BStr) {
    out.push(b'"');
    for &byte in name.iter() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// `name` as an identifier, as [`ident`] writes it.
pub fn quoted(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 2);
    ident(&mut out, BStr::new(name));
    out
}

/// The name that is in these double quotes; `None` if they have no end.
pub fn unquoted(name: &[u8]) -> Option<Vec<u8>> {
    // Two around it, and two for each in it.
    if name.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return None;
    }
    let inner = name.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(bstr::ByteSlice::replace(inner, "\"\"", "\""))
}

/// The name whose text between the quotes of `U&"…"` this is, if no characters beyond ASCII are escaped in it.
pub fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
        } else if let Some(after) = rest.strip_prefix(b"\\") {
            out.push(b'\\');
            rest = after;
        } else {
            let (digits, after) = rest.split_at_checked(4)?;
            let digits =
                std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            out.push(u8::from_str_radix(digits, 16).ok().filter(|byte| matches!(byte, 1..=0x7f))?);
            rest = after;
        }
    }
    Some(out)
}

/// Appends `text` as a string literal that means the same whether `standard_conforming_strings` is on, as
/// `standard_strings` says it will be where the literal is read, or off. `text` is in `encoding`.
pub fn literal(out: &mut Vec<u8>, text: &BStr, standard_strings: bool, encoding: Encoding) {
    let mut later = LaterBytes::of(encoding);
    out.push(b'\'');
    for &byte in text.iter() {
        let is_later = later.matter() && later.has(byte);
        if !is_later && (byte == b'\'' || (byte == b'\\' && !standard_strings)) {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'\'');
}

/// Appends `text`, which is in `encoding`, as a string literal that means the same wherever it is read, whatever
/// `standard_conforming_strings` is.
pub fn portable_literal(out: &mut Vec<u8>, text: &BStr, encoding: Encoding) {
    let has_backslash = text.contains(&b'\\');
    if has_backslash {
        out.push(b'E');
    }
    literal(out, text, !has_backslash, encoding);
}

/// Appends `text` between dollar quotes whose tag occurs nowhere in it. `tag` is what the tag begins with.
pub fn dollar_quoted(out: &mut Vec<u8>, text: &BStr, tag: &'static str) {
    const SUFFIXES: &[u8] = b"_XXXXXXX";
    let mut delimiter = Vec::from(b"$".as_slice());
    delimiter.extend_from_slice(tag.as_bytes());
    let mut next = 0;
    while bstr::ByteSlice::find(text.as_ref() as &[u8], &delimiter).is_some() {
        delimiter.push(SUFFIXES[next % SUFFIXES.len()]);
        next += 1;
    }
    delimiter.push(b'$');
    out.extend_from_slice(&delimiter);
    out.extend_from_slice(text);
    out.extend_from_slice(&delimiter);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(name: &str) -> String {
        let mut out = Vec::new();
        ident(&mut out, name.into());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn identifiers_are_quoted_where_needed() {
        for (name, expected) in [
            ("abc", "abc"),
            ("_x1", "_x1"),
            ("Abc", "\"Abc\""),
            ("1a", "\"1a\""),
            ("a b", "\"a b\""),
            ("a\"b", "\"a\"\"b\""),
            ("select", "\"select\""),
            ("between", "\"between\""),
            ("abort", "abort"),
            ("", "\"\""),
            ("ä", "\"ä\""),
        ] {
            assert_eq!(quoted(name), expected);
        }
    }

    #[test]
    fn names_come_out_of_their_quotes() {
        for name in ["", "a", "a\"b", "\"", "\"\"", "A b"] {
            let text = quoted(name);
            assert_eq!(
                unquoted(text.as_bytes()).as_deref(),
                text.starts_with('"').then_some(name.as_bytes()),
                "{text}"
            );
        }
        assert_eq!((unquoted(b"\"a"), unquoted(b"\"a\"\""), unquoted(b"\"")), (None, None, None));
    }

    #[test]
    fn names_come_out_of_their_escapes() {
        for (text, expected) in [("", ""), ("a\\\\\\0045b", "a\\Eb"), ("\\006aé", "jé")] {
            assert_eq!(unescaped(text.as_bytes()).as_deref(), Some(expected.as_bytes()), "{text}");
        }
        for wrong in ["\\", "\\00", "\\+00004", "\\00e9", "\\0000", "\\+045", "\\004"] {
            assert_eq!(unescaped(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(QUOTED_KEYWORDS.is_sorted());
    }

    #[test]
    fn literals_double_quotes_and_backslashes() {
        let mut out = Vec::new();
        literal(&mut out, r"it's a \ ".into(), true, Encoding::Safe);
        assert_eq!(out, br"'it''s a \ '");
        out.clear();
        literal(&mut out, r"it's a \ ".into(), false, Encoding::Safe);
        assert_eq!(out, br"'it''s a \\ '");
    }

    #[test]
    fn later_bytes_of_characters_are_no_backslashes() {
        let text = BStr::new(b"\x95\x5c\\'");
        let mut out = Vec::new();
        literal(&mut out, text, false, Encoding::Sjis);
        assert_eq!(out, b"'\x95\x5c\\\\'''");
        out.clear();
        portable_literal(&mut out, text, Encoding::Sjis);
        assert_eq!(out, b"E'\x95\x5c\\\\'''");
    }

    #[test]
    fn dollar_quotes_avoid_their_own_tag() {
        let mut out = Vec::new();
        dollar_quoted(&mut out, "a $_$ b $__ ".into(), "_");
        assert_eq!(out, b"$__X$a $_$ b $__ $__X$");
    }
}
