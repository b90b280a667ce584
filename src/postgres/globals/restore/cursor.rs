//! A statement's tokens, one after the other.

use bstr::BString;

use crate::sql::lexer::{Kind, Token};
use crate::sql::quote;

/// What is left of a statement.
pub(super) struct Cursor<'t, 'a> {
    pub(super) tokens: &'t [Token<'a>],
}

impl<'a> Cursor<'_, 'a> {
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    /// Goes past a key word, if it is next.
    pub(super) fn takes(&mut self, word: &str) -> bool {
        let is_next = self
            .tokens
            .first()
            .is_some_and(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word.as_bytes()));
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    /// Goes past key words, which must be next.
    pub(super) fn words(&mut self, words: &str) -> Option<()> {
        words.split(' ').all(|word| self.takes(word)).then_some(())
    }

    pub(super) fn takes_mark(&mut self, mark: u8) -> bool {
        let is_next = self.tokens.first().is_some_and(|token| token.is_mark(mark));
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    /// A name. Without quotes, it is one that needs none: words such as `current_user` are no names.
    pub(super) fn name(&mut self) -> Option<BString> {
        let token = self.next()?;
        match token.kind {
            Kind::Word if token.text.eq_ignore_ascii_case(b"u") && self.has_escaped_name(token.at + 1) => {
                let (_, name) = (self.next()?, self.next()?);
                quote::unescaped(&quote::unquoted(name.text)?).map(BString::from)
            }
            Kind::Name => quote::unquoted(token.text).map(BString::from),
            Kind::Word => {
                let lower = token.text.to_ascii_lowercase();
                (quote::quoted(&lower) == lower).then(|| lower.into())
            }
            _ => None,
        }
    }

    /// Whether the rest of `U&"…"` is at this place.
    fn has_escaped_name(&self, at: usize) -> bool {
        match self.tokens {
            [and, name, ..] => and.is_mark(b'&') && and.at == at && name.kind == Kind::Name && name.at == at + 1,
            _ => false,
        }
    }

    /// A literal, whose value is not asked for.
    pub(super) fn literal(&mut self) -> Option<()> {
        self.text().map(|_| ())
    }

    /// A literal between plain quotes, or with escapes; the text between the quotes, as it stands there. It may go on in further
    /// lines.
    pub(super) fn text(&mut self) -> Option<Vec<u8>> {
        let mut text = self.first_text()?.to_vec();
        while let Some((first, rest)) = self.tokens.split_first().filter(|(first, _)| first.kind == Kind::Text) {
            text.extend_from_slice(inner(first.text)?);
            self.tokens = rest;
        }
        Some(text)
    }

    fn first_text(&mut self) -> Option<&'a [u8]> {
        let first = self.next()?;
        let text = match first.kind {
            Kind::Text => first,
            Kind::Word if first.text.eq_ignore_ascii_case(b"e") => {
                let next = self.next()?;
                (next.at == first.at + first.text.len()).then_some(next)?
            }
            _ => return None,
        };
        (text.kind == Kind::Text).then_some(())?;
        inner(text.text)
    }

    /// A number, or a literal in its place.
    pub(super) fn number(&mut self) -> Option<()> {
        if self.tokens.first()?.kind == Kind::Text {
            return self.literal();
        }
        let is_part = |token: &Token<'_>| match token.kind {
            Kind::Word => token.text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'e' | b'E')),
            Kind::Mark => matches!(token.text, b"." | b"-" | b"+"),
            _ => false,
        };
        let length = self.tokens.iter().take_while(|token| is_part(token)).count();
        self.tokens = &self.tokens[length..];
        (length > 0).then_some(())
    }
}

/// What is between the quotes of a literal.
fn inner(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"'")?.strip_suffix(b"'")
}
