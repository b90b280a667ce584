//! Event triggers.

use bstr::{BString, ByteSlice};

use super::deparse::deparsed;
use super::trigger::Firing;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row};

pub(super) struct EventTriggers;

/// An event trigger.
pub(in crate::postgres) struct EventTrigger {
    owner: BString,
    event: BString,
    /// The tags of the commands that it is for; none if it is for all.
    tags: Vec<BString>,
    function: Deparsed,
    when: Firing,
}

impl Kind for EventTriggers {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::EVENT_TRIGGER)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let event_triggers =
            format!("SELECT oid, evtname, evtowner, {COLUMNS} FROM pg_catalog.pg_event_trigger ORDER BY oid");
        vec![Query::new("event triggers", event_triggers)]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("evtname")?;
        let body = EventTrigger::from_row(row, model.role(row.oid("evtowner")?, name.as_bstr())?.into())?;
        let wanted = model.selected.in_no_schema();
        model.add(NewObject::of(Catalog::EVENT_TRIGGER, row.oid("oid")?, name, body).wanted(wanted));
        Ok(())
    }
}

/// The columns that an event trigger's definition is made of; the search path is to be empty.
pub(in crate::postgres) const COLUMNS: &str = "evtevent, evtenabled, coalesce(evttags, \
    '{}')::pg_catalog.text[] AS tags, \
                                               evtfoid::pg_catalog.regproc::pg_catalog.text AS function";

impl EventTrigger {
    /// What a row with `evtname` and [`COLUMNS`] says.
    pub(in crate::postgres) fn from_row(row: Row<'_>, owner: BString) -> Result<Self> {
        let letter = row.char("evtenabled")?;
        let when = Firing::from_letter(letter).ok_or_else(|| {
            let name = row.text("evtname").unwrap_or_default();
            Error::new(ErrorKind::Incomplete, format!("read event trigger \"{name}\""))
                .why(format!("its state '{}' is not known", char::from(letter)))
        })?;
        Ok(Self {
            owner,
            event: row.string("evtevent")?,
            tags: row.texts("tags")?.into_iter().flatten().collect(),
            function: deparsed(row, "function", "evtname")?,
            when,
        })
    }

    /// Appends the statements that make it.
    pub(in crate::postgres) fn definition(&self, name: &Sql, sql: &mut Sql) {
        sql.kw("CREATE EVENT TRIGGER ").sql(name).kw(" ON ").ident(self.event.as_bstr());
        for (i, tag) in self.tags.iter().enumerate() {
            sql.kw(if i == 0 { "\n         WHEN TAG IN (" } else { ", " }).literal(tag.as_bstr());
        }
        if !self.tags.is_empty() {
            sql.kw(")");
        }
        sql.kw("\n   EXECUTE FUNCTION ").deparsed(&self.function).kw("();\n");
        if let Some(words) = self.when.change() {
            sql.kw("\nALTER EVENT TRIGGER ").sql(name).kw(" ").kw(words).kw(";\n");
        }
    }
}

impl Body for EventTrigger {
    fn rank(&self) -> Rank {
        Rank::EventTrigger
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        let mut sql = render.sql();
        self.definition(&name, &mut sql);
        out.define(render, object, "EVENT TRIGGER", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}
