//! Foreign keys.

use std::cmp::Ordering;

use bstr::ByteSlice;

use super::deparse::deparsed;
use super::index::Index;
use super::on_table::{self, Table};
use super::relation::Relation;
use crate::error::Result;
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, Model, NewObject, Object, Rank};
use crate::postgres::relkind::Relkind;
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

/// Those that partitions have from their parent come with it.
const FOREIGN_KEYS: &str = "\
    SELECT con.oid, con.conname, {table}, con.conindid, con.confrelid, target.relkind AS target_kind, \
           pg_catalog.pg_get_constraintdef(con.oid) AS definition \
    FROM pg_catalog.unnest($1) AS wanted (oid) \
    JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid \
    JOIN pg_catalog.pg_constraint AS con ON con.conrelid = r.oid \
    LEFT JOIN pg_catalog.pg_class AS target ON target.oid = con.confrelid \
    WHERE con.contype = 'f' AND con.conparentid = 0 \
    ORDER BY r.oid, con.conname";

pub(super) struct ForeignKeys;

/// A foreign key.
struct ForeignKey {
    table: Table,
    /// The OID of the table that it points to.
    target: u32,
    definition: Deparsed,
}

impl Kind for ForeignKeys {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let sql = FOREIGN_KEYS.replace("{table}", on_table::COLUMNS);
        vec![Query::new("foreign keys", sql).param(Param::oids(&scope.relations))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("conname")?;
        let table = Table::of_row(row, model, name.as_bstr())?;
        if !table.wanted(model).has(Components::DEFINITION) {
            return Ok(());
        }
        let definition = deparsed(row, "definition", "conname")?;
        let body = ForeignKey { table, target: row.oid("confrelid")?, definition };
        let new = NewObject::of(Catalog::CONSTRAINT, row.oid("oid")?, name, body);
        let id = model.add(new.schema(table.schema(model)).wanted(Components::ALL));
        // A partitioned table can be referred to when its index is valid, and it is valid when all parts are attached.
        if row.opt_char("target_kind")?.and_then(Relkind::from_letter) == Some(Relkind::PartitionedTable)
            && let Some(index) = model.find(Catalog::CLASS, row.oid("conindid")?)
        {
            for attach in Index::attaches(model, index) {
                model.depend(id, attach);
            }
        }
        Ok(())
    }

    fn link(&self, model: &mut Model, scope: &Scope<'_>) -> Result<()> {
        if scope.options.definitions {
            // The keys are made when all rows are there.
            return Ok(());
        }
        let data = |id| model.body::<Relation>(id).and_then(|relation| relation.data);
        let order: Vec<(DumpId, DumpId)> = model
            .of_kind::<ForeignKey>()
            .filter_map(|(_, key)| Some((data(key.table.id)?, data(model.find(Catalog::CLASS, key.target)?)?)))
            .collect();
        for (rows, referred) in order {
            model.depend(rows, referred);
        }
        Ok(())
    }
}

impl Body for ForeignKey {
    fn rank(&self) -> Rank {
        Rank::ForeignKey
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        other.downcast::<Self>().map_or(Ordering::Equal, |other| self.table.compare(other.table, model))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let table = self.table.named(render)?;
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = table.entry(object, "FK CONSTRAINT", render);
            entry.tag = table.tag(object);
            let mut alter = render.sql();
            // Partitions have the foreign keys of their parent; children that inherit have not.
            let only = if self.table.partitioned { " " } else { " ONLY " };
            alter.kw("ALTER ").kw(self.table.words()).kw(only).sql(&table.qualified);
            entry.definition.sql(&alter).kw("\n    ADD CONSTRAINT ").ident(object.name.as_bstr()).kw(" ");
            entry.definition.deparsed(&self.definition).kw(";\n");
            entry.drop.sql(&alter).kw(" DROP CONSTRAINT ").ident(object.name.as_bstr()).kw(";\n");
            out.entry(entry);
        }
        table.comment("CONSTRAINT", object, render, out);
        Ok(())
    }
}
