//! What indexes, constraints, triggers and policies have in common: they are on a table.

use std::cmp::Ordering;

use bstr::{BStr, BString, ByteSlice};

use super::relation::Relation;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::model::{Components, DumpId, Model, Object};
use crate::postgres::relkind::Relkind;
use crate::sql::Sql;
use crate::wire::Row;

/// The table, or other relation, that something is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    /// Its number.
    pub id: DumpId,
    /// Whether it is a foreign table, which ALTER calls so.
    pub foreign: bool,
    /// Whether it is partitioned.
    pub partitioned: bool,
}

/// The columns of a query that [`Table::of_row`] reads; the relation's `pg_class` row must be `r`.
pub(super) const COLUMNS: &str = "r.oid AS table_oid, r.relkind AS table_kind";

impl Table {
    /// The table that a row of a query with [`COLUMNS`] is about.
    ///
    /// # Errors
    /// It is not among the relations that were found; `what` names what is on it.
    pub fn of_row(row: Row<'_>, model: &Model, what: &BStr) -> Result<Self> {
        let oid = row.oid("table_oid")?;
        let kind = Relkind::from_letter(row.char("table_kind")?);
        let id = model.find(Catalog::CLASS, oid).ok_or_else(|| {
            Error::new(ErrorKind::Incomplete, format!("find the table that \"{what}\" is on"))
                .why(format!("the catalog has no relation with OID {oid}"))
                .hint("it may have been made or dropped this moment: try again")
        })?;
        Ok(Self {
            id,
            foreign: kind == Some(Relkind::ForeignTable),
            partitioned: kind == Some(Relkind::PartitionedTable),
        })
    }

    /// The relation with that number.
    pub fn of_relation(id: DumpId, relation: &Relation) -> Self {
        let foreign = relation.kind == Relkind::ForeignTable;
        Self { id, foreign, partitioned: relation.kind == Relkind::PartitionedTable }
    }

    /// The words for it in ALTER.
    pub fn words(self) -> &'static str {
        if self.foreign { "FOREIGN TABLE" } else { "TABLE" }
    }

    /// What is wanted of the table.
    pub fn wanted(self, model: &Model) -> Components {
        model.get(self.id).map(|table| table.wanted).unwrap_or_default()
    }

    /// The schema it is in.
    pub fn schema(self, model: &Model) -> Option<DumpId> {
        model.get(self.id)?.schema
    }

    /// The order of two tables of one schema.
    pub fn compare(self, other: Self, model: &Model) -> Ordering {
        compare(self.id, other.id, model)
    }

    /// The table as statements name it.
    ///
    /// # Errors
    /// Not if the model is sound.
    pub fn named<'m>(self, render: &Render<'m>) -> Result<Named<'m>> {
        let fault = || Error::new(ErrorKind::Internal, "name a table").why("the model does not have it");
        let object = render.model.get(self.id).ok_or_else(fault)?;
        let owner = object.body::<Relation>().ok_or_else(fault)?.owner.as_bstr();
        let schema = render.model.schema_name(object).unwrap_or_default();
        Ok(Named { object, owner, schema, qualified: render.qualified(object) })
    }
}

/// A table as statements name it.
pub(super) struct Named<'m> {
    /// The table.
    pub object: &'m Object,
    /// The owner's name; what is on a table belongs to the table's owner.
    pub owner: &'m BStr,
    /// The schema's name.
    pub schema: &'m BStr,
    /// The qualified and quoted name.
    pub qualified: Sql,
}

impl Named<'_> {
    /// An entry for what is on the table, after the data.
    pub fn entry(&self, object: &Object, desc: &'static str, render: &Render<'_>) -> NewEntry {
        let mut entry = NewEntry::of(object, render, desc, object.name.clone());
        entry.schema = Some(self.schema.into());
        entry.owner = Some(self.owner.into());
        entry
    }

    /// `table name`, the tag of most of what is on a table.
    pub fn tag(&self, object: &Object) -> BString {
        let mut tag = self.object.name.clone();
        tag.push(b' ');
        tag.extend_from_slice(&object.name);
        tag
    }

    /// Adds the comment on what is on the table (`COMMENT ON words name ON table`), where there is one and it is wanted.
    pub fn comment(&self, words: &'static str, object: &Object, render: &Render<'_>, out: &mut Emitter) {
        if let Some(text) = render.comment(object) {
            out.comment_on_part(
                render,
                object.id,
                (words, object.name.as_bstr(), " ON "),
                self.object,
                self.owner,
                text,
            );
        }
    }
}

/// The order of two tables by name.
pub(super) fn compare(a: DumpId, b: DumpId, model: &Model) -> Ordering {
    let name = |id| model.get(id).map(|table| &table.name);
    name(a).cmp(&name(b))
}
