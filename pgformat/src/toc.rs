//! The table of contents: what an archive says about each object in it.

use bstr::BString;

/// The number by which the entries of one archive refer to each other; positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DumpId(pub i32);

/// Which part of a restore an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Belongs to no part of its own: comments, privileges and the like go where their object goes.
    None,
    /// Definitions that data needs.
    PreData,
    /// Rows, large objects, sequences' values.
    Data,
    /// Definitions that want the data to be there: indexes, triggers, foreign keys.
    PostData,
}

/// One entry of the table of contents. Texts are bytes in the archive's encoding; `None` is the format's NULL, which is
/// not the empty string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry's number.
    pub dump_id: DumpId,
    /// Whether the dump holds data for it.
    pub has_data: bool,
    /// The OIDs of the system catalog and of the object in it; zeros where there is no such row.
    pub catalog_oid: (u32, u32),
    /// The object's name as a list of contents shows it, arguments of functions included.
    pub tag: Option<BString>,
    /// The kind of object, in the format's upper-case words: `TABLE`, `FK CONSTRAINT`, …
    pub desc: Option<BString>,
    /// The part of a restore it belongs to.
    pub section: Section,
    /// The statements that create it.
    pub definition: Option<BString>,
    /// The statement that drops it.
    pub drop_statement: Option<BString>,
    /// The COPY statement for its data.
    pub copy_statement: Option<BString>,
    /// Its schema.
    pub schema: Option<BString>,
    /// Its tablespace.
    pub tablespace: Option<BString>,
    /// Its table access method (from 1.14).
    pub table_access_method: Option<BString>,
    /// Its `pg_class.relkind`, or 0 (from 1.16).
    pub relkind: u8,
    /// The role that owns it.
    pub owner: Option<BString>,
    /// The entries that must be restored before it.
    pub dependencies: Vec<DumpId>,
}
