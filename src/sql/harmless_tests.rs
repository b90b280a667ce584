use super::*;

const UTF8: Encoding = Encoding::Safe;

/// What is found in a text, in pieces of every size.
fn find(text: &[u8]) -> Vec<(usize, Harm)> {
    let mut results: Vec<Vec<(usize, Harm)>> = (1..=text.len())
        .map(|size| {
            let (mut before, mut at, mut found) = (Before::default(), 0, Vec::new());
            for piece in text.chunks(size) {
                found.extend(before.find(piece).into_iter().map(|(last, harm)| (at + last, harm)));
                before.push(piece);
                at += piece.len();
            }
            found
        })
        .collect();
    results.dedup();
    assert_eq!(results.len(), 1, "{:?}: {results:?}", text.as_bstr());
    results.remove(0)
}

#[test]
fn both_are_found_wherever_they_stand_and_in_pieces() {
    let (command, variable) = (Harm::Command, Harm::Variable);
    assert_eq!(find(b"1\t\\unrestrict `touch x`\n"), [(12, command)]);
    assert_eq!(find(b"\\unrestrict \\unrestrict"), [(10, command), (22, command)]);
    assert_eq!(find(b"\\unrestric\\unrestrict"), [(20, command)]);
    assert_eq!(find(b"a ::LAST_ERROR_MESSAGE:LAST_ERROR_MESSAGES"), [(21, variable), (40, variable)]);
    assert_eq!(find(b"\\\\\\unrestrict"), [(12, command)]);
    // In an encoding in which the first of them belongs to the letter.
    assert_eq!(find(b"\x95\\\\unrestrict"), [(12, command)]);
    // In GB18030, a character of four bytes ends in the first of them; in JOHAB, one of three can.
    assert_eq!(find(b"\xac0x\\\\unrestrict"), [(14, command)]);
    assert_eq!(find(b"\x8fx\\\\unrestrict"), [(13, command)]);
    let run = [&b"\xac0x"[..], &[b'\\'; 1300], b"unrestrict"].concat();
    assert_eq!(find(&run), [(run.len() - 1, command)]);
    assert_eq!(find(b"postgresql://localhost:DBNAME:DBNAMES"), [(28, variable), (35, variable)]);
    let run = [&b"x"[..], &[b'\\'; 1301], b"unrestrict"].concat();
    assert_eq!(find(&run), [(run.len() - 1, command)]);
    for harmless in [
        &b"\\unrestric unrestrict :LAST_ERROR :'LAST_ERROR_MESSAGE'"[..],
        // As COPY writes it.
        b"1\t\\\\unrestrict `x`\n\\\\\\\\unrestrict :DBNAM",
        // The character is over, whatever the encoding.
        b"\xac0xy\\\\unrestrict",
        &[&b"x"[..], &[b'\\'; 1300], b"unrestrict `x`"].concat(),
    ] {
        assert_eq!(find(harmless), [], "{:?}", harmless.as_bstr());
    }
}

#[test]
fn rows_are_escaped_at_the_last_letter_which_is_in_the_piece_at_hand() {
    let row = b"1\t:LAST_ERROR_MESSAGE\t\xc3\xa9\\\\unrestrict `x`\t\\\\unrestrict\n";
    for size in 1..=row.len() {
        let (mut before, mut out) = (Before::default(), Vec::new());
        for piece in row.chunks(size) {
            let piece = rows(&before, piece);
            before.push(&piece);
            out.extend_from_slice(&piece);
        }
        let expected = b"1\t:LAST_ERROR_MESSAG\\x45\t\xc3\xa9\\\\unrestric\\x74 `x`\t\\\\unrestrict\n";
        assert_eq!(out.as_bstr(), expected.as_bstr(), "in pieces of {size}");
    }
}

