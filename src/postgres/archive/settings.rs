//! What an archive says of the session that its texts are for.

use bstr::{BStr, BString};
use pgformat::Entry;

use super::text;
use crate::{Error, ErrorKind, Result};

/// What the archive says about the session that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveSettings {
    /// The encoding of every text in the archive.
    pub encoding: BString,
    /// Whether a backslash in a string literal is an ordinary character.
    pub standard_strings: bool,
    /// The statement that sets the search path; archives of before March 2018 have none, and rely on a path for each
    /// entry.
    pub search_path: Option<BString>,
}

impl ArchiveSettings {
    /// Finds the entries that are settings.
    ///
    /// # Errors
    /// An entry that does not say what it should.
    pub fn of(entries: &[Entry]) -> Result<Self> {
        let mut settings = Self::unsaid();
        entries.iter().try_for_each(|entry| settings.read(entry))?;
        Ok(settings)
    }

    /// As [`ArchiveSettings::of`], without the entries that do not say what they should.
    pub fn as_far_as_said(entries: &[Entry]) -> Self {
        let mut settings = Self::unsaid();
        for entry in entries {
            // Whoever restores is told.
            let _ = settings.read(entry);
        }
        settings
    }

    fn unsaid() -> Self {
        Self { encoding: "SQL_ASCII".into(), standard_strings: false, search_path: None }
    }

    fn read(&mut self, entry: &Entry) -> Result<()> {
        let definition = text(&entry.definition);
        match entry.desc.as_ref().map(|desc| desc.as_slice()) {
            Some(b"ENCODING") => self.encoding = quoted_word(entry, definition)?,
            Some(b"STDSTRINGS") => self.standard_strings = quoted_word(entry, definition)? == "on",
            Some(b"SEARCHPATH") => self.search_path = Some(definition.into()),
            _ => {}
        }
        Ok(())
    }
}

/// The word between the quotes of `SET something = 'word';`. It goes into statements of ours, so it must be one.
fn quoted_word(entry: &Entry, definition: &BStr) -> Result<BString> {
    let mut parts = definition.splitn(3, |byte| *byte == b'\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(word), Some(_))
            if !word.is_empty() && word.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_' || *c == b'-') =>
        {
            Ok(word.into())
        }
        _ => Err(Error::new(ErrorKind::Archive, format!("read entry {} ({})", entry.dump_id.0, text(&entry.desc)))
            .why(format!("\"{definition}\" is not a setting"))),
    }
}
