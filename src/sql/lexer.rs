//! Where in SQL text the names, strings and comments are: the one reader of quotes.
//!
//! It knows what PostgreSQL's own lexers know of them, and no grammar. Text may come in pieces. What is quoted comes out with its
//! quotes, and in fragments where it goes beyond a piece.

use bstr::ByteSlice;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// White space.
    Space,
    /// A word or a number: a key word, a name without quotes, the letters before a string that say of what sort it is.
    Word,
    /// Any other character.
    Mark,
    /// A string in single quotes.
    Text,
    /// A name in double quotes.
    Name,
    /// A string in dollar quotes.
    Dollar,
    /// A comment up to the end of its line, which is not a part of it.
    LineComment,
    /// A comment between `/*` and `*/`, with those inside of it.
    BlockComment,
    /// A colon and the name of a variable of psql's, where these are looked for.
    Variable,
}

/// A token of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Where it begins.
    pub at: usize,
    /// The token itself.
    pub text: &'a [u8],
}

impl Token<'_> {
    /// Whether it says something, and is no white space or comment.
    pub fn is_solid(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::LineComment | Kind::BlockComment)
    }

    /// Whether it is this mark.
    pub fn is_mark(&self, mark: u8) -> bool {
        self.kind == Kind::Mark && self.text == [mark]
    }
}

/// The tokens of a text that is all there. What has no end in it goes to the text's end. A backslash in a plain string is a
/// character like others.
pub fn tokens(text: &[u8]) -> impl Iterator<Item = Token<'_>> {
    tokens_of(text, Lexer::new(true))
}

/// As [`tokens`], by a lexer that knows better what a backslash is.
pub fn tokens_of(text: &[u8], mut lexer: Lexer) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (kind, length) = lexer.next(&text[at..], true)?;
        let token = Token { kind, at, text: &text[at..at + length] };
        at += length;
        Some(token)
    })
}

/// Finds tokens, one after the other.
#[derive(Debug)]
pub struct Lexer {
    /// Whether a backslash in a plain string is a character like others.
    standard_strings: bool,
    /// Whether psql's variables are looked for.
    for_psql: bool,
    within: Within,
    /// What the word that was last says of a quote that comes right after it.
    prefix: Prefix,
    /// The string that has just ended, which another quote would go on with.
    ended: Option<Ended>,
    /// Whether a string goes on in another line as no string would begin there.
    goes_on_otherwise: bool,
    /// How much of the text at hand is known to be what may become the beginning of dollar quotes.
    looked_at: usize,
}

/// What the next byte is in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Within {
    Nothing,
    Word {
        is_number: bool,
    },
    Variable,
    Text {
        sort: Sort,
        is_escaped: bool,
    },
    Name,
    /// In dollar quotes with this delimiter, so many bytes of which have come again.
    Dollar(Vec<u8>, usize),
    LineComment,
    /// In a comment in so many others, after this byte.
    BlockComment(u32, u8),
}

/// A sort of string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    /// Whether a backslash takes away the meaning of what follows it.
    has_escapes: bool,
    /// Whether two quotes in it are one; there are none in strings of bits.
    doubles: bool,
}

/// A string that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ended {
    sort: Sort,
    gap: Gap,
}

/// What came since the end of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Space,
    Line,
}

/// What a word before a quote says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Escapes,
    Bits,
    Other,
}

impl Lexer {
    /// At the beginning of a text. `standard_strings` says whether a backslash in a plain string is a character like others.
    pub fn new(standard_strings: bool) -> Self {
        Self {
            standard_strings,
            for_psql: false,
            within: Within::Nothing,
            prefix: Prefix::Other,
            ended: None,
            goes_on_otherwise: false,
            looked_at: 0,
        }
    }

    /// As [`Lexer::new`], of a text that psql is going to read, which has variables.
    pub fn for_psql(standard_strings: bool) -> Self {
        Self { for_psql: true, ..Self::new(standard_strings) }
    }

    /// What in quotes or comments has begun and not ended, if anything has.
    pub fn open(&self) -> Option<Kind> {
        match self.within {
            Within::Text { .. } => Some(Kind::Text),
            Within::Name => Some(Kind::Name),
            Within::Dollar(..) => Some(Kind::Dollar),
            Within::LineComment => Some(Kind::LineComment),
            Within::BlockComment(..) => Some(Kind::BlockComment),
            Within::Nothing | Within::Word { .. } | Within::Variable => None,
        }
    }

    /// Whether in the string whose last token has just come a backslash takes away the meaning of what follows it.
    pub fn ended_with_escapes(&self) -> bool {
        self.ended.is_some_and(|ended| ended.sort.has_escapes)
    }

    /// Whether the string in which the next byte is, or which has just ended, goes on with one of another line, and is of another
    /// sort than it would be without that. psql, which reads line by line, takes it for one of its own.
    pub fn goes_on_otherwise(&self) -> bool {
        self.goes_on_otherwise
    }

