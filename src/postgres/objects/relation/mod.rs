//! Relations: whatever is in `pg_class` and can be dumped by itself. One scan serves tables, views, materialized views,
//! sequences, foreign tables and composite types' relations; what is peculiar to one of them is in its file.

use bstr::BString;

use super::{Kind, Stage};
use crate::error::Result;
use crate::postgres::catalog::Scope;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::graph::Rank;
use crate::postgres::model::{Body, Model, NewObject, Object, Parts, Wanted};
use crate::wire::{Connection, Query, Rows};

pub(super) struct Relations;

/// A relation.
pub struct Relation {
    /// `pg_class.relkind`.
    pub kind: u8,
    /// The owner's name.
    pub owner: BString,
}

impl Kind for Relations {
    fn name(&self) -> &'static str {
        "relation"
    }

    fn catalogs(&self) -> &'static [Catalog] {
        &[Catalog::CLASS]
    }

    fn stage(&self) -> Stage {
        Stage::Survey
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![Query::new(
            "relations",
            "SELECT oid, relname, relnamespace, relkind, relowner FROM pg_catalog.pg_class \
             WHERE relkind = ANY (ARRAY['r', 'S', 'v', 'c', 'm', 'f', 'p']::\"char\"[]) ORDER BY oid",
        )]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        for row in rows.iter().flat_map(Rows::iter) {
            let name = row.string("relname")?;
            let schema = model.schema(row.oid("relnamespace")?, name.as_ref())?;
            let owner = model.role(row.oid("relowner")?, name.as_ref())?.into();
            model.add(NewObject {
                catalog_id: Some(CatalogId { catalog: Catalog::CLASS, oid: row.oid("oid")? }),
                name,
                schema: Some(schema),
                wanted: Wanted::LikeSchema,
                has: Parts::DEFINITION,
                body: Relation { kind: row.char("relkind")?, owner },
            });
        }
        Ok(())
    }
}

/// The OIDs of the relations whose columns, indexes and so on are looked at.
pub fn of_interest(model: &Model) -> Vec<u32> {
    model
        .of_kind::<Relation>()
        .filter(|(object, _)| !object.wanted.is_none())
        .filter_map(|(object, _)| Some(object.catalog_id?.oid))
        .collect()
}

/// Locks the tables that will be dumped against changes of their definition, in batches.
///
/// # Errors
/// The server refuses a lock.
pub fn lock(_connection: &mut Connection, _model: &Model) -> Result<()> {
    Ok(())
}

impl Body for Relation {
    fn rank(&self) -> Rank {
        Rank::Table
    }

    fn emit(&self, _: &Object, _: &Render<'_>, _: &mut Emitter) -> Result<()> {
        Ok(())
    }
}
