//! Of what an entry's definition gets statistics when it is written: they are too many to be held until then.

use bstr::BString;

/// Of which columns an entry needs the statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnStatistics {
    /// The relation's schema.
    pub schema: BString,
    /// The relation's name.
    pub relation: BString,
    /// How many columns it has.
    pub columns: usize,
    /// The names of all columns of an index on expressions, by number. The names are the server's choice, which may be
    /// another one where it is restored; so statements go by the numbers.
    pub expressions: Option<Vec<BString>>,
    /// Whether the session's role may not read all of them.
    pub unreadable: bool,
}

/// Of which extended statistics an entry needs the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedData {
    /// The OID of the object.
    pub oid: u32,
    /// Its schema.
    pub schema: BString,
    /// Its name.
    pub name: BString,
    /// The schema of its relation.
    pub relation_schema: BString,
    /// The name of its relation.
    pub relation: BString,
}