    /// The next token at the beginning of `text`, and its length: the text after the token that was last. `None` where more
    /// text is needed to tell, with which it is to be called again; if this is all, at its end only.
    pub fn next(&mut self, text: &[u8], is_all: bool) -> Option<(Kind, usize)> {
        let &first = text.first()?;
        if let Some(found) = self.go_on(text) {
            return Some(found);
        }
        let kind = self.begin(text, first, is_all)?;
        let before = std::mem::replace(&mut self.prefix, Prefix::Other);
        let ended = self.ended.take();
        Some(match kind {
            Kind::Space => {
                let length = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
                let has_line = text[..length].iter().any(|byte| matches!(byte, b'\n' | b'\r'));
                self.ended = ended.map(|ended| Ended {
                    gap: if has_line || ended.gap == Gap::Line { Gap::Line } else { Gap::Space },
                    ..ended
                });
                (kind, length)
            }
            Kind::Text => {
                let sort = self.sort(ended, before);
                self.goes_on_otherwise =
                    ended.is_some_and(|ended| ended.gap == Gap::Line) && sort != self.sort(None, before);
                self.within = Within::Text { sort, is_escaped: false };
                (kind, 1 + self.text(&text[1..]))
            }
            Kind::Name => {
                self.within = Within::Name;
                (kind, 1 + self.name(&text[1..]))
            }
            Kind::Word => {
                self.within = Within::Word { is_number: first.is_ascii_digit() };
                (kind, self.word(text))
            }
            Kind::Variable => {
                self.within = Within::Variable;
                (kind, 1 + self.variable(&text[1..]))
            }
            Kind::LineComment => {
                // One between two quotes does not part them.
                (self.within, self.ended) = (Within::LineComment, ended);
                (kind, self.line_comment(text))
            }
            Kind::BlockComment => {
                self.within = Within::BlockComment(1, 0);
                (kind, 2 + self.block_comment(&text[2..]))
            }
            Kind::Dollar => {
                let length = self.looked_at;
                self.within = Within::Dollar(text[..length].to_vec(), 0);
                self.looked_at = 0;
                (kind, length + self.dollar(&text[length..]))
            }
            // A cast and an assignment are no variables.
            Kind::Mark if self.for_psql && first == b':' && matches!(text.get(1), Some(b':' | b'=')) => (kind, 2),
            Kind::Mark => (kind, 1),
        })
    }

    /// What goes on from the piece before.
    fn go_on(&mut self, text: &[u8]) -> Option<(Kind, usize)> {
        let (kind, length) = match self.within {
            Within::Nothing => return None,
            Within::Word { .. } => {
                let prefix = self.prefix;
                let length = self.word(text);
                if length == 0 {
                    self.prefix = prefix;
                } else {
                    self.prefix = Prefix::Other;
                }
                (Kind::Word, length)
            }
            Within::Variable => (Kind::Variable, self.variable(text)),
            Within::Text { .. } => (Kind::Text, self.text(text)),
            Within::Name => (Kind::Name, self.name(text)),
            Within::Dollar(..) => (Kind::Dollar, self.dollar(text)),
            Within::LineComment => (Kind::LineComment, self.line_comment(text)),
            Within::BlockComment(..) => (Kind::BlockComment, self.block_comment(text)),
        };
        (length > 0).then_some((kind, length))
    }

    /// What begins with the first byte of `text`.
    fn begin(&mut self, text: &[u8], first: u8, is_all: bool) -> Option<Kind> {
        let next = text.get(1).copied();
        Some(match first {
            _ if is_space(first) => Kind::Space,
            _ if is_word(first) => Kind::Word,
            b'\'' => Kind::Text,
            b'"' => Kind::Name,
            b'$' => return self.dollar_or_mark(text, is_all),
            b'-' | b'/' | b':' if next.is_none() && !is_all => return None,
            b'-' if next == Some(b'-') => Kind::LineComment,
            b'/' if next == Some(b'*') => Kind::BlockComment,
            b':' if self.for_psql && next.is_some_and(is_word) => Kind::Variable,
            _ => Kind::Mark,
        })
    }

    /// Whether the dollar sign that `text` begins with begins dollar quotes, whose delimiter has the length `looked_at` then.
    fn dollar_or_mark(&mut self, text: &[u8], is_all: bool) -> Option<Kind> {
        let from = self.looked_at.max(1);
        let end = text[from..].iter().position(|byte| !is_word(*byte)).map_or(text.len(), |end| from + end);
        let is_mark = text.get(1).is_some_and(u8::is_ascii_digit) || text.get(end).is_some_and(|byte| *byte != b'$');
        if is_mark || (end == text.len() && is_all) {
            self.looked_at = 0;
            return Some(Kind::Mark);
        }
        if end == text.len() {
            self.looked_at = end;
            return None;
        }
        self.looked_at = end + 1;
        Some(Kind::Dollar)
    }

