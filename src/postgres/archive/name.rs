//! The name that an entry has in messages.

use std::fmt;

use bstr::ByteSlice;
use pgformat::{DumpId, Entry};

use super::kinds::text;
use crate::printable;

/// Which entry something is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryName {
    /// Its number in the archive.
    pub dump_id: DumpId,
    /// Its kind.
    pub desc: String,
    /// Its schema, if it has one.
    pub schema: Option<String>,
    /// Its name.
    pub tag: String,
}

impl EntryName {
    /// The name of `entry`. What is not UTF-8 in it is replaced, and control characters are escaped.
    pub fn of(entry: &Entry) -> Self {
        Self {
            dump_id: entry.dump_id,
            desc: printable::name(text(&entry.desc)),
            schema: entry
                .schema
                .as_ref()
                .filter(|schema| !schema.is_empty())
                .map(|schema| printable::name(schema.as_bstr())),
            tag: printable::name(text(&entry.tag)),
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.desc)?;
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.tag)
    }
}
