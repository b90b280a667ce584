//! Extended statistics: what is to be gathered, not what was.

use bstr::{BString, ByteSlice};

use super::Kind;
use crate::error::Result;
use crate::postgres::catalog::Scope;
use crate::postgres::catalogs::{Catalog, CatalogId, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::graph::Rank;
use crate::postgres::model::{Body, Model, NewObject, Object, Parts, Wanted};
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Rows};

pub(super) struct ExtendedStatistics;

/// An extended statistics object.
pub struct Statistics {
    owner: BString,
    definition: Deparsed,
    /// How much is sampled for it, where that was set.
    target: Option<i32>,
}

impl Kind for ExtendedStatistics {
    fn name(&self) -> &'static str {
        "extended statistics"
    }

    fn catalogs(&self) -> &'static [Catalog] {
        &[Catalog::STATISTIC_EXT]
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let query = Query::new(
            "extended statistics",
            "SELECT oid, stxname, stxnamespace, stxowner, stxrelid, stxstattarget::pg_catalog.int4 AS target, \
             pg_catalog.pg_get_statisticsobjdef(oid) AS definition \
             FROM pg_catalog.pg_statistic_ext WHERE oid >= $1",
        );
        vec![query.param(Param::oid(FIRST_USER_OID))]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        for row in rows.iter().flat_map(Rows::iter) {
            let name = row.string("stxname")?;
            let schema = Some(model.schema(row.oid("stxnamespace")?, name.as_bstr())?);
            let relation = model.find_object(Catalog::CLASS, row.oid("stxrelid")?);
            // Without its table it is nothing.
            let wanted = match relation.is_some_and(|relation| relation.wanted.has(Parts::DEFINITION)) {
                true => Wanted::LikeSchema,
                false => Wanted::These(Parts::NONE),
            };
            let body = Statistics {
                owner: model.role(row.oid("stxowner")?, name.as_bstr())?.into(),
                definition: Deparsed::by_server(row.string("definition")?),
                target: row.opt_i32("target")?.filter(|target| *target >= 0),
            };
            let catalog_id = Some(CatalogId { catalog: Catalog::STATISTIC_EXT, oid: row.oid("oid")? });
            model.add(NewObject { catalog_id, name, schema, wanted, has: Parts::DEFINITION, body });
        }
        Ok(())
    }
}

impl Body for Statistics {
    fn rank(&self) -> Rank {
        Rank::ExtendedStatistics
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let qualified = render.qualified(object);
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        if object.dumped().has(Parts::DEFINITION) {
            let mut entry = NewEntry::of(object, render, "STATISTICS", object.name.clone());
            entry.owner = Some(self.owner.clone());
            entry.definition.deparsed(&self.definition).kw(";\n");
            if let Some(target) = self.target {
                entry.definition.kw("ALTER STATISTICS ").sql(&qualified).kw(" SET STATISTICS ").num(target).kw(";\n");
            }
            entry.drop.kw("DROP STATISTICS ").sql(&qualified).kw(";\n");
            out.entry(entry);
        }
        let schema = Some(render.schema(object));
        let subject = Subject { words: "STATISTICS", schema, name: &name, owner: self.owner.as_bstr() };
        out.comment_and_labels(render, object, &subject);
        Ok(())
    }
}
