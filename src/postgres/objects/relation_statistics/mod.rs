//! What the planner knows about relations: their sizes, and what is in their columns. Restored, it spares an ANALYZE.
//!
//! Sizes are read with all else. What is known of columns is much: it is read when the entry is written, a few relations
//! at a time (`columns`), and forgotten again.

mod columns;

use bstr::{BString, ByteSlice};

use super::index::Index;
use super::relation::Relation;
use crate::error::Result;
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{ColumnStatistics, Depends, Emitter, NewEntry, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank, SelectedBy, Side};
use crate::postgres::relkind::{Relkind, relkinds};
use crate::postgres::version::ServerVersion;
use crate::sql::Sql;
use crate::wire::{Param, Query, Row};

pub use columns::tell_unreadable;

/// The numbers of relations; `{unreadable}` is whether there are columns whose statistics `pg_stats` does not show.
const RELATIONS: &str = concat!(
    "\
    SELECT c.oid, {numbers}, NULL::pg_catalog.text[] AS expressions, {unreadable} AS unreadable \
    FROM pg_catalog.unnest($1) AS wanted (oid) JOIN pg_catalog.pg_class AS c ON c.oid = wanted.oid \
    WHERE c.relkind IN ",
    relkinds!(with_statistics)
);

/// The same of indexes. Only those with expressions have statistics of their own, and their columns' names are the
/// server's choice.
const INDEXES: &str = "\
    SELECT c.oid, {numbers}, \
           CASE WHEN i.indexprs IS NOT NULL THEN \
             ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid ORDER BY \
             a.attnum)::pg_catalog.text[] \
           END AS expressions, \
           i.indexprs IS NOT NULL AND {unreadable} AS unreadable \
    FROM pg_catalog.unnest($1) AS wanted (oid) JOIN pg_catalog.pg_index AS i ON i.indrelid = wanted.oid \
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid";

const UNREADABLE: &str = "\
    (pg_catalog.row_security_active(c.oid) OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a \
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')))";

/// Comes after relations, their data, indexes and constraints.
pub(super) struct AllRelationStatistics;

/// The statistics of a relation or an index.
struct RelationStatistics {
    numbers: Numbers,
    columns: ColumnStatistics,
    is_materialized_view: bool,
    after_data: bool,
}

/// What `pg_class` knows.
struct Numbers {
    pages: i32,
    /// An estimate, as the server prints it.
    tuples: BString,
    all_visible: i32,
    /// From 18 on.
    all_frozen: Option<i32>,
}

impl Kind for AllRelationStatistics {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        if !scope.options.statistics {
            return Vec::new();
        }
        let frozen = if scope.server.all_frozen_pages() { "c.relallfrozen" } else { "NULL::pg_catalog.int4" };
        let numbers = format!(
            "c.relnatts, c.relpages, c.reltuples::pg_catalog.text AS reltuples, c.relallvisible, {frozen} AS relallfrozen"
        );
        let unreadable = if scope.superuser { "false" } else { UNREADABLE };
        let query = |what, sql: &str| {
            let sql = sql.replace("{numbers}", &numbers).replace("{unreadable}", unreadable);
            Query::new(what, sql).param(Param::oids(&scope.relations))
        };
        vec![query("statistics of relations", RELATIONS), query("statistics of indexes", INDEXES)]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let Some(of) = model.find_object(Catalog::CLASS, row.oid("oid")?) else { return Ok(()) };
        let Some(new) = Of::object(of) else { return Ok(()) };
        add(row, of.id, new, model)?;
        Ok(())
    }
}

/// What the statistics depend on, and are restored after.
struct Of {
    also_after: Option<DumpId>,
    is_materialized_view: bool,
    after_data: bool,
}

impl Of {
    /// `None` for what has no statistics, or none that are dumped: an index that is not valid, a parent that is looked
    /// into for its children's sake only.
    fn object(object: &Object) -> Option<Self> {
        if let Some(index) = object.body::<Index>() {
            return Some(Of { also_after: index.constraint(), is_materialized_view: false, after_data: true });
        }
        let relation = object.body::<Relation>()?;
        if !object.wanted.has(Components::DEFINITION.or(Components::DATA).or(Components::STATISTICS)) {
            return None;
        }
        let is_materialized_view = relation.kind == Relkind::MaterializedView;
        // REFRESH would replace what was restored before it.
        let refresh = relation.data.filter(|_| is_materialized_view);
        Some(Of { also_after: refresh, is_materialized_view, after_data: refresh.is_some() })
    }
}

fn add(row: Row<'_>, of: DumpId, place: Of, model: &mut Model) -> Result<()> {
    let Some(object) = model.get(of) else { return Ok(()) };
    let (name, schema) = (object.name.clone(), object.schema);
    let body = RelationStatistics {
        numbers: Numbers {
            pages: row.i32("relpages")?,
            tuples: row.string("reltuples")?,
            all_visible: row.i32("relallvisible")?,
            all_frozen: row.opt_i32("relallfrozen")?,
        },
        columns: ColumnStatistics {
            schema: model.schema_name(object).unwrap_or_default().into(),
            relation: name.clone(),
            columns: usize::try_from(row.i16("relnatts")?).unwrap_or(0),
            expressions: row.opt_texts("expressions")?.map(|names| names.into_iter().flatten().collect()),
            unreadable: row.bool("unreadable")?,
        },
        is_materialized_view: place.is_materialized_view,
        after_data: place.after_data,
    };
    let wanted = SelectedBy::Kind(Components::ALL);
    let id = model.add(NewObject::made(name, body).schema(schema).selected_by(wanted).has(Components::STATISTICS));
    model.depend(id, of);
    if let Some(before) = place.also_after {
        model.depend(id, before);
    }
    Ok(())
}

impl Body for RelationStatistics {
    fn rank(&self) -> Rank {
        Rank::StatisticsData
    }

    fn side(&self) -> Side {
        if self.after_data { Side::PostData } else { Side::Data }
    }

    fn loop_role(&self) -> LoopRole {
        if self.is_materialized_view { LoopRole::MaterializedViewStatistics } else { LoopRole::Other }
    }

    fn separate(&mut self) {
        self.after_data = true;
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut entry = NewEntry::of(object, render, "STATISTICS DATA", object.name.clone());
        entry.depends = Depends::On(object.dependencies.clone());
        self.append_numbers(&mut entry.definition, render.server);
        entry.statistics = Some(self.columns.clone());
        out.entry(entry);
        Ok(())
    }
}

impl RelationStatistics {
    fn append_numbers(&self, sql: &mut Sql, server: ServerVersion) {
        let Numbers { pages, tuples, all_visible, all_frozen } = &self.numbers;
        sql.kw("SELECT * FROM pg_catalog.pg_restore_relation_stats(\n\t'version', '").num(server.number());
        sql.kw("'::integer,\n\t'schemaname', ").literal(self.columns.schema.as_bstr());
        sql.kw(",\n\t'relname', ").literal(self.columns.relation.as_bstr());
        sql.kw(",\n\t'relpages', '").num(*pages).kw("'::integer,\n\t'reltuples', ");
        // 0 may have meant that nothing is known, for which there has been a number of its own since.
        let is_unknown = !server.unknown_row_counts() && tuples == "0";
        sql.literal(if is_unknown { "-1".into() } else { tuples.as_bstr() }).kw("::real");
        sql.kw(",\n\t'relallvisible', '").num(*all_visible).kw("'::integer");
        if let Some(all_frozen) = all_frozen {
            sql.kw(",\n\t'relallfrozen', '").num(*all_frozen).kw("'::integer");
        }
        sql.kw("\n);\n");
    }
}
