//! What is wrong with a pattern, for callers that have words of their own for it.

use std::fmt;

use bstr::BString;

/// What is wrong with a pattern of a [`Selection`](super::Selection): among the causes of the
/// [`Error`](crate::Error) that refuses it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternFault {
    /// Nothing matches.
    NoMatch {
        /// What was looked for: `tables`, `schemas`, `extensions`, `foreign servers`.
        what: &'static str,
        /// The pattern that has to match something by itself; none where one of several would have done.
        pattern: Option<BString>,
    },
    /// There are more dots in it than a name of its sort has.
    TooManyDots {
        /// What it is about.
        what: &'static str,
        /// The pattern.
        pattern: BString,
    },
    /// It names another database than the one that is backed up.
    OtherDatabase {
        /// The pattern.
        pattern: BString,
    },
}

impl fmt::Display for PatternFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoMatch { .. } => "there are none",
            Self::TooManyDots { .. } => "there are too many dots in it",
            Self::OtherDatabase { .. } => "it names another database than the one that is backed up",
        })
    }
}

impl std::error::Error for PatternFault {}
