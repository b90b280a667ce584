//! Triggers, constraint triggers among them.

use std::cmp::Ordering;

use bstr::ByteSlice;

use super::deparse::deparsed;
use super::extension;
use super::on_table::{self, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

/// Triggers that partitions have from their parent are looked at only if one is switched on or off where the other is
/// not. Before 15 they were marked as internal, as those of foreign keys are.
const TRIGGERS: &str = "\
    SELECT t.oid, t.tgname, t.tgenabled, {table}, {inherited} AS inherited, \
           pg_catalog.pg_get_triggerdef(t.oid, false) AS definition \
    FROM pg_catalog.unnest($1) AS wanted (oid) \
    JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid \
    JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid \
    LEFT JOIN pg_catalog.pg_trigger AS parent ON parent.oid = t.tgparentid \
    WHERE {own} OR t.tgenabled <> parent.tgenabled \
    ORDER BY r.oid, t.tgname";

pub(super) struct Triggers;

/// A trigger.
struct Trigger {
    table: Table,
    definition: Deparsed,
    when: Firing,
    /// Whether it came with the parent of a partition, so that only its state has to be set.
    inherited: bool,
}

/// When a trigger, of a table or of events, fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Firing(Option<&'static str>);

impl Firing {
    /// What a letter in `tgenabled` or `evtenabled` stands for; `None` for one that is not known.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Some(Self(match letter {
            b'O' => None,
            b'D' => Some("DISABLE"),
            b'R' => Some("ENABLE REPLICA"),
            b'A' => Some("ENABLE ALWAYS"),
            _ => return None,
        }))
    }

    /// The words that make a new trigger fire so; none if it does so anyway.
    pub fn change(self) -> Option<&'static str> {
        self.0
    }

    /// The words that make any trigger fire so.
    fn words(self) -> &'static str {
        self.0.unwrap_or("ENABLE")
    }
}

impl Kind for Triggers {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::TRIGGER)
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let (own, inherited) = if scope.server.inherited_triggers_are_visible() {
            ("(NOT t.tgisinternal AND t.tgparentid = 0)", "t.tgparentid <> 0")
        } else {
            ("NOT t.tgisinternal", "t.tgisinternal")
        };
        let sql =
            TRIGGERS.replace("{table}", on_table::COLUMNS).replace("{own}", own).replace("{inherited}", inherited);
        vec![Query::new("triggers", sql).param(Param::oids(&scope.relations))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("tgname")?;
        let table = Table::of_row(row, model, name.as_bstr())?;
        if !table.wanted(model).has(Components::DEFINITION) {
            return Ok(());
        }
        let letter = row.char("tgenabled")?;
        let when = Firing::from_letter(letter).ok_or_else(|| {
            Error::new(ErrorKind::Incomplete, format!("dump trigger \"{name}\""))
                .why(format!("its state '{}' is not known", char::from(letter)))
        })?;
        let definition = deparsed(row, "definition", "tgname")?;
        let body = Trigger { table, definition, when, inherited: row.bool("inherited")? };
        let new = NewObject::of(Catalog::TRIGGER, row.oid("oid")?, name, body);
        model.add(new.schema(table.schema(model)).wanted(Components::ALL));
        Ok(())
    }
}

impl Body for Trigger {
    fn rank(&self) -> Rank {
        Rank::Trigger
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        other.downcast::<Self>().map_or(Ordering::Equal, |other| self.table.compare(other.table, model))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let table = self.table.named(render)?;
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = table.entry(object, "TRIGGER", render);
            entry.tag = table.tag(object);
            entry.goes_with_another = self.inherited;
            let sql = &mut entry.definition;
            if !self.inherited {
                let mut name = render.sql();
                name.ident(object.name.as_bstr()).kw(" ON ").sql(&table.qualified);
                sql.deparsed(&self.definition).kw(";\n");
                extension::append_depends(sql, object, render, "TRIGGER", &name);
                entry.drop.kw("DROP TRIGGER ").sql(&name).kw(";\n");
            }
            let change = if self.inherited { Some(self.when.words()) } else { self.when.change() };
            if let Some(words) = change {
                sql.kw("\nALTER ").kw(self.table.words()).kw(" ").sql(&table.qualified).kw(" ").kw(words);
                sql.kw(" TRIGGER ").ident(object.name.as_bstr()).kw(";\n");
            }
            out.entry(entry);
        }
        table.comment("TRIGGER", object, render, out);
        Ok(())
    }
}
