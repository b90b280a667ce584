//! The data of relations: which have any to dump, and how it is read and loaded.

use bstr::{BString, ByteSlice};

use super::columns::Column;
use super::materialized_view::{self, Refresh};
use super::sequence::SequenceSet;
use super::{Persistence, Relation};
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::data::{DataTask, Inserts, Value};
use crate::postgres::dump::{InsertForm, RowForm};
use crate::postgres::emit::{Depends, Emitter, NewEntry, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank};
use crate::postgres::objects::extension::Extension;
use crate::postgres::relkind::Relkind;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Rows};

/// The rows of a table.
pub struct TableData {
    /// The table.
    pub table: DumpId,
    /// Which rows, where it is not all of them: `WHERE …`, from an extension.
    pub condition: Option<Deparsed>,
}

/// Foreign keys to tables of extensions: those tables' constraints are there before their data is.
const FOREIGN_KEYS: &str = "\
    SELECT k.conrelid AS child, k.confrelid AS parent FROM pg_catalog.pg_constraint AS k \
    WHERE k.contype = 'f' AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d \
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = k.confrelid AND d.refclassid = \
        'pg_catalog.pg_extension'::pg_catalog.regclass)";

/// Adds an object for the data of each relation that has some; comes after everything about relations, and after rules.
pub(in super::super) struct Data;

impl Kind for Data {
    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![Query::new("foreign keys of extensions' tables", FOREIGN_KEYS)]
    }

    fn collect(&self, rows: &[Rows], scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        for (table, condition) in configuration_tables(model) {
            add(table, Some(condition), scope, model);
        }
        let tables: Vec<DumpId> = model
            .of_kind::<Relation>()
            .filter(|(object, relation)| object.wanted.has(Components::DATA) && scope.has_data(relation.kind))
            .map(|(object, _)| object.id)
            .collect();
        for table in tables {
            add(table, None, scope, model);
        }
        for row in rows.iter().flat_map(Rows::iter) {
            let data = |oid| model.find_body::<Relation>(Catalog::CLASS, oid).and_then(|(_, relation)| relation.data);
            if let (Some(child), Some(parent)) = (data(row.oid("child")?), data(row.oid("parent")?)) {
                model.depend(child, parent);
            }
        }
        Ok(())
    }

    fn link(&self, model: &mut Model, _: &Scope<'_>) -> Result<()> {
        materialized_view::link(model);
        Ok(())
    }
}

/// The configuration tables whose data is the user's, with the condition that tells the user's rows from those that
/// CREATE EXTENSION brings.
pub(super) fn configuration_tables(model: &Model) -> Vec<(DumpId, BString)> {
    let mut found = Vec::new();
    let oid_and_wanted = |object: &Object| (object.catalog_id.map_or(0, |id| id.oid), object.wanted);
    for (object, extension) in model.of_kind::<Extension>() {
        for (oid, condition) in &extension.configuration {
            let Some(table) = model.find_object(Catalog::CLASS, *oid) else { continue };
            let Some(schema) = table.schema.and_then(|id| model.get(id)) else { continue };
            if model.selected.configuration(oid_and_wanted(object), *oid, oid_and_wanted(schema)) {
                found.push((table.id, condition.clone()));
            }
        }
    }
    found
}

/// Whether the data of such a relation was asked for; it says nothing on the relation itself.
pub(super) fn is_included(relation: &Relation, scope: &Scope<'_>, model: &Model) -> bool {
    model.selected.has_data(relation.oid)
        && (relation.persistence != Persistence::Unlogged || scope.unlogged_data)
        && (relation.kind != Relkind::ForeignTable || model.selected.has_foreign_data(relation.foreign_server))
}

fn add(id: DumpId, condition: Option<BString>, scope: &Scope<'_>, model: &mut Model) {
    let Some((object, relation)) = model.get(id).and_then(|o| Some((o, o.body::<Relation>()?))) else { return };
    if relation.data.is_some() || !is_included(relation, scope, model) {
        return;
    }
    let (name, schema) = (object.name.clone(), object.schema);
    let data = match relation.kind {
        Relkind::Table | Relkind::ForeignTable => {
            let condition = condition.filter(|c| !c.is_empty()).map(Deparsed::by_server);
            model.add(object_of(name, schema, TableData { table: id, condition }))
        }
        Relkind::Sequence if !scope.has_data(Relkind::Sequence) => return,
        Relkind::Sequence => model.add(object_of(name, schema, SequenceSet { sequence: id })),
        Relkind::MaterializedView => model.add(object_of(name, schema, Refresh { view: id })),
        // A partitioned table's rows are its partitions'.
        Relkind::PartitionedTable | Relkind::View | Relkind::CompositeType => return,
    };
    model.depend(data, id);
    if let Some(relation) = model.body_mut::<Relation>(id) {
        relation.data = Some(data);
    }
}

fn object_of<B>(name: BString, schema: Option<DumpId>, body: B) -> NewObject<B> {
    NewObject::made(name, body).schema(schema).has(Components::DATA)
}

