//! What psql could take for a command of its own once it has lost track of where a quote ends, wherever it stands, and the same
//! written in a way in which it cannot.
//!
//! Three texts are looked for: `\unrestrict`, the one command that psql carries out in a script that begins with `\restrict`, and
//! the variables whose values others than the reader can choose: `:LAST_ERROR_MESSAGE`, which is what an error says, and `:DBNAME`,
//! which whoever may make a database names. They lose their last letter to another way of writing it: an escape, where the text
//! has escapes, or a string that goes on in the next line.

use std::borrow::Cow;
use std::sync::LazyLock;

use bstr::{BStr, ByteSlice, Finder};

use super::lexer::{Kind, Lexer};
use super::{Encoding, LaterBytes, quote};

const COMMAND: &[u8] = b"\\unrestrict";
const ERROR: &[u8] = b":LAST_ERROR_MESSAGE";
const DATABASE: &[u8] = b":DBNAME";
/// So many bytes of what was written before may be the beginning of any of them.
const OVERLAP: usize = ERROR.len() - 1;
/// So many bytes a character that ends before a byte, or with it, can have had before that, in any encoding that psql knows.
const CHARACTER: usize = 3;
/// Of so many backslashes in a row, no more than whether their number is odd is kept.
const MANY: usize = 1024;

/// One of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// psql's command.
    Command,
    /// One of psql's variables.
    Variable,
}

/// Made once: what is looked through is often shorter than it takes to make one.
static FINDERS: LazyLock<[(Harm, Finder<'static>); 3]> = LazyLock::new(|| {
    [(Harm::Command, COMMAND), (Harm::Variable, ERROR), (Harm::Variable, DATABASE)]
        .map(|(harm, text)| (harm, Finder::new(text)))
});

/// Where the text begins that is looked for.
fn places(finder: &Finder<'_>, text: &[u8]) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + finder.find(&text[from..])?;
        from = at + 1;
        Some(at)
    })
}

/// The end of what was written before, as far as the next piece can go on with it.
#[derive(Debug, Clone, Default)]
pub struct Before(Vec<u8>);

impl Before {
    /// Which of the texts end in `piece`, and where: the place of the last letter.
    pub fn find(&self, piece: &[u8]) -> Vec<(usize, Harm)> {
        let mut found = Vec::new();
        // Nothing goes on from what has none of the first characters.
        let is_open = self.0.find_byteset(b"\\:").is_some();
        let seam = if is_open { [&self.0, &piece[..piece.len().min(OVERLAP)]].concat() } else { Vec::new() };
        for (harm, finder) in &*FINDERS {
            let length = finder.needle().len();
            let across = places(finder, &seam).map(|at| at + length - 1);
            let across = across.filter_map(|last| last.checked_sub(self.0.len())).filter(|last| *last < length - 1);
            let within = places(finder, piece).map(|at| at + length - 1);
            found.extend(across.chain(within).map(|last| (last, *harm)));
        }
        found.retain(|(last, harm)| *harm == Harm::Variable || self.is_command(piece, *last));
        found.sort_unstable();
        found
    }

    /// Whether the backslash before this last letter can begin a command, wherever psql believes itself to be. As COPY writes it,
    /// and in strings with escapes, it has another one before it: either both are one character, or the other begins a command,
    /// which has no name, and psql drops the line. The one may belong to the character before, though, if that has several bytes,
    /// or may have in an encoding that a function turns to while the script runs. In GB18030 and JOHAB, bytes of ASCII can stand
    /// between its first and that.
    fn is_command(&self, piece: &[u8], last: usize) -> bool {
        let mut before = piece[..=last].iter().rev().chain(self.0.iter().rev()).skip(COMMAND.len()).peekable();
        let mut backslashes = 0_usize;
        while before.next_if(|byte| **byte == b'\\').is_some() {
            backslashes += 1;
        }
        backslashes.is_multiple_of(2) || before.take(CHARACTER).any(|byte| !byte.is_ascii())
    }

    /// Takes note of what was written.
    pub fn push(&mut self, piece: &[u8]) {
        if let Some(from) = beginning_of_rest(piece) {
            self.0.clear();
            self.0.extend_from_slice(&piece[from..]);
        } else {
            self.0.extend_from_slice(piece);
            if let Some(from) = beginning_of_rest(&self.0) {
                self.0.drain(..from);
            }
        }
        if self.0.len() > MANY {
            // All but the first few and the last are backslashes.
            self.0.drain(CHARACTER..CHARACTER + (self.0.len() - MANY) / 2 * 2);
        }
    }
}

/// Where in the text begins what is to be known of it; `None` if that may be before it.
fn beginning_of_rest(text: &[u8]) -> Option<usize> {
    let mut from = text.len().checked_sub(OVERLAP)?;
    while text.get(from) == Some(&b'\\') {
        from = from.checked_sub(1)?;
    }
    from.checked_sub(CHARACTER - 1)
}

/// What is put between two strings on two lines, which are one.
const GOES_ON: &[u8] = b"'\n'";

/// A letter as COPY and strings with escapes take it.
fn escaped(letter: u8) -> Vec<u8> {
    format!("\\x{letter:02x}").into_bytes()
}

/// Writes `text` with something else in place of the letters at these places.
fn replaced(text: &[u8], found: &[usize], other: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8 * found.len());
    let mut from = 0;
    for &at in found {
        out.extend_from_slice(&text[from..at]);
        out.extend(other(text[at]));
        from = at + 1;
    }
    out.extend_from_slice(&text[from..]);
    out
}

