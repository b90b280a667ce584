//! CHECK constraints of tables, and NOT NULL constraints that are not validated.

use std::cmp::Ordering;

use bstr::ByteSlice;

use super::Relation;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank, Side};
use crate::postgres::objects::deparse::deparsed;
use crate::postgres::objects::{constraint, on_table};
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row, Rows};

/// A CHECK constraint of a table, which is part of CREATE TABLE where that can be, or a NOT NULL constraint that is not
/// validated, which cannot.
pub struct TableCheck {
    /// The table.
    pub table: DumpId,
    /// `CHECK …` or `NOT NULL …`.
    pub definition: Deparsed,
    /// Whether it is a NOT NULL constraint.
    pub not_null: bool,
    /// Whether the table has it from itself, be it that a parent has it, too.
    pub local: bool,
    /// Whether it has an entry of its own, after the data: rows may violate one that is not validated.
    pub separate: bool,
}

pub(in super::super) struct TableChecks;

impl Kind for TableChecks {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let not_null =
            if scope.server.not_null_constraints() { "OR (n.contype = 'n' AND NOT n.convalidated)" } else { "" };
        let query = format!(
            "SELECT n.oid, n.conrelid, n.conname, n.contype, n.conislocal, n.convalidated, \
                    pg_catalog.pg_get_constraintdef(n.oid) AS definition \
             FROM pg_catalog.unnest($1) AS relation(oid) \
             JOIN pg_catalog.pg_constraint AS n ON n.conrelid = relation.oid \
             WHERE n.contype = 'c' {not_null} \
             ORDER BY n.conrelid, n.conname"
        );
        vec![Query::new("check constraints", query).param(Param::oids(&scope.relations))]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        for row in rows.iter().flat_map(Rows::iter) {
            add(row, model)?;
        }
        for (object, relation) in model.of_kind::<Relation>().filter(|(_, relation)| relation.of_interest) {
            let expected = usize::try_from(relation.check_count).unwrap_or(0);
            if expected != relation.checks.len() {
                return Err(Error::new(ErrorKind::Incomplete, format!("read the constraints of \"{}\"", object.name))
                    .why(format!("it should have {expected} CHECK constraints, and has {}", relation.checks.len()))
                    .hint("the catalog is damaged, or the table was altered a moment ago: try again"));
            }
        }
        Ok(())
    }
}

fn add(row: Row<'_>, model: &mut Model) -> Result<()> {
    let Some((table, _)) = model.find_body::<Relation>(Catalog::CLASS, row.oid("conrelid")?) else { return Ok(()) };
    let (table, schema, wanted) = (table.id, table.schema, table.wanted);
    let not_null = row.char("contype")? == b'n';
    let separate = !row.bool("convalidated")?;
    let body = TableCheck {
        table,
        definition: deparsed(row, "definition", "conname")?,
        not_null,
        local: row.bool("conislocal")?,
        separate,
    };
    let new = NewObject::of(Catalog::CONSTRAINT, row.oid("oid")?, row.string("conname")?, body);
    let id = model.add(new.schema(schema).wanted(wanted));
    if !separate {
        model.depend(table, id);
    }
    if let Some(relation) = model.body_mut::<Relation>(table).filter(|_| !not_null) {
        relation.checks.push(id);
    }
    Ok(())
}

impl Body for TableCheck {
    fn rank(&self) -> Rank {
        Rank::Constraint
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        constraint::compare_constraints(self.table, other, model)
    }

    fn side(&self) -> Side {
        if self.separate { Side::PostData } else { Side::WithOwner }
    }

    fn loop_role(&self) -> LoopRole {
        LoopRole::TableCheck { table: self.table }
    }

    fn separate(&mut self) {
        self.separate = true;
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !self.separate {
            return Ok(());
        }
        let Some(relation) = render.model.body::<Relation>(self.table) else { return Ok(()) };
        let table = on_table::Table::of_relation(self.table, relation);
        let (words, table) = (table.words(), table.named(render)?);
        if self.local && object.dumped().has(Components::DEFINITION) {
            let desc = if self.not_null { "CONSTRAINT" } else { "CHECK CONSTRAINT" };
            let mut entry = table.entry(object, desc, render);
            entry.tag = table.tag(object);
            // No ONLY: children get it from here.
            entry.definition.kw("ALTER ").kw(words).kw(" ").sql(&table.qualified).kw("\n    ADD CONSTRAINT ");
            entry.definition.ident(object.name.as_bstr()).kw(" ").deparsed(&self.definition).kw(";\n");
            entry.drop.kw("ALTER ").kw(words).kw(" ").sql(&table.qualified);
            entry.drop.kw(" DROP CONSTRAINT ").ident(object.name.as_bstr()).kw(";\n");
            out.entry(entry);
        }
        table.comment("CONSTRAINT", object, render, out);
        Ok(())
    }
}