#[test]
fn statements_say_the_same_in_other_words() {
    for (text, expected) in [
        ("SELECT 1;", "SELECT 1;"),
        ("SELECT 'a''b:LAST_ERROR_MESSAGE';", "SELECT 'a''b:LAST_ERROR_MESSAG'\n'E';"),
        ("SELECT 'a:DBNAME'':DBNAMES';", "SELECT 'a:DBNAM'\n'E'':DBNAM'\n'ES';"),
        ("SELECT '\\unrestrict `x`\\', 1;", "SELECT '\\unrestric'\n't `x`\\', 1;"),
        ("SELECT E'\\'é\\\\unrestrict';", "SELECT E'\\'é\\\\unrestric\\x74';"),
        ("COPY \"a\\:LAST_ERROR_MESSAGE\"\"\" (b)", "COPY U&\"a\\\\:LAST_ERROR_MESSAG\\0045\"\"\" (b)"),
        (
            "AS $_$ 'x' || $1; \\unrestrict `:LAST_ERROR_MESSAGE $_$;",
            "AS ' ''x'' || $1; \\unrestric'\n't `:LAST_ERROR_MESSAG'\n'E ';",
        ),
        ("-- \\unrestrict `x`\n/* :LAST_ERROR_MESSAGE */", "-- \\unrestric? `x`\n/* :LAST_ERROR_MESSAG? */"),
        // What is not quoted stays, and so does what has no other form.
        (
            "SELECT :LAST_ERROR_MESSAGE, U&\":LAST_ERROR_MESSAGE\"",
            "SELECT :LAST_ERROR_MESSAGE, U&\":LAST_ERROR_MESSAGE\"",
        ),
        ("SELECT 'a'\n$$:LAST_ERROR_MESSAGE$$", "SELECT 'a'\n$$:LAST_ERROR_MESSAGE$$"),
        ("SELECT $$:LAST_ERROR_MESSAGE", "SELECT $$:LAST_ERROR_MESSAGE"),
    ] {
        assert_eq!(statements(text.as_bytes(), true, UTF8).as_bstr(), expected);
    }
    for (text, expected) in [
        ("SELECT 'a\\':LAST_ERROR_MESSAGE';", "SELECT 'a\\':LAST_ERROR_MESSAG\\x45';"),
        (
            "SELECT \":LAST_ERROR_MESSAGE\", $$:LAST_ERROR_MESSAGE$$",
            "SELECT \":LAST_ERROR_MESSAGE\", $$:LAST_ERROR_MESSAGE$$",
        ),
    ] {
        assert_eq!(statements(text.as_bytes(), false, UTF8).as_bstr(), expected);
    }
    // The first backslash belongs to a letter of two bytes.
    let text = b"SELECT '\x95\\'\x95\\unrestrict:LAST_ERROR_MESSAGE'";
    assert_eq!(
        statements(text, false, Encoding::Sjis).as_bstr(),
        b"SELECT '\x95\\'\x95\\unrestrict:LAST_ERROR_MESSAGE'".as_bstr(),
    );
    let text = b"SELECT '\x95\\', $$\x95\\\\unrestrict ':LAST_ERROR_MESSAGE$$";
    assert_eq!(
        statements(text, true, Encoding::Sjis).as_bstr(),
        b"SELECT '\x95\\', '\x95\\\\unrestric'\n't '':LAST_ERROR_MESSAG'\n'E'".as_bstr(),
    );
    let text = b"SELECT \"\x95\\\\unrestrict\x83\\\"";
    assert_eq!(
        statements(text, true, Encoding::Sjis).as_bstr(),
        b"SELECT U&\"\x95\\\\\\unrestric\\0074\x83\\\"".as_bstr(),
    );
}

#[test]
fn comments_lose_a_letter() {
    assert_eq!(comment(b"a :LAST_ERROR_MESSAGE"), b"a :LAST_ERROR_MESSAG?".as_slice());
    assert_eq!(comment(b"a b"), b"a b".as_slice());
}

#[test]
fn literals_go_on_in_the_next_line() {
    for (standard, expected) in [
        (true, "VALUES ('a:LAST_ERROR_MESSAG'\n'E', '\\unrestric'\n't');"),
        (false, "VALUES ('a:LAST_ERROR_MESSAG\\x45', '\\unrestric\\x74');"),
    ] {
        let text = b"VALUES ('a:LAST_ERROR_MESSAGE', '\\unrestrict');";
        for size in 1..=text.len() {
            let (mut literals, mut out) = (Literals::new(standard), Vec::new());
            for piece in text.chunks(size) {
                let from = out.len();
                out.extend_from_slice(piece);
                literals.mend(&mut out, from);
            }
            assert_eq!(out.as_bstr(), expected, "in pieces of {size}");
        }
    }
}