/// The next piece of rows in COPY's text format, of which `before` has come already.
pub fn rows<'a>(before: &Before, piece: &'a [u8]) -> Cow<'a, [u8]> {
    let found = before.find(piece);
    if found.is_empty() {
        return Cow::Borrowed(piece);
    }
    let places: Vec<usize> = found.into_iter().map(|(last, _)| last).collect();
    Cow::Owned(replaced(piece, &places, escaped))
}

/// A comment, or a part of one.
pub fn comment(text: &[u8]) -> Cow<'_, [u8]> {
    let found = Before::default().find(text);
    match found.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(in_comment(text, &found.into_iter().map(|(last, _)| last).collect::<Vec<usize>>())),
    }
}

fn in_comment(text: &[u8], places: &[usize]) -> Vec<u8> {
    replaced(text, places, |_| b"?".to_vec())
}

/// Literals in the making, in statements of which nothing else can hold one of the texts.
#[derive(Debug, Clone)]
pub struct Literals {
    before: Before,
    standard_strings: bool,
}

impl Literals {
    /// `standard_strings` says whether a backslash in a literal is a plain character.
    pub fn new(standard_strings: bool) -> Self {
        Self { before: Before::default(), standard_strings }
    }

    /// Looks at what was appended to `out`, from `from` on.
    pub fn mend(&mut self, out: &mut Vec<u8>, from: usize) {
        let found: Vec<usize> = self.before.find(&out[from..]).into_iter().map(|(last, _)| last).collect();
        if !found.is_empty() {
            let mended = replaced(&out[from..], &found, |letter| other_letter(letter, !self.standard_strings));
            out.truncate(from);
            out.extend_from_slice(&mended);
        }
        self.before.push(&out[from..]);
    }
}

/// A letter in a string in single quotes.
fn other_letter(letter: u8, has_escapes: bool) -> Vec<u8> {
    match has_escapes {
        true => escaped(letter),
        false => [GOES_ON, &[letter]].concat(),
    }
}

/// Statements that are all there, with none of the texts in what is quoted. What cannot be written otherwise stays, as does
/// all that is not quoted; in comments the last letter becomes a question mark.
pub fn statements(text: &[u8], standard_strings: bool, encoding: Encoding) -> Cow<'_, [u8]> {
    let found = Before::default().find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let masked = LaterBytes::of(encoding).masked(text);
    let mut lexer = Lexer::new(standard_strings);
    let mut out = Vec::with_capacity(text.len() + 8 * found.len());
    let (mut at, mut last_solid, mut before) = (0, None, Kind::Space);
    let mut found = found.into_iter().map(|(last, _)| last).peekable();
    while let Some((kind, length)) = lexer.next(&masked[at..], true) {
        let token = &text[at..at + length];
        let mut places = Vec::new();
        while let Some(last) = found.next_if(|last| *last < at + length) {
            places.push(last - at);
        }
        let mended = if places.is_empty() {
            None
        } else {
            match kind {
                Kind::Text => {
                    let has_escapes = lexer.ended_with_escapes();
                    Some(replaced(token, &places, |letter| other_letter(letter, has_escapes)))
                }
                // Else it has a prefix already, or is no SQL.
                Kind::Name if standard_strings && !matches!(before, Kind::Word) && !text[..at].ends_with(b"&") => {
                    Some(name(token, &masked[at..at + length], &places))
                }
                // After a string, the one that is made of it could be taken for a part of that.
                Kind::Dollar if standard_strings && last_solid != Some(Kind::Text) => dollar(token, &places, encoding),
                Kind::LineComment | Kind::BlockComment => Some(in_comment(token, &places)),
                _ => None,
            }
        };
        out.extend_from_slice(mended.as_deref().unwrap_or(token));
        before = kind;
        if !matches!(kind, Kind::Space | Kind::LineComment | Kind::BlockComment) {
            last_solid = Some(kind);
        }
        at += length;
    }
    Cow::Owned(out)
}

/// A name in double quotes, as one with escapes. In `masked`, no backslash is a part of another character.
fn name(token: &[u8], masked: &[u8], places: &[usize]) -> Vec<u8> {
    let mut out = b"U&".to_vec();
    for (at, (&byte, seen)) in token.iter().zip(masked).enumerate() {
        match seen {
            _ if places.contains(&at) => out.extend_from_slice(format!("\\{byte:04x}").as_bytes()),
            b'\\' => out.extend_from_slice(b"\\\\"),
            _ => out.push(byte),
        }
    }
    out
}

/// A string in dollar quotes, as strings in single quotes that go on in the next line. `None` if it has no end.
fn dollar(token: &[u8], places: &[usize], encoding: Encoding) -> Option<Vec<u8>> {
    let delimiter = &token[..=token.get(1..)?.find_byte(b'$')? + 1];
    let end = token.len().checked_sub(delimiter.len()).filter(|end| *end >= delimiter.len())?;
    let mut out = Vec::new();
    let mut from = delimiter.len();
    for at in places.iter().copied().chain([end]) {
        if from > delimiter.len() {
            out.push(b'\n');
        }
        quote::literal(&mut out, BStr::new(token.get(from..at)?), true, encoding);
        from = at;
    }
    Some(out)
}

#[cfg(test)]
#[path = "harmless_tests.rs"]
mod tests;