/// What stands in an archive for the data of a relation: its OID, in no catalog.
pub(super) fn data_of(relation: &Relation) -> CatalogId {
    CatalogId { catalog: Catalog(0), oid: relation.oid }
}

impl Body for TableData {
    fn rank(&self) -> Rank {
        Rank::TableData
    }

    fn loop_role(&self) -> LoopRole {
        LoopRole::TableData
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let Some((table, relation)) = render.model.get(self.table).and_then(|o| Some((o, o.body::<Relation>()?)))
        else {
            return Ok(());
        };
        let name = render.qualified(table);
        let columns = copied_columns(relation, render);
        let mut entry = NewEntry::of(object, render, "TABLE DATA", object.name.clone());
        entry.catalog_id = Some(data_of(relation));
        entry.owner = Some(relation.owner.clone());
        entry.depends = Depends::On(vec![table.id]);
        let root = partition_root(table, relation, render);
        if let Some(root) = &root {
            // Restores recognise such an entry by this comment.
            entry.definition.kw("-- load via partition root ").sql(&on_one_line(root));
        }
        let target = root.as_ref().unwrap_or(&name);
        let inserts = match render.options.rows {
            RowForm::Copy => {
                entry.copy.kw("COPY ").sql(target).kw(" ").sql(&columns.in_parentheses()).kw(" FROM stdin;\n");
                None
            }
            RowForm::Inserts(form) => Some(inserts(target, relation, form, render)),
        };
        entry.data = Some(DataTask::Rows {
            schema: render.schema(table).into(),
            name: table.name.clone(),
            copy: self.copy_out(&name, &columns, relation.kind, inserts.is_some()).into_bstring(),
            inserts,
            foreign: relation.kind == Relkind::ForeignTable,
            pages: relation.pages.max(0).saturating_add(relation.toast_pages.max(0)),
        });
        out.entry(entry);
        Ok(())
    }
}

impl TableData {
    fn copy_out(&self, name: &Sql, columns: &Columns, kind: Relkind, as_inserts: bool) -> Sql {
        let mut sql = Sql::new();
        if self.condition.is_none() && kind != Relkind::ForeignTable {
            sql.kw("COPY ").sql(name).kw(" ").sql(&columns.in_parentheses()).kw(" TO STDOUT");
            return sql;
        }
        sql.kw("COPY (SELECT ").sql(&columns.list);
        // Generated columns are not among those of INSERT statements, and there may be no others.
        sql.kw(if columns.list.is_empty() && !as_inserts { "* FROM " } else { " FROM " }).sql(name);
        sql.opt_deparsed(" ", &self.condition, "").kw(") TO STDOUT");
        sql
    }
}

/// The columns that are copied, in the order of their numbers: named, because another database may have them in another
/// order.
struct Columns {
    list: Sql,
}

impl Columns {
    fn in_parentheses(&self) -> Sql {
        let mut sql = Sql::new();
        if !self.list.is_empty() {
            sql.kw("(").sql(&self.list).kw(")");
        }
        sql
    }
}

fn copied_columns(relation: &Relation, render: &Render<'_>) -> Columns {
    let mut list = render.sql();
    list.idents(relation.columns.iter().filter(|c| !c.dropped && c.generated == 0).map(|c| c.name.as_bstr()));
    Columns { list }
}

/// The INSERT statements for the table's rows.
fn inserts(target: &Sql, relation: &Relation, form: InsertForm, render: &Render<'_>) -> Inserts {
    let is_written = |column: &&Column| !column.dropped && (column.generated == 0 || !form.columns);
    let written = || relation.columns.iter().filter(is_written);
    let mut begin = render.sql();
    if form.columns && written().next().is_some() {
        begin.kw("(").idents(written().map(|column| column.name.as_bstr())).kw(") ");
    }
    if relation.columns.iter().any(|column| column.identity == b'a') {
        begin.kw("OVERRIDING SYSTEM VALUE ");
    }
    let value = |column: &Column| if column.generated == 0 { Value::of_type(column.base_type) } else { Value::Default };
    Inserts::new(target, &begin, written().map(value).collect(), form, render.style.standard_strings)
}

/// The name of the topmost table, where the rows of a partition may belong to another partition once they are restored.
fn partition_root(table: &Object, relation: &Relation, render: &Render<'_>) -> Option<Sql> {
    let (mut top, mut relation, mut is_unsafe) = (table, relation, render.options.load_via_partition_root);
    while relation.is_partition {
        top = render.model.get(*relation.parents.first()?)?;
        relation = top.body::<Relation>()?;
        is_unsafe |= relation.unsafe_partitions;
    }
    (is_unsafe && top.id != table.id).then(|| render.qualified(top))
}

/// A name with a line break in it must not end the comment.
fn on_one_line(name: &Sql) -> Sql {
    let text: Vec<u8> = name.as_bstr().bytes().map(|c| if c == b'\n' || c == b'\r' { b' ' } else { c }).collect();
    let mut sql = Sql::new();
    sql.deparsed(&Deparsed::by_server(text));
    sql
}
