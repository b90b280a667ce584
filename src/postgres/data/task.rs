//! What fetches the data of one entry.

use std::fmt;

use bstr::BString;

use super::inserts::Inserts;

/// What fetches the data of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataTask {
    /// A relation's rows.
    Rows {
        /// The relation's schema.
        schema: BString,
        /// The relation's name.
        name: BString,
        /// The COPY … TO STDOUT statement for all of it.
        copy: BString,
        /// The INSERT statements that they are written as, and not as COPY has them.
        inserts: Option<Inserts>,
        /// Whether the rows are another server's, which a session that dumps may not read without more ado.
        foreign: bool,
        /// An estimate of its size in pages (`relpages`), with those of its TOAST table, for progress.
        pages: i32,
    },
    /// Large objects, in this order.
    LargeObjects(Vec<u32>),
}

impl DataTask {
    /// About how many bytes of data it will fetch, as far as the server knows of a relation's size; 0 where it does not.
    pub fn expected_bytes(&self) -> u64 {
        const PAGE: u64 = 8192;
        match self {
            DataTask::Rows { pages, .. } => u64::try_from(*pages).unwrap_or(0) * PAGE,
            DataTask::LargeObjects(_) => 0,
        }
    }
}

impl fmt::Display for DataTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataTask::Rows { schema, name, .. } => write!(f, "table \"{schema}\".\"{name}\""),
            DataTask::LargeObjects(oids) => write!(f, "{} large objects", oids.len()),
        }
    }
}
