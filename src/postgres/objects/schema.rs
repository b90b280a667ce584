//! Schemas.

use bstr::{BString, ByteSlice};

use crate::error::Result;
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope, Stage};
use crate::postgres::model::{Body, Components, InitialPrivileges, Model, NewObject, Object, Rank};
use crate::postgres::privileges::{Privileges, PrivilegesOf};
use crate::wire::{Query, Row};

/// What initdb says about schema public.
const STANDARD_PUBLIC_COMMENT: &[u8] = b"standard public schema";

pub(super) struct Schemas;

/// A schema.
pub struct Schema {
    owner: BString,
    privileges: Privileges,
    /// Whether CREATE SCHEMA makes it; public is there in every database, unless it was asked for by name.
    created: bool,
    is_public: bool,
}

impl Kind for Schemas {
    fn stage(&self) -> Stage {
        Stage::Survey
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![Query::new(
            "schemas",
            "SELECT oid, nspname, nspowner, nspacl::pg_catalog.text[] AS acl, \
             pg_catalog.acldefault('n', nspowner)::pg_catalog.text[] AS acl_default FROM pg_catalog.pg_namespace",
        )]
    }

    fn add(&self, row: Row<'_>, scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("nspname")?;
        let owner = row.oid("nspowner")?;
        let privileges = Privileges::from_row(row, "acl", "acl_default")?;
        let oid = row.oid("oid")?;
        let mut selected = model.selected.schema(oid, name.as_bstr(), owner);
        let mut has = Components::DEFINITION.or(privileges.component());
        let is_public = name == "public";
        if is_public {
            // Even no comment and no privileges say something here: those of a new database were taken away.
            has = has.or(Components::PRIVILEGES);
            if !selected.created {
                has = has.or(Components::COMMENT);
            }
        }
        if is_public && !selected.created && !scope.options.dialect.public_of_database_owner() {
            // Of what comes with every database, only what was changed of its privileges.
            selected.own = selected.own.and(Components::PRIVILEGES);
        }
        let owner = model.role(owner, name.as_bstr())?.into();
        let schema = Schema { owner, privileges, created: selected.created, is_public };
        let id = model.add(NewObject::of(Catalog::NAMESPACE, oid, name, schema).wanted(selected.own).has(has));
        if let Some(object) = model.get_mut(id) {
            // Membership of an extension decides about the schema, not about what users put into it.
            object.contents_wanted = selected.contents;
        }
        Ok(())
    }
}

impl Body for Schema {
    fn rank(&self) -> Rank {
        Rank::Schema
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        let subject = Subject { words: "SCHEMA", schema: None, name: &name, owner: self.owner.as_bstr() };

        if object.dumped().has(Components::DEFINITION) {
            let mut entry = NewEntry::of(object, render, "SCHEMA", object.name.clone());
            entry.owner = Some(self.owner.clone());
            if self.created {
                entry.definition.kw("CREATE SCHEMA ").sql(&name).kw(";\n");
                entry.drop.kw("DROP SCHEMA ").sql(&name).kw(";\n");
            } else {
                entry.definition.kw("-- *not* creating schema, since initdb creates it\n");
                entry.drop.kw("-- *not* dropping schema, since initdb creates it\n");
            }
            out.entry(entry);
        }
        self.emit_comment(object, render, &subject, out);
        out.labels(render, object, &subject);
        let is_told = self.is_public && render.options.dialect.public_of_database_owner();
        let initial = is_told.then(|| InitialPrivileges::of_public(self.owner.as_bstr()));
        let of = PrivilegesOf { initial: initial.as_ref(), ..PrivilegesOf::default() };
        out.privileges_of(render, object, &subject, &self.privileges, &of)?;
        Ok(())
    }
}

impl Schema {
    fn emit_comment(&self, object: &Object, render: &Render<'_>, subject: &Subject<'_>, out: &mut Emitter) {
        // Where all names are quoted, pg_dump does not recognise this one; nothing is lost by saying it.
        if self.created || render.style.quote_all {
            out.comment(render, object, subject);
            return;
        }
        if !object.dumped().has(Components::COMMENT) || !render.options.comments {
            return;
        }
        // A new database has the standard comment: say only what differs from it.
        let text = render.comment(object);
        if text.is_none_or(|text| text.as_bytes() != STANDARD_PUBLIC_COMMENT) {
            out.comment_text(render, object.id, subject, text.or(Some(b"".as_bstr())));
        }
    }
}
