//! Entries of an archive as kinds describe them.

use bstr::BString;
use pgformat::Section;

use super::{ColumnStatistics, ExtendedData, Render};
use crate::postgres::catalogs::CatalogId;
use crate::postgres::data::DataTask;
use crate::postgres::model::{DumpId, Object, Side};
use crate::sql::Sql;

/// The dependencies that an entry gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Depends {
    /// Those of its object in the graph; an object without an entry is replaced by what it depends on.
    AsGraph,
    /// Just these.
    On(Vec<DumpId>),
}

/// An entry as a kind describes it. An empty definition, drop or copy statement becomes NULL.
pub struct NewEntry {
    /// The entry's number; its object's own, or none for a further entry.
    pub id: Option<DumpId>,
    /// The catalog row it stands for; none for what is not a catalog row.
    pub catalog_id: Option<CatalogId>,
    /// The name in a list of contents.
    pub tag: BString,
    /// The kind of entry, as the archive format calls it.
    pub desc: &'static str,
    /// The part of a restore it belongs to.
    pub section: Section,
    /// The schema's name.
    pub schema: Option<BString>,
    /// The owner's name; none where the format has no owner for the kind, which is not the same as an empty name.
    pub owner: Option<BString>,
    /// The statements that create it.
    pub definition: Sql,
    /// The statement that drops it.
    pub drop: Sql,
    /// Whether an empty drop statement stays one, and is not NULL: the object goes with another, of which it is a part.
    pub goes_with_another: bool,
    /// The COPY statement that loads its data.
    pub copy: Sql,
    /// The tablespace.
    pub tablespace: Option<BString>,
    /// The table access method.
    pub table_access_method: Option<BString>,
    /// The relation kind, or 0.
    pub relkind: u8,
    /// What must be restored before it.
    pub depends: Depends,
    /// What fetches its data.
    pub data: Option<DataTask>,
    /// The columns whose statistics are added to its definition when it is written.
    pub statistics: Option<ColumnStatistics>,
    /// The extended statistics whose data is added likewise.
    pub extended_statistics: Option<ExtendedData>,
}

impl NewEntry {
    /// The object's first entry, where its body has its place, in the object's schema, with dependencies as in the graph.
    pub fn of(object: &Object, render: &Render<'_>, desc: &'static str, tag: impl Into<BString>) -> Self {
        let section = match object.body.side() {
            Side::PreData | Side::WithOwner => Section::PreData,
            Side::Data => Section::Data,
            Side::PostData => Section::PostData,
        };
        Self {
            id: Some(object.id),
            catalog_id: object.catalog_id,
            section,
            schema: render.model.schema_name(object).map(BString::from),
            definition: render.sql(),
            drop: render.sql(),
            depends: Depends::AsGraph,
            ..Self::bare(desc, tag)
        }
    }

    /// A further entry about an object: in no part of its own, after the object.
    pub fn about(object: DumpId, desc: &'static str, tag: impl Into<BString>) -> Self {
        Self { depends: Depends::On(vec![object]), ..Self::bare(desc, tag) }
    }

    /// An entry that is about no object.
    pub fn bare(desc: &'static str, tag: impl Into<BString>) -> Self {
        NewEntry {
            id: None,
            catalog_id: None,
            tag: tag.into(),
            desc,
            section: Section::None,
            schema: None,
            owner: None,
            definition: Sql::new(),
            drop: Sql::new(),
            goes_with_another: false,
            copy: Sql::new(),
            tablespace: None,
            table_access_method: None,
            relkind: 0,
            depends: Depends::On(Vec::new()),
            data: None,
            statistics: None,
            extended_statistics: None,
        }
    }
}
