//! Rules: those of CREATE RULE, and the one that makes a relation a view.

use std::cmp::Ordering;

use bstr::ByteSlice;

use super::on_table::Table;
use super::relation::{Relation, by_oid};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope, known};
use crate::postgres::model::{Body, Components, LoopRole, Model, NewObject, Object, Rank, Side};
use crate::postgres::relkind::Relkind;
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

pub(super) struct Rules;

/// A rule of a relation.
pub struct Rule {
    /// The relation.
    pub(super) table: Table,
    /// Whether it is what makes the relation a view.
    is_view: bool,
    /// `pg_rewrite.ev_enabled`.
    enabled: u8,
    /// CREATE RULE …, for what is no view.
    definition: Option<Deparsed>,
    /// Whether it has an entry of its own, after the data.
    separate: bool,
}

/// All rules, since dependencies lead through those of system views and extensions' views; the text only of those that
/// may be dumped, for the others are not locked.
const RULES: &str = "\
    SELECT r.oid, r.rulename, r.ev_class, r.ev_type = '1' AND r.is_instead AS is_view, r.ev_enabled, \
           CASE WHEN relation.oid IS NOT NULL AND NOT (r.ev_type = '1' AND r.is_instead) \
                THEN pg_catalog.pg_get_ruledef(r.oid) END AS definition \
    FROM pg_catalog.pg_rewrite AS r \
    LEFT JOIN pg_catalog.unnest($1) AS relation(oid) ON relation.oid = r.ev_class \
    ORDER BY r.oid";

impl Kind for Rules {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        vec![Query::new("rules", RULES).param(Param::oids(&scope.relations))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("rulename")?;
        let (table, relation) = by_oid(model, row.oid("ev_class")?, || format!("the table of rule \"{name}\""))?;
        let is_view = row.bool("is_view")?;
        let has_query = matches!(relation.kind, Relkind::View | Relkind::MaterializedView);
        let (schema, wanted) = (table.schema, table.wanted);
        let table = Table::of_relation(table.id, relation);
        let part_of_view = is_view && has_query;
        let enabled = known(row.char("ev_enabled")?, b"OADR", "state", format_args!("rule \"{name}\""))?;
        let body = Rule {
            table,
            is_view,
            enabled,
            definition: row.opt_string("definition")?.map(Deparsed::by_server),
            separate: !part_of_view,
        };
        let new = NewObject::of(Catalog::REWRITE, row.oid("oid")?, name, body);
        let id = model.add(new.schema(schema).wanted(wanted));
        // What the rule needs, the view needs; any other rule needs its table.
        if part_of_view {
            model.depend(table.id, id);
        } else {
            model.depend(id, table.id);
        }
        Ok(())
    }
}

impl Body for Rule {
    fn rank(&self) -> Rank {
        Rank::Rule
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        other.downcast::<Self>().map_or(Ordering::Equal, |other| self.table.compare(other.table, model))
    }

    fn side(&self) -> Side {
        if self.separate { Side::PostData } else { Side::WithOwner }
    }

    fn loop_role(&self) -> LoopRole {
        if self.is_view { LoopRole::SelectRule { of: self.table.id } } else { LoopRole::Other }
    }

    fn separate(&mut self) {
        self.separate = true;
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !self.separate {
            return Ok(());
        }
        let table = self.table.named(render)?;
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = table.entry(object, "RULE", render);
            entry.tag = table.tag(object);
            let view = table.object.body::<Relation>().filter(|_| self.is_view);
            if let Some(view) = view {
                entry.definition = view.replace_stand_in(table.object, render)?;
                // A view's own rule cannot be dropped.
                entry.drop = view.restore_stand_in(table.object, render);
            } else {
                let definition = self.definition.as_ref().ok_or_else(|| untold(object, table.object))?;
                entry.definition.deparsed(definition).kw("\n");
                entry.drop.kw("DROP RULE ").ident(object.name.as_bstr()).kw(" ON ").sql(&table.qualified).kw(";\n");
            }
            let enabled = match self.enabled {
                b'A' => Some(" ENABLE ALWAYS RULE "),
                b'R' => Some(" ENABLE REPLICA RULE "),
                b'D' => Some(" DISABLE RULE "),
                _ => None,
            };
            if let Some(words) = enabled {
                let sql = &mut entry.definition;
                sql.kw("ALTER TABLE ").sql(&table.qualified).kw(words).ident(object.name.as_bstr()).kw(";\n");
            }
            out.entry(entry);
        }
        table.comment("RULE", object, render, out);
        Ok(())
    }
}

fn untold(rule: &Object, table: &Object) -> Error {
    Error::new(ErrorKind::Changed, format!("dump the rule \"{}\" of \"{}\"", rule.name, table.name))
        .why("the server does not tell its definition")
        .hint("it was dropped a moment ago: try again")
}
