//! Statements that were written for `standard_conforming_strings = off`, for servers that do not have that any more.

use bstr::BString;

use crate::sql::lexer::{Kind, Lexer, tokens_of};

/// The statement with an `E` before each plain string literal that has a backslash, by which it means the same under either
/// setting; `None` if there is none. What is in double quotes, in dollar quotes and in comments has no such literals.
pub fn with_escapes(statement: &[u8]) -> Option<BString> {
    let mut result = Vec::new();
    let mut copied = 0;
    for token in tokens_of(statement, Lexer::new(false)).filter(|token| token.kind == Kind::Text) {
        let is_plain = !statement[..token.at].last().is_some_and(u8::is_ascii_alphanumeric);
        if is_plain && token.text.contains(&b'\\') {
            result.extend_from_slice(&statement[copied..token.at]);
            result.push(b'E');
            copied = token.at;
        }
    }
    if result.is_empty() {
        return None;
    }
    result.extend_from_slice(&statement[copied..]);
    Some(result.into())
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
