//! What psql makes of the text of a statement, as far as it is something else than what a server makes of it.
//!
//! A server knows SQL only. psql finds the end of each statement by itself, and outside of quotes and comments it takes a
//! backslash for the beginning of a command of its own, which may run programs, and a colon for that of a variable's name,
//! which it replaces. Neither comes in an honest definition, whatever its quotes hold. Nor does an honest definition end
//! within a quote, which would turn what follows in the script inside out.

use std::borrow::Cow;

use crate::sql::lexer::{Kind, Lexer, is_word};
use crate::sql::{Encoding, LaterBytes};

/// No word that means something here is longer.
const WORD: usize = 32;
/// Nothing but the delimiter of dollar quotes has to be gathered to be known for what it is, and nobody writes one of that length.
const LONGEST_DELIMITER: usize = 64 * 1024;

/// Goes through text, which may come in pieces.
pub(super) struct PsqlLexer {
    lexer: Lexer,
    later_bytes: LaterBytes,
    /// The end of the last piece, of which more is needed to tell what it is.
    unread: Vec<u8>,
    /// What was last, if it goes on: the beginning of a word or of a variable's name.
    last: Option<Kind>,
    word: Vec<u8>,
    colon: Colon,
    parentheses: u32,
    words: Words,
    /// How much of `U&` was last, which says of a string right after it that it has Unicode's escapes.
    unicode: u8,
    standard_strings: bool,
}

/// What came of something that begins with a colon and is no plain variable.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Colon {
    No,
    Yes,
    Brace,
    /// With the beginning of a quote after it, which may be a variable's name.
    Quoted(Kind, Vec<u8>),
}

/// The words of a statement, outside of quotes, that are of interest.
#[derive(Debug, Default)]
struct Words {
    /// Whether there was any, and whether the first one is COPY.
    any: bool,
    is_copy: bool,
    /// Whether there was one that says that psql is to send rows: in a COPY that reads, both do.
    has_stream: bool,
}

impl PsqlLexer {
    pub(super) fn new(standard_strings: bool, encoding: Encoding) -> Self {
        Self {
            lexer: Lexer::for_psql(standard_strings),
            later_bytes: LaterBytes::of(encoding),
            unread: Vec::new(),
            last: None,
            word: Vec::new(),
            colon: Colon::No,
            parentheses: 0,
            words: Words::default(),
            unicode: 0,
            standard_strings,
        }
    }

    pub(super) fn feed(&mut self, text: &[u8]) -> Result<(), Trouble> {
        self.read(text, false)
    }

    /// The text is at its end; everything that began in it must have ended.
    pub(super) fn finish(&mut self) -> Result<(), Trouble> {
        self.read(b"", true)?;
        match self.lexer.open() {
            Some(Kind::Name) => return Err(Trouble::Open("a quoted name")),
            Some(Kind::Dollar) => return Err(Trouble::Open("a dollar quote")),
            Some(Kind::BlockComment) => return Err(Trouble::Open("a comment")),
            None | Some(Kind::LineComment) => {}
            Some(_) => return Err(Trouble::Open("a quote")),
        }
        self.end_word()?;
        if self.parentheses > 0 {
            return Err(Trouble::Open("a parenthesis"));
        }
        self.end_statement()
    }

    fn read(&mut self, text: &[u8], is_all: bool) -> Result<(), Trouble> {
        let mut text = self.later_bytes.masked(text);
        if !self.unread.is_empty() {
            text = Cow::Owned([std::mem::take(&mut self.unread).as_slice(), &text].concat());
        }
        let mut at = 0;
        while let Some((kind, length)) = self.lexer.next(&text[at..], is_all) {
            self.token(kind, &text[at..at + length])?;
            at += length;
        }
        self.unread = text[at..].to_vec();
        if self.unread.len() > LONGEST_DELIMITER { Err(Trouble::Open("a dollar quote")) } else { Ok(()) }
    }

    fn token(&mut self, kind: Kind, text: &[u8]) -> Result<(), Trouble> {
        let is_more = self.last == Some(kind) && !text.starts_with(b":");
        if !is_more {
            self.end_word()?;
        }
        let colon = std::mem::replace(&mut self.colon, Colon::No);
        let unicode = std::mem::take(&mut self.unicode);
        match (kind, text) {
            (Kind::Word, text) if text.ends_with(b"u") || text.ends_with(b"U") => self.unicode = 1,
            (Kind::Mark, b"&") if unicode == 1 => self.unicode = 2,
            (Kind::Text, _) if unicode == 2 && !self.standard_strings => return Err(Trouble::Unicode),
            (Kind::Text, _) if self.lexer.goes_on_otherwise() => return Err(Trouble::GoesOn),
            _ => {}
        }
        match (kind, text, colon) {
            (Kind::Word | Kind::Variable, ..) => {
                // Of a longer one, only that it is none of those that matter is of interest.
                let room = (WORD + 1).saturating_sub(self.word.len());
                self.word.extend_from_slice(&text[..text.len().min(room)]);
                self.last = Some(kind);
                if kind == Kind::Word && text.contains(&b'$') && self.word.first().is_some_and(u8::is_ascii_digit) {
                    return Err(Trouble::Dollar);
                }
            }
            (Kind::Mark, b"\\", _) => return Err(Trouble::Command),
            (Kind::Mark, b":", _) => self.colon = Colon::Yes,
            (Kind::Mark, b"{", Colon::Yes) => self.colon = Colon::Brace,
            (Kind::Mark, b"?", Colon::Brace) => return Err(Trouble::Variable),
            (Kind::Mark, b"(", _) => self.parentheses = self.parentheses.saturating_add(1),
            (Kind::Mark, b")", _) => self.parentheses = self.parentheses.saturating_sub(1),
            (Kind::Mark, b";", _) if self.parentheses == 0 => return self.end_statement(),
            (Kind::Text | Kind::Name, text, Colon::Yes) => return self.quoted(kind, Vec::new(), &text[1..]),
            (Kind::Text | Kind::Name, text, Colon::Quoted(_, name)) => return self.quoted(kind, name, text),
            _ => {}
        }
        Ok(())
    }

