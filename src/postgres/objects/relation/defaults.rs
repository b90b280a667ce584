//! Columns' defaults and generation expressions.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::Relation;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank};
use crate::postgres::objects::deparse::expression;
use crate::postgres::relkind::Relkind;
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

/// A column's default or generation expression. It is part of CREATE TABLE where that can be.
pub struct ColumnDefault {
    /// The table.
    pub table: DumpId,
    /// The column's number.
    pub column: i32,
    /// The expression.
    pub expression: Deparsed,
    /// Whether it has an entry of its own.
    pub separate: bool,
}

const DEFAULTS: &str = "\
    SELECT d.oid, d.adrelid, d.adnum, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression \
    FROM pg_catalog.unnest($1) AS relation(oid) \
    JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = relation.oid \
    ORDER BY d.adrelid, d.adnum";

pub(in super::super) struct ColumnDefaults;

impl Kind for ColumnDefaults {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        vec![Query::new("columns' defaults", DEFAULTS).param(Param::oids(&scope.relations))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let Some((table, relation)) = model.find_body::<Relation>(Catalog::CLASS, row.oid("adrelid")?) else {
            return Ok(());
        };
        let number = row.i32("adnum")?;
        let Some(column) = relation.column(number) else {
            return Err(Error::new(ErrorKind::Incomplete, format!("read the defaults of \"{}\"", table.name))
                .why(format!("there is one for column {number}, and no such column"))
                .hint("the catalog is damaged"));
        };
        if column.dropped {
            return Ok(());
        }
        // There is no statement that gives an existing column a generation expression, and none that gives a new view's
        // column a default.
        let separate = column.generated == 0 && (relation.kind == Relkind::View || !relation.spells_out(column));
        let catalog_id = CatalogId { catalog: Catalog::ATTRIBUTE_DEFAULT, oid: row.oid("oid")? };
        let expression = expression(row, "expression", table.name.as_bstr())?;
        let table = table.id;
        let id = add_default(model, Some(catalog_id), table, number, expression, separate);
        if !separate {
            model.depend(table, id);
        }
        Ok(())
    }
}

/// Adds a default to a column.
pub(super) fn add_default(
    model: &mut Model,
    catalog_id: Option<CatalogId>,
    table: DumpId,
    column: i32,
    expression: Deparsed,
    separate: bool,
) -> DumpId {
    let (name, schema, wanted) = match model.get(table) {
        Some(object) => (object.name.clone(), object.schema, object.wanted),
        None => (BString::default(), None, Components::NONE),
    };
    let body = ColumnDefault { table, column, expression, separate };
    let id = model.add(NewObject { catalog_id, ..NewObject::made(name, body).schema(schema).wanted(wanted) });
    let at = usize::try_from(column).ok().and_then(|number| number.checked_sub(1));
    let columns = model.body_mut::<Relation>(table).map(|relation| &mut relation.columns);
    if let Some(column) = columns.zip(at).and_then(|(columns, at)| columns.get_mut(at)) {
        column.default = Some(id);
    }
    id
}

impl Body for ColumnDefault {
    fn rank(&self) -> Rank {
        Rank::ColumnDefault
    }

    fn tie_break(&self, other: &dyn Body, _: &Model) -> Ordering {
        other.downcast::<Self>().map_or(Ordering::Equal, |other| self.column.cmp(&other.column))
    }

    fn loop_role(&self) -> LoopRole {
        LoopRole::ColumnDefault { table: self.table }
    }

    fn separate(&mut self) {
        self.separate = true;
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !self.separate || !object.dumped().has(Components::DEFINITION) {
            return Ok(());
        }
        let Some((table, relation)) = render.model.get(self.table).and_then(|o| Some((o, o.body::<Relation>()?)))
        else {
            return Ok(());
        };
        let column = relation.column_name(self.column, table)?;
        let name = render.qualified(table);
        let tag = [table.name.as_bytes(), b" ", column.as_bytes()].concat();
        let mut entry = NewEntry::of(object, render, "DEFAULT", tag);
        entry.owner = Some(relation.owner.clone());
        let words = relation.kind.alter_words();
        let sql = &mut entry.definition;
        sql.kw("ALTER ").kw(words).kw(" ONLY ").sql(&name).kw(" ALTER COLUMN ").ident(column);
        sql.kw(" SET DEFAULT ").deparsed(&self.expression).kw(";\n");
        let sql = &mut entry.drop;
        sql.kw("ALTER ").kw(words).kw(" ").sql(&name).kw(" ALTER COLUMN ").ident(column).kw(" DROP DEFAULT;\n");
        out.entry(entry);
        Ok(())
    }
}
