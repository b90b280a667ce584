//! Indexes. One that carries a constraint is made by the constraint.

mod attach;

use bstr::{BString, ByteSlice};

use super::extension;
use super::on_table::{self, Table};
use crate::error::Result;
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank};
use crate::postgres::objects::deparse::deparsed;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Param, Query, Row, Rows};

pub(super) use attach::IndexAttaches;

/// Indexes whose building failed or goes on are left out; a partitioned index is not valid until it has all its
/// partitions, but it is there.
const INDEXES: &str = "\
    SELECT c.oid, c.relname, {table}, pg_catalog.pg_get_indexdef(c.oid) AS definition, \
           i.indisclustered, i.indisreplident, parent.inhparent, space.spcname, \
           ARRAY(SELECT a.attnum FROM pg_catalog.pg_attribute AS a \
                 WHERE a.attrelid = c.oid AND a.attstattarget >= 0 ORDER BY a.attnum)::pg_catalog.int2[] AS \
                 statistics_columns, \
           ARRAY(SELECT a.attstattarget FROM pg_catalog.pg_attribute AS a \
                 WHERE a.attrelid = c.oid AND a.attstattarget >= 0 ORDER BY a.attnum)::pg_catalog.int4[] AS \
                 statistics_targets \
    FROM pg_catalog.unnest($1) AS wanted (oid) \
    JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid \
    JOIN pg_catalog.pg_index AS i ON i.indrelid = r.oid \
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
    LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = c.oid \
    LEFT JOIN pg_catalog.pg_tablespace AS space ON space.oid = c.reltablespace \
    WHERE i.indisready AND (i.indisvalid OR r.relkind = 'p') \
    ORDER BY r.oid, c.relname";

pub(super) struct Indexes;

/// An index.
pub struct Index {
    table: Table,
    definition: Deparsed,
    tablespace: BString,
    clustered: bool,
    replica_identity: bool,
    /// Numbers of columns, and the statistics targets that they have.
    statistics: Vec<(i16, i32)>,
    /// The OID of the partitioned index that it is a part of.
    parent_oid: Option<u32>,
    parent: Option<DumpId>,
    /// Its parts, and what attaches them.
    parts: Vec<Part>,
    constraint: Option<DumpId>,
}

/// A part of a partitioned index.
#[derive(Debug, Clone, Copy)]
struct Part {
    index: DumpId,
    attach: DumpId,
}

impl Index {
    /// Says that it is made by a constraint.
    pub(super) fn set_constraint(&mut self, constraint: DumpId) {
        self.constraint = Some(constraint);
    }

    /// The constraint that makes it, if there is one.
    pub(super) fn constraint(&self) -> Option<DumpId> {
        self.constraint
    }

    /// The tablespace, empty for the database's own: not the same as none, which would let a restore put the index into
    /// the tablespace of the entry before it.
    pub(super) fn tablespace(&self) -> &BString {
        &self.tablespace
    }

    /// What can be said of an index, but not in CREATE INDEX or in a constraint: that the table is clustered on it, how
    /// much of its columns' values goes into the statistics, that it tells rows apart in replication.
    pub(super) fn append_settings(&self, sql: &mut Sql, object: &Object, render: &Render<'_>) -> Result<()> {
        let table = self.table.named(render)?;
        let name = render.qualified(object);
        if self.clustered {
            sql.kw("\nALTER TABLE ").sql(&table.qualified).kw(" CLUSTER ON ").ident(object.name.as_bstr()).kw(";\n");
        }
        let identify = |sql: &mut Sql| {
            if self.replica_identity {
                sql.kw("\nALTER TABLE ONLY ").sql(&table.qualified).kw(" REPLICA IDENTITY USING INDEX ");
                sql.ident(object.name.as_bstr()).kw(";\n");
            }
        };
        if self.constraint.is_some() {
            identify(sql);
            extension::append_depends(sql, object, render, "INDEX", &name);
            return Ok(());
        }
        for (column, target) in &self.statistics {
            sql.kw("ALTER INDEX ").sql(&name).kw(" ALTER COLUMN ").num(*column);
            sql.kw(" SET STATISTICS ").num(*target).kw(";\n");
        }
        extension::append_depends(sql, object, render, "INDEX", &name);
        identify(sql);
        Ok(())
    }
}

impl Kind for Indexes {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let sql = INDEXES.replace("{table}", on_table::COLUMNS);
        vec![Query::new("indexes", sql).param(Param::oids(&scope.relations))]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let mut added = Vec::new();
        for row in rows.iter().flat_map(Rows::iter) {
            added.push(add(row, model)?);
        }
        for id in added {
            let parent = model.body::<Index>(id).and_then(|index| index.parent_oid);
            let parent = parent.and_then(|oid| model.find(Catalog::CLASS, oid));
            if let Some(index) = model.body_mut::<Index>(id) {
                index.parent = parent;
            }
        }
        Ok(())
    }
}

fn add(row: Row<'_>, model: &mut Model) -> Result<DumpId> {
    let name = row.string("relname")?;
    let table = Table::of_row(row, model, name.as_bstr())?;
    let index = Index {
        table,
        definition: deparsed(row, "definition", "relname")?,
        tablespace: row.opt_string("spcname")?.unwrap_or_default(),
        clustered: row.bool("indisclustered")?,
        replica_identity: row.bool("indisreplident")?,
        statistics: row.i16s("statistics_columns")?.into_iter().zip(row.i32s("statistics_targets")?).collect(),
        parent_oid: row.opt_oid("inhparent")?,
        parent: None,
        parts: Vec::new(),
        constraint: None,
    };
    let new = NewObject::of(Catalog::CLASS, row.oid("oid")?, name, index);
    Ok(model.add(new.schema(table.schema(model)).wanted(table.wanted(model))))
}

impl Body for Index {
    fn rank(&self) -> Rank {
        Rank::Index
    }

    fn loop_role(&self) -> LoopRole {
        LoopRole::Index { parent: self.parent }
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let table = self.table.named(render)?;
        if self.constraint.is_none() && object.dumped().has(Components::DEFINITION) {
            let mut entry = table.entry(object, "INDEX", render);
            entry.tablespace = Some(self.tablespace.clone());
            entry.definition.deparsed(&self.definition).kw(";\n");
            self.append_settings(&mut entry.definition, object, render)?;
            // The server drops a part of a partitioned index with its table, or with the whole index, and not alone.
            entry.goes_with_another = self.parent_oid.is_some();
            if !entry.goes_with_another {
                entry.drop.kw("DROP INDEX ").sql(&render.qualified(object)).kw(";\n");
            }
            out.entry(entry);
        }
        if let Some(text) = render.comment(object) {
            let mut name = render.sql();
            name.ident(object.name.as_bstr());
            let subject =
                Subject { words: "INDEX", schema: Some(render.schema(object)), name: &name, owner: table.owner };
            // It comes after what makes the index, which may be a constraint.
            out.comment_text(render, self.constraint.unwrap_or(object.id), &subject, Some(text));
        }
        Ok(())
    }
}