    /// Goes on with what may be a variable's name in quotes.
    fn quoted(&mut self, kind: Kind, mut name: Vec<u8>, text: &[u8]) -> Result<(), Trouble> {
        let quote = if kind == Kind::Name { b'"' } else { b'\'' };
        for &byte in text {
            match byte {
                _ if byte == quote => return if is_variable(&name) { Err(Trouble::Variable) } else { Ok(()) },
                _ if is_word(byte) && name.len() < WORD => name.push(byte),
                _ => return Ok(()),
            }
        }
        self.colon = Colon::Quoted(kind, name);
        Ok(())
    }

    /// Takes note of the word that has ended.
    fn end_word(&mut self) -> Result<(), Trouble> {
        let Some(kind) = self.last.take() else { return Ok(()) };
        // Its memory serves the next word: of INSERT statements there are millions of words.
        let word = self.word.as_slice();
        if kind == Kind::Variable && is_variable(word.get(1..).unwrap_or_default()) {
            return Err(Trouble::Variable);
        }
        if kind == Kind::Word {
            let is = |other: &str| word.eq_ignore_ascii_case(other.as_bytes());
            if !self.words.any {
                (self.words.any, self.words.is_copy) = (true, is("copy"));
            }
            self.words.has_stream |= is("stdin") || is("stdout");
        }
        self.word.clear();
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), Trouble> {
        let words = std::mem::take(&mut self.words);
        if words.is_copy && words.has_stream { Err(Trouble::Copy) } else { Ok(()) }
    }
}

/// Why text must not get into a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Command,
    /// A dollar sign after a number and letters, by which psql understands one thing or another.
    Dollar,
    Variable,
    /// Something is open at the end.
    Open(&'static str),
    /// A COPY statement, for which psql takes what follows for rows.
    Copy,
    /// A string that is no plain one and goes on in the next line. psql, which reads lines, takes that for a plain one.
    GoesOn,
    /// A string with Unicode's escapes where plain ones have escapes, too: a server refuses it, and psql sees no escapes in it.
    Unicode,
}

impl Trouble {
    pub(super) fn why(self) -> String {
        match self {
            Self::Command => {
                "it has a backslash outside of quotes, which psql would take for a command of its own".into()
            }
            Self::Dollar => {
                "it has a dollar sign after a number and letters, where one psql begins a quote and another does not"
                    .into()
            }
            Self::Variable => "it has a variable of psql's outside of quotes, which psql would replace".into(),
            Self::Open(what) => {
                format!("{what} in it has no end, so that psql would take what follows for a part of it")
            }
            Self::GoesOn => {
                "a string with escapes in it goes on in the next line, where psql takes it for one without".into()
            }
            Self::Unicode => {
                "it has a string with Unicode's escapes where standard_conforming_strings is off, which servers refuse"
                    .into()
            }
            Self::Copy => "it is a COPY statement, and psql would take what follows for rows".into(),
        }
    }
}

/// The variables that psql sets by itself, and those that steer it, which a person may have set.
const VARIABLES: &str = "AUTOCOMMIT COMP_KEYWORD_CASE DBNAME ECHO ECHO_HIDDEN ENCODING ERROR FETCH_COUNT HIDE_TABLEAM \
    HIDE_TOAST_COMPRESSION HISTCONTROL HISTFILE HISTSIZE HOST IGNOREEOF LASTOID LAST_ERROR_MESSAGE LAST_ERROR_SQLSTATE \
    ON_ERROR_ROLLBACK ON_ERROR_STOP PIPELINE_COMMAND_COUNT PIPELINE_RESULT_COUNT PIPELINE_SYNC_COUNT PORT PROMPT1 PROMPT2 \
    PROMPT3 QUIET ROW_COUNT SERVER_VERSION_NAME SERVER_VERSION_NUM SERVICE SERVICEFILE SHELL_ERROR SHELL_EXIT_CODE \
    SHOW_ALL_RESULTS SHOW_CONTEXT SINGLELINE SINGLESTEP SQLSTATE USER VERBOSITY VERSION VERSION_NAME VERSION_NUM \
    WATCH_INTERVAL";

/// Whether psql has a variable of this name by itself.
fn is_variable(name: &[u8]) -> bool {
    VARIABLES.split(' ').any(|variable| variable.as_bytes() == name)
}

#[cfg(test)]
#[path = "psql_tests.rs"]
mod tests;
