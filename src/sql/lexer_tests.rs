use bstr::{BStr, ByteSlice};
use proptest::prelude::*;

use super::*;
use crate::sql::{Encoding, quote};

/// The tokens of a text that comes in pieces, each whole: what is read of a word or a quote by one piece and by the next is one.
fn in_pieces(text: &[u8], size: usize) -> Vec<(Kind, Vec<u8>)> {
    let mut lexer = Lexer::new(true);
    let mut found: Vec<(Kind, Vec<u8>)> = Vec::new();
    let mut unread: Vec<u8> = Vec::new();
    let mut goes_on = false;
    let pieces = text.chunks(size).map(|piece| (piece, false)).chain([(&b""[..], true)]);
    for (piece, is_all) in pieces {
        unread.extend_from_slice(piece);
        while let Some((kind, length)) = lexer.next(&unread, is_all) {
            let token: Vec<u8> = unread.drain(..length).collect();
            match found.last_mut() {
                Some((last, begun)) if goes_on && *last == kind => begun.extend(token),
                _ => found.push((kind, token)),
            }
            goes_on = unread.is_empty() && kind != Kind::Mark;
        }
    }
    assert!(unread.is_empty());
    found
}

fn whole(text: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    tokens(text).map(|token| (token.kind, token.text.to_vec())).collect()
}

/// Text of one kind, made by what writes it.
fn written(kind: Kind, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let text = BStr::new(text);
    match kind {
        Kind::Text => quote::literal(&mut out, text, true, Encoding::Safe),
        Kind::Dollar => quote::dollar_quoted(&mut out, text, "_"),
        Kind::Name => {
            out.push(b'"');
            out.extend_from_slice(&text.replace("\"", "\"\""));
            out.push(b'"');
        }
        Kind::LineComment => {
            out.extend_from_slice(b"--");
            out.extend_from_slice(&text.replace("\n", "").replace("\r", ""));
        }
        Kind::BlockComment => {
            out.extend_from_slice(b"/*");
            out.extend_from_slice(&text.replace("*", "").replace("/", ""));
            out.extend_from_slice(b"/* nested */*/");
        }
        _ => out.extend_from_slice(b"word_1$"),
    }
    out
}

const KINDS: &[Kind] = &[Kind::Text, Kind::Dollar, Kind::Name, Kind::LineComment, Kind::BlockComment, Kind::Word];

proptest! {
    #[test]
    fn what_is_written_is_found_however_the_text_is_cut(
        parts in proptest::collection::vec((proptest::sample::select(KINDS), "[ -~\n\r$'\"ä]{0,8}"), 0..8),
        size in 1_usize..9,
    ) {
        let mut expected = Vec::new();
        for (kind, text) in &parts {
            expected.push((*kind, written(*kind, text)));
            expected.push((Kind::Mark, b",".to_vec()));
            if *kind == Kind::LineComment {
                // It goes on to the end of the line.
                let comma = expected.len() - 1;
                expected[comma] = (Kind::Space, b"\n".to_vec());
            }
        }
        let text: Vec<u8> = expected.iter().flat_map(|(_, text)| text.clone()).collect();
        prop_assert_eq!(&whole(&text), &expected, "{:?}", text.as_bstr());
        prop_assert_eq!(&in_pieces(&text, size), &expected, "{:?}", text.as_bstr());
    }

    /// Any text comes back whole, and the same however it is cut.
    #[test]
    fn tokens_are_all_of_the_text(text in "[ -~\n\r$'\"ä/*\\\\-]{0,30}", size in 1_usize..9) {
        let tokens = whole(text.as_bytes());
        prop_assert_eq!(tokens.iter().flat_map(|(_, text)| text.clone()).collect::<Vec<_>>(), text.as_bytes());
        // Two strings that touch are one to `in_pieces` where they are cut apart, and so are two names.
        let joined = |tokens: Vec<(Kind, Vec<u8>)>| {
            let mut joined: Vec<(Kind, Vec<u8>)> = Vec::new();
            for (kind, text) in tokens {
                match joined.last_mut() {
                    Some((last, begun)) if *last == kind && kind != Kind::Mark => begun.extend(text),
                    _ => joined.push((kind, text)),
                }
            }
            joined
        };
        prop_assert_eq!(joined(in_pieces(text.as_bytes(), size)), joined(tokens));
    }
}

#[test]
fn strings_end_by_what_comes_before_them() {
    let texts = |text: &str, standard_strings: bool| {
        tokens_of(text.as_bytes(), Lexer::new(standard_strings))
            .filter(|token| token.kind == Kind::Text)
            .map(|token| token.text.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(r"'a\' b", true), [r"'a\'"]);
    assert_eq!(texts(r"'a\' b'", false), [r"'a\' b'"]);
    assert_eq!(texts(r"E'a\'' e'\\' namE'\'", true), [r"E'a\''".trim_start_matches('E'), r"'\\'", r"'\'"]);
    // A string goes on after a line break, and nothing else between, in its own sort.
    assert_eq!(texts("E'a' -- and\n '\\'' , '\\'", true), ["'a'", "'\\''", "'\\'"]);
    // There are no doubled quotes among bits.
    assert_eq!(texts("B'01''1'", true), ["'01'", "'1'"]);
    assert_eq!(texts("'it''s' ''", true), ["'it''s'", "''"]);
}

#[test]
fn dollar_signs_quote_where_a_delimiter_is_one() {
    let kinds = |text: &str| tokens(text.as_bytes()).map(|token| token.kind).collect::<Vec<_>>();
    assert_eq!(kinds("$a$ $b$ ; $a$;"), [Kind::Dollar, Kind::Mark]);
    assert_eq!(kinds("x$a$;"), [Kind::Word, Kind::Mark]);
    assert_eq!(kinds("$1$a$;$a$"), [Kind::Mark, Kind::Word, Kind::Dollar]);
    assert_eq!(kinds("$a;"), [Kind::Mark, Kind::Word, Kind::Mark]);
    assert_eq!(kinds("$"), [Kind::Mark]);
}
