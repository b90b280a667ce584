//! What fetches the data of one entry.

use bstr::BString;

/// What fetches the data of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataTask {
    /// A relation's rows.
    Rows {
        /// The relation as messages call it.
        name: BString,
        /// The relation's OID.
        oid: u32,
        /// The COPY … TO STDOUT statement for all of it.
        copy: BString,
        /// An estimate of its size in pages (`relpages`), for progress and for cutting it into ranges.
        pages: i32,
        /// Whether it can be read in ranges of `ctid`: it is a plain table with storage of its own.
        has_pages: bool,
    },
    /// Large objects, in this order.
    LargeObjects(Vec<u32>),
}
