//! Extended statistics: what is to be gathered, and, from PostgreSQL 19 on, what was.

mod data;

use bstr::{BString, ByteSlice};

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Depends, Emitter, ExtendedData, NewEntry, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, Model, NewObject, Object, Rank, SelectedBy};
use crate::postgres::objects::deparse::deparsed;
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

use pgformat::Section;

pub(super) struct ExtendedStatistics;

/// An extended statistics object.
pub struct Statistics {
    owner: BString,
    definition: Deparsed,
    /// How much is sampled for it, where that was set.
    target: Option<i32>,
    /// Its relation.
    relation: Option<DumpId>,
    /// Whether there is data of it, and whether it cannot be known because this role may not read it.
    has_data: bool,
    unreadable: bool,
}

impl Kind for ExtendedStatistics {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::STATISTIC_EXT)
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let with_data = scope.options.statistics && scope.server.restores_extended_statistics();
        let has_data = match with_data {
            true => "EXISTS (SELECT FROM pg_catalog.pg_stats_ext AS d WHERE d.statistics_id = s.oid)",
            false => "false",
        };
        let unreadable = match with_data && !scope.superuser {
            true => {
                "(SELECT NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.row_security_active(c.oid) \
                 FROM pg_catalog.pg_class AS c WHERE c.oid = s.stxrelid)"
            }
            false => "false",
        };
        let sql = format!(
            "SELECT oid, stxname, stxnamespace, stxowner, stxrelid, stxstattarget::pg_catalog.int4 AS target, \
             pg_catalog.pg_get_statisticsobjdef(oid) AS definition, {has_data} AS has_data, \
             coalesce({unreadable}, false) AS unreadable \
             FROM pg_catalog.pg_statistic_ext AS s WHERE oid >= $1"
        );
        let query = Query::new("extended statistics", sql);
        vec![query.param(Param::oid(FIRST_USER_OID))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("stxname")?;
        let schema = Some(model.schema(row.oid("stxnamespace")?, name.as_bstr())?);
        let relation = model.find_object(Catalog::CLASS, row.oid("stxrelid")?);
        // Without its table it is nothing.
        let wanted = match relation.is_some_and(|relation| relation.wanted.has(Components::DEFINITION)) {
            true => SelectedBy::Schema,
            false => SelectedBy::Kind(Components::NONE),
        };
        let body = Statistics {
            owner: model.role(row.oid("stxowner")?, name.as_bstr())?.into(),
            definition: deparsed(row, "definition", "stxname")?,
            target: row.opt_i32("target")?.filter(|target| *target >= 0),
            relation: relation.map(|relation| relation.id),
            has_data: row.bool("has_data")?,
            unreadable: row.bool("unreadable")?,
        };
        let new = NewObject::of(Catalog::STATISTIC_EXT, row.oid("oid")?, name, body).schema(schema);
        model.add(new.selected_by(wanted).has(Components::DEFINITION.or(Components::STATISTICS)));
        Ok(())
    }
}

impl Body for Statistics {
    fn rank(&self) -> Rank {
        Rank::ExtendedStatistics
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.deparsed(&self.definition).kw(";\n");
        if let Some(target) = self.target {
            sql.kw("ALTER STATISTICS ").sql(&render.qualified(object)).kw(" SET STATISTICS ").num(target).kw(";\n");
        }
        out.define(render, object, "STATISTICS", Some(self.owner.as_bstr()), sql);
        self.emit_data(object, render, out);
        Ok(())
    }
}

impl Statistics {
    /// Adds what was gathered, which is read when the entry is written.
    fn emit_data(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) {
        let relation = self.relation.and_then(|relation| render.model.get(relation));
        let Some(relation) = relation.filter(|_| object.dumped().has(Components::STATISTICS)) else { return };
        if self.unreadable {
            out.unreadable_statistics.push(format!("{}.{}", render.schema(object), object.name));
        } else if self.has_data {
            let mut entry = NewEntry::about(object.id, "EXTENDED STATISTICS DATA", object.name.clone());
            entry.section = Section::PostData;
            entry.schema = Some(render.schema(object).into());
            entry.owner = Some(self.owner.clone());
            entry.depends = Depends::On(vec![object.id]);
            entry.extended_statistics = object.catalog_id.map(|id| ExtendedData {
                oid: id.oid,
                schema: render.schema(object).into(),
                name: object.name.clone(),
                relation_schema: render.schema(relation).into(),
                relation: relation.name.clone(),
            });
            out.entry(entry);
        }
    }
}