    /// The sort of a string that begins, or goes on.
    fn sort(&self, ended: Option<Ended>, prefix: Prefix) -> Sort {
        match (ended, prefix) {
            (Some(Ended { sort, gap: Gap::Nothing }), _) if sort.doubles => sort,
            (Some(Ended { sort, gap: Gap::Line }), _) => sort,
            (_, Prefix::Escapes) => Sort { has_escapes: true, doubles: true },
            (_, Prefix::Bits) => Sort { has_escapes: false, doubles: false },
            (_, Prefix::Other) => Sort { has_escapes: !self.standard_strings, doubles: true },
        }
    }

    /// How much of `text` belongs to the string that it goes on with.
    fn text(&mut self, text: &[u8]) -> usize {
        let Within::Text { sort, mut is_escaped } = self.within else { return 0 };
        let mut at = 0;
        if is_escaped && !text.is_empty() {
            (is_escaped, at) = (false, 1);
        }
        while let Some(special) = next_special(&text[at..], sort) {
            at += special + 1;
            match text[at - 1] {
                b'\\' if at == text.len() => is_escaped = true,
                b'\\' => at += 1,
                _ if sort.doubles && text.get(at) == Some(&b'\'') => at += 1,
                _ => {
                    (self.within, self.ended) = (Within::Nothing, Some(Ended { sort, gap: Gap::Nothing }));
                    return at;
                }
            }
        }
        self.within = Within::Text { sort, is_escaped };
        text.len()
    }

    fn name(&mut self, text: &[u8]) -> usize {
        let mut at = 0;
        while let Some(quote) = text[at..].find_byte(b'"') {
            at += quote + 1;
            if text.get(at) != Some(&b'"') {
                self.within = Within::Nothing;
                return at;
            }
            at += 1;
        }
        text.len()
    }

    fn word(&mut self, text: &[u8]) -> usize {
        let Within::Word { is_number } = self.within else { return 0 };
        let digits = text.iter().take_while(|byte| is_number && byte.is_ascii_digit()).count();
        let rest = &text[digits..];
        // Right after a number, a dollar sign begins something else.
        let is_over = is_number && rest.first() == Some(&b'$');
        let more = rest.iter().take_while(|byte| !is_over && (is_word(**byte) || **byte == b'$')).count();
        let length = digits + more;
        let is_open = length == text.len();
        self.within = if is_open { Within::Word { is_number: is_number && more == 0 } } else { Within::Nothing };
        self.prefix = match &text[..length] {
            b"e" | b"E" => Prefix::Escapes,
            b"b" | b"B" | b"x" | b"X" => Prefix::Bits,
            _ => Prefix::Other,
        };
        length
    }

    fn variable(&mut self, text: &[u8]) -> usize {
        let Some(end) = text.iter().position(|byte| !is_word(*byte)) else { return text.len() };
        self.within = Within::Nothing;
        end
    }

    fn line_comment(&mut self, text: &[u8]) -> usize {
        let Some(end) = text.find_byteset(b"\r\n") else { return text.len() };
        self.within = Within::Nothing;
        end
    }

    fn block_comment(&mut self, text: &[u8]) -> usize {
        let Within::BlockComment(mut depth, mut before) = self.within else { return 0 };
        for (at, &byte) in text.iter().enumerate() {
            (depth, before) = match (before, byte) {
                (b'/', b'*') => (depth.saturating_add(1), 0),
                (b'*', b'/') => (depth - 1, 0),
                _ => (depth, byte),
            };
            if depth == 0 {
                self.within = Within::Nothing;
                return at + 1;
            }
        }
        self.within = Within::BlockComment(depth, before);
        text.len()
    }

    fn dollar(&mut self, text: &[u8]) -> usize {
        let Within::Dollar(delimiter, same) = &mut self.within else { return 0 };
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if *same == 0 {
                // Nothing before the next dollar sign is of interest.
                let Some(next) = text[at..].find_byte(b'$') else { break };
                (*same, at) = (1, at + next + 1);
                continue;
            }
            // Dollar signs are the first of a delimiter and the last.
            *same = if delimiter.get(*same) == Some(&byte) { *same + 1 } else { usize::from(byte == b'$') };
            at += 1;
            if *same == delimiter.len() {
                self.within = Within::Nothing;
                return at;
            }
        }
        text.len()
    }
}

/// The next quote, or the next backslash where that has a meaning.
fn next_special(text: &[u8], sort: Sort) -> Option<usize> {
    if sort.has_escapes { text.find_byteset(b"\\'") } else { text.find_byte(b'\'') }
}

/// Whether the byte can be part of a name without quotes; every byte of a character beyond ASCII can.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
