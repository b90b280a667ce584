//! What psql makes of the text of a statement, as far as it is something else than what a server makes of it.
//!
//! A server knows SQL only. psql finds the end of each statement by itself, and outside of quotes and comments it takes a
//! backslash for the beginning of a command of its own, which may run programs, and a colon for that of a variable's name,
//! which it replaces. Neither comes in an honest definition, whatever its quotes hold. Nor does an honest definition end
//! within a quote, which would turn what follows in the script inside out.

use crate::postgres::restore::script::encoding::Encoding;
use crate::postgres::restore::script::trouble::{Trouble, is_variable};

/// No word that means something here is longer.
const WORD: usize = 32;

/// Goes through text, which may come in pieces.
pub(super) struct Lexer {
    /// Whether a backslash is a character like others in quotes, unless they say otherwise.
    standard_strings: bool,
    encoding: Encoding,
    place: Place,
    /// The character before, where it begins something together with the next one.
    pending: Pending,
    /// The bytes of a character that are still to come.
    rest: u8,
    /// The word that is being read, and how it began.
    word: Vec<u8>,
    is_number: bool,
    /// What a quote that has just ended would go on as, if another came.
    ended: Option<Ended>,
    /// The text of a quote after a colon, as long as it may be a variable's name.
    named: Option<Vec<u8>>,
    parentheses: u32,
    words: Words,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Outside,
    Quote(Quote),
    /// After a backslash in a quote that has escapes.
    Escape(Quote),
    Name,
    /// In dollar quotes with this mark, so many bytes of which have come again.
    Dollar(Vec<u8>, usize),
    Line,
    /// In a comment in so many others, after this byte.
    Block(u32, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quote {
    has_escapes: bool,
    /// Whether two quotes in it are one; there are none in strings of bits.
    doubles: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ended {
    quote: Quote,
    gap: Gap,
}

/// What came since the end of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Space,
    Line,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pending {
    Nothing,
    Dash,
    Slash,
    Colon,
    ColonBrace,
    Dollar(Vec<u8>),
    Variable(Vec<u8>),
}

/// The words of a statement, outside of quotes, that are of interest.
#[derive(Debug, Default)]
struct Words {
    /// Whether there was any, and whether the first one is COPY.
    any: bool,
    is_copy: bool,
    has_stdin: bool,
}

impl Lexer {
    pub(super) fn new(standard_strings: bool, encoding: Encoding) -> Self {
        Self {
            standard_strings,
            encoding,
            place: Place::Outside,
            pending: Pending::Nothing,
            rest: 0,
            word: Vec::new(),
            is_number: false,
            ended: None,
            named: None,
            parentheses: 0,
            words: Words::default(),
        }
    }

    /// Takes more text.
    pub(super) fn feed(&mut self, text: &[u8]) -> Result<(), Trouble> {
        for (at, &byte) in text.iter().enumerate() {
            if self.rest > 0 && byte != b'\n' {
                self.rest -= 1;
                // psql puts this byte in place of the later ones of a character.
                self.byte(0xff)?;
                continue;
            }
            self.rest = self.encoding.bytes_after(byte, text.get(at + 1).copied());
            self.byte(byte)?;
        }
        Ok(())
    }

    /// The text is at its end; everything that began in it must have ended.
    pub(super) fn finish(&mut self) -> Result<(), Trouble> {
        match &self.place {
            Place::Quote(_) | Place::Escape(_) => return Err(Trouble::Open("a quote")),
            Place::Name => return Err(Trouble::Open("a quoted name")),
            Place::Dollar(..) => return Err(Trouble::Open("a dollar quote")),
            Place::Block(..) => return Err(Trouble::Open("a comment")),
            Place::Line => self.place = Place::Outside,
            Place::Outside => {}
        }
        // What was waiting for the next character waits no more.
        self.outside(b'\n')?;
        if self.parentheses > 0 {
            return Err(Trouble::Open("a parenthesis"));
        }
        if self.words.is_copy && self.words.has_stdin {
            return Err(Trouble::Copy);
        }
        Ok(())
    }

    fn byte(&mut self, byte: u8) -> Result<(), Trouble> {
        match &mut self.place {
            Place::Outside => return self.outside(byte),
            Place::Quote(quote) => {
                let quote = *quote;
                match byte {
                    b'\'' => {
                        self.ended = Some(Ended { quote, gap: Gap::Nothing });
                        return self.leave();
                    }
                    b'\\' if quote.has_escapes => self.place = Place::Escape(quote),
                    _ => {}
                }
                self.name_on(byte);
            }
            Place::Escape(quote) => self.place = Place::Quote(*quote),
            Place::Name if byte == b'"' => return self.leave(),
            Place::Name => self.name_on(byte),
            Place::Dollar(mark, same) => match mark.get(*same) {
                Some(&next) if next == byte => {
                    *same += 1;
                    if *same == mark.len() {
                        self.place = Place::Outside;
                    }
                }
                _ => *same = usize::from(byte == b'$'),
            },
            Place::Line if matches!(byte, b'\n' | b'\r') => {
                self.place = Place::Outside;
                return self.outside(byte);
            }
            Place::Line => {}
            Place::Block(depth, before) => match (*before, byte) {
                (b'/', b'*') => (*depth, *before) = (*depth + 1, 0),
                (b'*', b'/') => {
                    (*depth, *before) = (*depth - 1, 0);
                    if *depth == 0 {
                        self.place = Place::Outside;
                    }
                }
                _ => *before = byte,
            },
        }
        Ok(())
    }

    /// The end of a quote or a quoted name.
    fn leave(&mut self) -> Result<(), Trouble> {
        self.place = Place::Outside;
        match self.named.take() {
            Some(name) if is_variable(&name) => Err(Trouble::Variable),
            _ => Ok(()),
        }
    }

    /// Goes on with what may be a variable's name in quotes.
    fn name_on(&mut self, byte: u8) {
        if let Some(name) = &mut self.named {
            if is_word(byte) && name.len() < WORD {
                name.push(byte);
            } else {
                self.named = None;
            }
        }
    }

    fn outside(&mut self, byte: u8) -> Result<(), Trouble> {
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        match (pending, byte) {
            (Pending::Dash, b'-') => {
                self.end_word();
                self.place = Place::Line;
                return Ok(());
            }
            (Pending::Slash, b'*') => {
                (self.place, self.ended) = (Place::Block(1, 0), None);
                return Ok(());
            }
            // A cast, or an assignment.
            (Pending::Colon, b':' | b'=') => return Ok(()),
            (Pending::Colon, b'{') => {
                self.pending = Pending::ColonBrace;
                return Ok(());
            }
            (Pending::ColonBrace, b'?') => return Err(Trouble::Variable),
            (Pending::Colon, b'\'' | b'"') => self.named = Some(Vec::new()),
            (Pending::Colon, byte) if is_word(byte) => {
                self.pending = Pending::Variable(vec![byte]);
                return Ok(());
            }
            (Pending::Variable(mut name), byte) if is_word(byte) => {
                if name.len() < WORD {
                    name.push(byte);
                }
                self.pending = Pending::Variable(name);
                return Ok(());
            }
            (Pending::Variable(name), _) if is_variable(&name) => return Err(Trouble::Variable),
            (Pending::Dollar(mut mark), b'$') => {
                mark.push(byte);
                self.place = Place::Dollar(mark, 0);
                return Ok(());
            }
            (Pending::Dollar(mut mark), byte) if is_word(byte) && !(mark.len() == 1 && byte.is_ascii_digit()) => {
                mark.push(byte);
                self.pending = Pending::Dollar(mark);
                return Ok(());
            }
            // What would have been a mark is a word by itself.
            (Pending::Dollar(mark), _) if mark.len() > 1 => {
                self.word.extend(mark.iter().skip(1).take(WORD + 1));
                self.is_number = false;
            }
            (Pending::Dash, _) => self.ended = None,
            _ => {}
        }
        if is_word(byte) || (byte == b'$' && !self.word.is_empty() && !self.is_number) {
            self.ended = None;
            if self.word.is_empty() {
                self.is_number = byte.is_ascii_digit();
            }
            // Of a longer one, only that it is none of those that matter is of interest.
            if self.word.len() <= WORD {
                self.word.push(byte);
            }
            return Ok(());
        }
        let prefix = self.end_word();
        match byte {
            b'\'' => self.quote(prefix),
            b'"' => (self.place, self.ended) = (Place::Name, None),
            b'-' => self.pending = Pending::Dash,
            b'\n' | b'\r' => self.gap(Gap::Line),
            b' ' | b'\t' | 0x0b | 0x0c => self.gap(Gap::Space),
            _ => {
                self.ended = None;
                match byte {
                    b'\\' => return Err(Trouble::Command),
                    b'/' => self.pending = Pending::Slash,
                    b':' => self.pending = Pending::Colon,
                    b'$' => self.pending = Pending::Dollar(vec![b'$']),
                    b'(' => self.parentheses = self.parentheses.saturating_add(1),
                    b')' => self.parentheses = self.parentheses.saturating_sub(1),
                    b';' if self.parentheses == 0 => self.end_statement()?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// A quote begins, or goes on, after a word that may say of what kind it is.
    fn quote(&mut self, prefix: Prefix) {
        let plain = Quote { has_escapes: !self.standard_strings, doubles: true };
        let quote = match (self.ended.take(), prefix) {
            (Some(Ended { quote, gap: Gap::Nothing }), _) if quote.doubles => quote,
            (Some(Ended { quote, gap: Gap::Line }), _) => quote,
            (_, Prefix::Escapes) => Quote { has_escapes: true, doubles: true },
            (_, Prefix::Bits) => Quote { has_escapes: false, doubles: false },
            (_, Prefix::Other) => plain,
        };
        self.place = Place::Quote(quote);
    }

    fn gap(&mut self, more: Gap) {
        if let Some(ended) = &mut self.ended
            && ended.gap != Gap::Line
        {
            ended.gap = more;
        }
    }

    /// Takes note of the word that has ended.
    fn end_word(&mut self) -> Prefix {
        if self.word.is_empty() {
            return Prefix::Other;
        }
        let is = |word: &str| self.word.eq_ignore_ascii_case(word.as_bytes());
        let prefix = match () {
            () if is("e") => Prefix::Escapes,
            () if is("b") || is("x") => Prefix::Bits,
            () => Prefix::Other,
        };
        if !self.words.any {
            (self.words.any, self.words.is_copy) = (true, is("copy"));
        }
        self.words.has_stdin |= is("stdin");
        self.word.clear();
        prefix
    }

    fn end_statement(&mut self) -> Result<(), Trouble> {
        let words = std::mem::take(&mut self.words);
        if words.is_copy && words.has_stdin { Err(Trouble::Copy) } else { Ok(()) }
    }
}

/// What a word before a quote says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Escapes,
    Bits,
    Other,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
