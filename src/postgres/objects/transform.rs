//! Transforms: how a language sees the values of a type.

use bstr::{BString, ByteSlice};

use super::function::reference;
use super::types::{required_type_name, type_key};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Depends, Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::wire::{Query, Row};

pub(super) struct Transforms;

/// A transform.
pub struct Transform {
    of: u32,
    language: BString,
    /// The OIDs of its functions, or 0.
    from_sql: u32,
    to_sql: u32,
}

impl Kind for Transforms {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::TRANSFORM)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![Query::new(
            "transforms",
            "SELECT t.oid, t.trftype, l.lanname, t.trffromsql::pg_catalog.oid AS from_sql, \
                t.trftosql::pg_catalog.oid AS to_sql \
             FROM pg_catalog.pg_transform AS t LEFT JOIN pg_catalog.pg_language AS l ON l.oid = t.trflang \
             ORDER BY t.trftype, t.trflang",
        )]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let language = row.string("lanname")?;
        let of = row.oid("trftype")?;
        let mut quoted = crate::sql::Sql::new();
        quoted.ident(language.as_bstr());
        let name = match type_key(model, of) {
            Some((_, name)) => bstr::join(" ", [name, quoted.as_bstr()]).into(),
            None => BString::default(),
        };
        let (from_sql, to_sql) = (row.oid("from_sql")?, row.oid("to_sql")?);
        if from_sql == 0 && to_sql == 0 {
            return Err(
                Error::new(ErrorKind::Incomplete, format!("read the transform \"{name}\"")).why("it has no function")
            );
        }
        let body = Transform { of, language, from_sql, to_sql };
        let new = NewObject::of(Catalog::TRANSFORM, row.oid("oid")?, name, body);
        model.add(new.wanted(model.selected.in_no_schema()));
        Ok(())
    }
}

impl Body for Transform {
    fn rank(&self) -> Rank {
        Rank::Transform
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let what = object.name.as_bstr();
        let mut target = render.sql();
        target.kw("FOR ").deparsed(required_type_name(render.model, self.of, what)?);
        target.kw(" LANGUAGE ").ident(self.language.as_bstr());
        if object.dumped().has(Components::DEFINITION) {
            let mut tag = render.sql();
            tag.kw("TRANSFORM ").sql(&target);
            let mut entry = NewEntry::of(object, render, "TRANSFORM", tag.into_bstring());
            // Not those in the graph: objects without entries are named, too.
            entry.depends = Depends::On(object.dependencies.clone());
            entry.definition.kw("CREATE TRANSFORM ").sql(&target).kw(" (");
            let functions = [("FROM SQL WITH FUNCTION ", self.from_sql), ("TO SQL WITH FUNCTION ", self.to_sql)];
            for (i, (words, oid)) in functions.into_iter().filter(|(_, oid)| *oid != 0).enumerate() {
                entry.definition.kw(if i > 0 { ", " } else { "" }).kw(words);
                entry.definition.sql(&reference(render, oid, "transform", what)?);
            }
            entry.definition.kw(");\n");
            entry.drop.kw("DROP TRANSFORM ").sql(&target).kw(";\n");
            out.entry(entry);
        }
        let subject = Subject { words: "TRANSFORM", schema: None, name: &target, owner: b"".as_bstr() };
        out.comment(render, object, &subject);
        Ok(())
    }
}
