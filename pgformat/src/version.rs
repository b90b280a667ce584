//! The versions of the archive format, and what each of them can say.

use std::fmt;

/// A version of the archive format; not a version of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Always 1 so far.
    pub major: u8,
    /// What is meant by "version 1.14": 14.
    pub minor: u8,
    /// Has no meaning for readers; 0 in everything that was written lately.
    pub rev: u8,
}

impl Version {
    /// PostgreSQL 8.0: tablespaces.
    pub const V1_10: Self = Self::of(10);
    /// PostgreSQL 8.4: entries carry their section.
    pub const V1_11: Self = Self::of(11);
    /// PostgreSQL 9.0: an entry for each large object.
    pub const V1_12: Self = Self::of(12);
    /// PostgreSQL 11 and the minor releases of March 2018: an empty `search_path` while restoring.
    pub const V1_13: Self = Self::of(13);
    /// PostgreSQL 12 to 15: table access methods.
    pub const V1_14: Self = Self::of(14);
    /// PostgreSQL 16: the header names the compression algorithm.
    pub const V1_15: Self = Self::of(15);
    /// PostgreSQL 17 and 18: `BLOB METADATA`, several `BLOBS` entries, relkinds.
    pub const V1_16: Self = Self::of(16);

    /// The oldest version that is read and written here.
    pub const OLDEST: Self = Self::V1_10;
    /// The newest version that is read and written here.
    pub const NEWEST: Self = Self::V1_16;

    const fn of(minor: u8) -> Self {
        Self { major: 1, minor, rev: 0 }
    }

    /// Whether this crate reads and writes it.
    pub fn is_supported(self) -> bool {
        self.major == 1 && (Self::OLDEST.minor..=Self::NEWEST.minor).contains(&self.minor)
    }

    pub(crate) fn has_sections(self) -> bool {
        self >= Self::V1_11
    }

    pub(crate) fn has_table_access_methods(self) -> bool {
        self >= Self::V1_14
    }

    pub(crate) fn names_the_compression(self) -> bool {
        self >= Self::V1_15
    }

    pub(crate) fn has_relkinds(self) -> bool {
        self >= Self::V1_16
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.rev != 0 {
            write!(f, "-{}", self.rev)?;
        }
        Ok(())
    }
}

/// A text is no archive version that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseVersionError(String);

impl fmt::Display for ParseVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is no archive version: it is one of {} to {}", self.0, Version::OLDEST, Version::NEWEST)
    }
}

impl std::error::Error for ParseVersionError {}

impl std::str::FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("1.")
            .filter(|minor| !minor.starts_with('+'))
            .and_then(|minor| minor.parse().ok())
            .map(Self::of)
            .filter(|version| version.is_supported())
            .ok_or_else(|| ParseVersionError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_are_parsed_and_shown() {
        for minor in 10..=16 {
            let text = format!("1.{minor}");
            assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
        }
        for text in ["", "1", "1.", "1.9", "1.17", "2.14", "1.+14", "1.14.0", "14"] {
            let error = text.parse::<Version>().unwrap_err().to_string();
            assert_eq!(error, format!("\"{text}\" is no archive version: it is one of 1.10 to 1.16"));
        }
    }
}
