//! Constraints that an index carries: primary keys, unique constraints, exclusion constraints.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::deparse::deparsed;
use super::index::Index;
use super::on_table::{self, Table};
use super::relation::reloptions;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank};
use crate::sql::{Deparsed, Sql};
use crate::wire::{Param, Query, Row};

/// CHECK (`c`) and NOT NULL (`n`) belong to the table, foreign keys (`f`) and constraint triggers (`t`) to their own
/// kinds; everything else comes here, so that what is not known does not go unseen.
const CONSTRAINTS: &str = "\
    SELECT con.oid, con.conname, con.contype, con.conindid, con.condeferrable, con.condeferred, {table}, \
           CASE WHEN con.contype = 'x' THEN pg_catalog.pg_get_constraintdef(con.oid, false) END AS definition, \
           {period} AS without_overlaps, {nulls} AS nulls_not_distinct, \
           i.indnkeyatts, i.indnatts, coalesce(c.reloptions, '{}')::pg_catalog.text[] AS options, \
           ARRAY(SELECT a.attname FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum = k.number \
                 ORDER BY k.place)::pg_catalog.text[] AS columns \
    FROM pg_catalog.unnest($1) AS wanted (oid) \
    JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid \
    JOIN pg_catalog.pg_constraint AS con ON con.conrelid = r.oid \
    LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = con.conindid \
    LEFT JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
    WHERE con.contype <> ALL (ARRAY['c', 'f', 'n', 't']::pg_catalog.\"char\"[]) \
    ORDER BY r.oid, con.conname";

pub(super) struct IndexConstraints;

/// A constraint that an index carries.
struct IndexConstraint {
    table: Table,
    index: DumpId,
    form: Form,
}

enum Form {
    /// The server tells what an exclusion constraint says.
    Exclusion(Deparsed),
    Key(Key),
}

/// A primary key or a unique constraint.
struct Key {
    primary: bool,
    nulls_not_distinct: bool,
    columns: Vec<BString>,
    included: Vec<BString>,
    without_overlaps: bool,
    options: Vec<BString>,
    deferrable: bool,
    deferred: bool,
}

/// The table that a constraint of this kind is on.
fn table_of(body: &dyn Body) -> Option<DumpId> {
    body.downcast::<IndexConstraint>().map(|constraint| constraint.table.id)
}

/// The order of two constraints of the same name: those of domains come first, then by table.
pub(super) fn compare_constraints(table: DumpId, other: &dyn Body, model: &Model) -> Ordering {
    let of_other = match other.loop_role() {
        LoopRole::DomainConstraint { .. } => return Ordering::Greater,
        LoopRole::TableCheck { table } => Some(table),
        _ => table_of(other),
    };
    of_other.map_or(Ordering::Equal, |other| on_table::compare(table, other, model))
}

impl Kind for IndexConstraints {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let period = if scope.server.temporal_constraints() { "con.conperiod" } else { "false" };
        let nulls = if scope.server.nulls_not_distinct() { "coalesce(i.indnullsnotdistinct, false)" } else { "false" };
        let sql =
            CONSTRAINTS.replace("{table}", on_table::COLUMNS).replace("{period}", period).replace("{nulls}", nulls);
        vec![Query::new("constraints with an index", sql).param(Param::oids(&scope.relations))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("conname")?;
        let table = Table::of_row(row, model, name.as_bstr())?;
        let incomplete = |why: String| {
            let of = model.get(table.id).map(|table| table.name.as_bstr()).unwrap_or_default();
            Error::new(ErrorKind::Incomplete, format!("dump constraint \"{name}\" of \"{of}\"")).why(why)
        };
        let kind = row.char("contype")?;
        let form = match kind {
            b'x' => Form::Exclusion(deparsed(row, "definition", "conname")?),
            b'p' | b'u' => Form::Key(key(row, kind == b'p', &incomplete)?),
            other => return Err(incomplete(format!("it is of the kind '{}', which is not known", char::from(other)))),
        };
        let index = model
            .find(Catalog::CLASS, row.oid("conindid")?)
            .filter(|index| model.body::<Index>(*index).is_some())
            .ok_or_else(|| incomplete("its index is not there, or not valid".into()))?;
        let body = IndexConstraint { table, index, form };
        let new = NewObject::of(Catalog::CONSTRAINT, row.oid("oid")?, name, body);
        let id = model.add(new.schema(table.schema(model)).wanted(table.wanted(model)));
        if let Some(index) = model.body_mut::<Index>(index) {
            index.set_constraint(id);
        }
        Ok(())
    }
}

fn key(row: Row<'_>, primary: bool, incomplete: &dyn Fn(String) -> Error) -> Result<Key> {
    let number = |name| row.opt_i16(name).map(|n| n.and_then(|n| usize::try_from(n).ok()).unwrap_or(0));
    let mut columns: Vec<BString> = row.texts("columns")?.into_iter().flatten().collect();
    let (keys, all) = (number("indnkeyatts")?, number("indnatts")?);
    if keys == 0 || columns.len() != all || keys > all {
        return Err(incomplete(format!("its index has {all} columns, of which {} are known", columns.len())));
    }
    let included = columns.split_off(keys);
    Ok(Key {
        primary,
        // The server once let such a primary key be made, but does not read it back.
        nulls_not_distinct: !primary && row.bool("nulls_not_distinct")?,
        columns,
        included,
        without_overlaps: row.bool("without_overlaps")?,
        options: row.texts("options")?.into_iter().flatten().collect(),
        deferrable: row.bool("condeferrable")?,
        deferred: row.bool("condeferred")?,
    })
}

impl Key {
    fn append(&self, sql: &mut Sql) {
        sql.kw(if self.primary { "PRIMARY KEY" } else { "UNIQUE" });
        if self.nulls_not_distinct {
            sql.kw(" NULLS NOT DISTINCT");
        }
        sql.kw(" (").idents(self.columns.iter().map(|name| name.as_bstr()));
        if self.without_overlaps {
            sql.kw(" WITHOUT OVERLAPS");
        }
        if !self.included.is_empty() {
            sql.kw(") INCLUDE (").idents(self.included.iter().map(|name| name.as_bstr()));
        }
        sql.kw(")");
        if !self.options.is_empty() {
            sql.kw(" WITH (");
            reloptions::append(sql, &self.options, "");
            sql.kw(")");
        }
        if self.deferrable {
            sql.kw(" DEFERRABLE");
            if self.deferred {
                sql.kw(" INITIALLY DEFERRED");
            }
        }
    }
}

impl Body for IndexConstraint {
    fn rank(&self) -> Rank {
        Rank::Constraint
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        compare_constraints(self.table.id, other, model)
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let table = self.table.named(render)?;
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = table.entry(object, "CONSTRAINT", render);
            entry.tag = table.tag(object);
            let mut alter = render.sql();
            alter.kw("ALTER ").kw(self.table.words()).kw(" ONLY ").sql(&table.qualified);
            let sql = &mut entry.definition;
            *sql = render.sql();
            sql.sql(&alter).kw("\n    ADD CONSTRAINT ").ident(object.name.as_bstr()).kw(" ");
            match &self.form {
                Form::Exclusion(definition) => {
                    sql.deparsed(definition);
                }
                Form::Key(key) => key.append(sql),
            }
            sql.kw(";\n");
            if let Some((of_index, index)) = render.model.get(self.index).and_then(|o| Some((o, o.body::<Index>()?))) {
                entry.tablespace = Some(index.tablespace().clone());
                index.append_settings(sql, of_index, render)?;
            }
            entry.drop.sql(&alter).kw(" DROP CONSTRAINT ").ident(object.name.as_bstr()).kw(";\n");
            out.entry(entry);
        }
        table.comment("CONSTRAINT", object, render, out);
        Ok(())
    }
}
