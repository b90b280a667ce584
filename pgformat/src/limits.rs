//! How large the numbers in an archive may be before a reader believes that the archive is damaged.

use crate::setters::setters;

/// What a reader accepts. Nothing is allocated for a number that the archive states before it was held against these,
/// and memory for a long text grows only as its bytes arrive. Others begin with [`Limits::DEFAULT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Entries in the table of contents.
    pub entries: u64,
    /// Bytes in one text of the header or of an entry.
    pub text: u64,
    /// Dependencies of one entry.
    pub dependencies: u64,
    /// Bytes of the whole table of contents.
    pub contents: u64,
    /// Bytes in one chunk of data, as stored.
    pub chunk: u64,
    /// Large objects in one list of a directory or a tar archive.
    pub objects: u64,
}

impl Limits {
    /// Bytes of a table of contents that is compressed, which nobody but a person with a compressor does: its length says
    /// nothing of what it will be in memory.
    pub(crate) const PACKED_CONTENTS: u64 = 16 << 20;

    /// What fits every archive that PostgreSQL's tools can read back.
    pub const DEFAULT: Self = Self {
        entries: 50_000_000,
        text: 1 << 30,
        dependencies: 10_000_000,
        contents: 16 << 30,
        chunk: i32::MAX as u64,
        objects: 32_000_000,
    };

    setters! {
        entries: u64 => entries,
        text: u64 => text,
        dependencies: u64 => dependencies,
        contents: u64 => contents,
        chunk: u64 => chunk,
        objects: u64 => objects,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
