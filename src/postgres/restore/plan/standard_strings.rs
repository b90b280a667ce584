//! Statements that were written for `standard_conforming_strings = off`, for servers that do not have that any more.

use bstr::BString;

/// The statement with an `E` before each plain string literal that has a backslash, by which it means the same under either
/// setting; `None` if there is none. What is in double quotes, in dollar quotes and in comments has no such literals.
pub(in crate::postgres::restore) fn with_escapes(statement: &[u8]) -> Option<BString> {
    let mut result = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(&byte) = statement.get(at) {
        let rest = &statement[at..];
        let length = match byte {
            b'\'' => {
                let length = literal(rest);
                let is_plain = !statement[..at].last().is_some_and(u8::is_ascii_alphanumeric);
                if is_plain && rest[..length].contains(&b'\\') {
                    result.extend_from_slice(&statement[copied..at]);
                    result.push(b'E');
                    copied = at;
                }
                length
            }
            b'"' => 1 + rest[1..].iter().position(|c| *c == b'"').map_or(rest.len() - 1, |end| end + 1),
            b'$' => dollar_quoted(rest, statement[..at].last().copied()),
            b'-' if rest.starts_with(b"--") => rest.iter().position(|c| *c == b'\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => comment(rest),
            _ => 1,
        };
        at += length;
    }
    if copied == 0 && result.is_empty() {
        return None;
    }
    result.extend_from_slice(&statement[copied..]);
    Some(result.into())
}

/// How long a literal is in which backslashes escape, from its first quote to its last.
fn literal(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\'' if text.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// How long something in dollar quotes is, or 1 for a dollar sign that quotes nothing: one after a letter is part of a name.
fn dollar_quoted(text: &[u8], before: Option<u8>) -> usize {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80;
    let Some(end) = text.iter().skip(1).position(|c| !is_word(*c)).map(|end| end + 1) else { return 1 };
    if text[end] != b'$' || text[1].is_ascii_digit() || before.is_some_and(is_word) {
        return 1;
    }
    let mark = &text[..=end];
    let close = text[mark.len()..].windows(mark.len()).position(|here| here == mark);
    close.map_or(text.len(), |close| mark.len() + close + mark.len())
}

/// How long a comment is, with those that are inside of it.
fn comment(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_with_backslashes_get_an_e() {
        for (statement, expected) in [
            (r"COMMENT ON TABLE t IS 'a\\b';", r"COMMENT ON TABLE t IS E'a\\b';"),
            (r"DEFAULT 'it''s \'x' || '\\'::text", r"DEFAULT E'it''s \'x' || E'\\'::text"),
            (r"'plain' || '\\', E'\\', ('\\')", r"'plain' || E'\\', E'\\', (E'\\')"),
            ("'a' -- '\\'\n'\\\\'", "'a' -- '\\'\nE'\\\\'"),
            (r#""a\'" '\\'"#, r#""a\'" E'\\'"#),
            (r"/* '\' /* */ */ '\\'", r"/* '\' /* */ */ E'\\'"),
            (r"$$'\'$$ || $x$ '\\' $$ $x$ || '\\'", r"$$'\'$$ || $x$ '\\' $$ $x$ || E'\\'"),
        ] {
            assert_eq!(with_escapes(statement.as_bytes()).as_deref().map(Vec::as_slice), Some(expected.as_bytes()));
        }
    }

    #[test]
    fn all_else_is_left() {
        for statement in [
            "", "'a'", r"E'\\'", r"e'\''", r#""\""#, r"$f$\$f$", r"-- '\'", r"/* '\\'", "$", "a$1", "'", r"B'0' \",
            "/*", "''",
        ] {
            assert_eq!(with_escapes(statement.as_bytes()), None, "{statement}");
        }
    }
}
