//! How SQL text is written: by what a dump was asked for, and by who will read it.

use super::Encoding;

/// How names and literals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether literals are read with `standard_conforming_strings = on`.
    pub standard_strings: bool,
    /// Whether names are quoted that need not be: another server may have reserved the word.
    pub quote_all: bool,
    /// Whether the bodies of functions stand between dollar signs.
    pub dollar_quotes: bool,
    /// Whether MAINTAIN is one of the privileges that are all on a table.
    pub maintain: bool,
    /// Whether a space comes after the sort of objects that default privileges are for, as older tools have it.
    pub old_spaces: bool,
    /// How long characters are, where a backslash in a literal could be the end of one.
    pub encoding: Encoding,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            standard_strings: true,
            quote_all: false,
            dollar_quotes: true,
            maintain: true,
            old_spaces: false,
            encoding: Encoding::Safe,
        }
    }
}
