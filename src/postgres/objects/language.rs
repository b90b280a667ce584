//! Procedural languages.

use bstr::{BString, ByteSlice};

use super::function::Function;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::postgres::privileges::Privileges;
use crate::sql::Sql;
use crate::wire::{Query, Row};

pub(super) struct Languages;

/// A procedural language.
pub struct Language {
    owner: BString,
    privileges: Privileges,
    trusted: bool,
    /// The OIDs of its functions, or 0.
    handler: u32,
    inline: u32,
    validator: u32,
}

impl Kind for Languages {
    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![Query::new(
            "procedural languages",
            "SELECT oid, lanname, lanowner, lanpltrusted, lanplcallfoid, laninline, lanvalidator, \
                lanacl::pg_catalog.text[] AS acl, \
             pg_catalog.acldefault('l', lanowner)::pg_catalog.text[] AS acl_default \
             FROM pg_catalog.pg_language WHERE lanispl ORDER BY oid",
        )]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("lanname")?;
        let oid = row.oid("oid")?;
        let can_change = if oid < FIRST_USER_OID { Components::PRIVILEGES } else { Components::ALL };
        let wanted = model.selected.in_no_schema().and(can_change);
        let privileges = Privileges::from_row(row, "acl", "acl_default")?;
        let body = Language {
            owner: model.role(row.oid("lanowner")?, name.as_bstr())?.into(),
            trusted: row.bool("lanpltrusted")?,
            handler: row.oid("lanplcallfoid")?,
            inline: row.oid("laninline")?,
            validator: row.oid("lanvalidator")?,
            privileges,
        };
        let has = Components::DEFINITION.or(body.privileges.component());
        model.add(NewObject::of(Catalog::LANGUAGE, oid, name, body).wanted(wanted).has(has));
        Ok(())
    }
}

impl Body for Language {
    fn rank(&self) -> Rank {
        Rank::Language
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = NewEntry::of(object, render, "PROCEDURAL LANGUAGE", object.name.clone());
            entry.owner = Some(self.owner.clone());
            entry.definition = self.definition(&name, render);
            entry.drop.kw("DROP PROCEDURAL LANGUAGE ").sql(&name).kw(";\n");
            out.entry(entry);
        }
        let subject = Subject { words: "LANGUAGE", schema: None, name: &name, owner: self.owner.as_bstr() };
        out.comment_and_labels(render, object, &subject);
        // Privileges on a language that is not trusted cannot be granted.
        if self.trusted {
            out.privileges(render, object, &subject, &self.privileges)?;
        }
        Ok(())
    }
}

impl Language {
    fn definition(&self, name: &Sql, render: &Render<'_>) -> Sql {
        // None: the language has no such function. Some(None): it is not in the dump.
        let function = |oid: u32| (oid != 0).then(|| dumped_function(oid, render));
        let functions = [function(self.handler), function(self.inline), function(self.validator)];
        let mut sql = render.sql();
        let complete = functions[0].is_some() && functions.iter().flatten().all(Option::is_some);
        if !complete {
            // The server knows how: it makes an extension of this. The language may be there already.
            sql.kw("CREATE OR REPLACE PROCEDURAL LANGUAGE ").sql(name).kw(";\n");
            return sql;
        }
        sql.kw(if self.trusted { "CREATE TRUSTED " } else { "CREATE " }).kw("PROCEDURAL LANGUAGE ").sql(name);
        for (words, function) in [" HANDLER ", " INLINE ", " VALIDATOR "].into_iter().zip(functions) {
            if let Some(function) = function.flatten() {
                sql.kw(words).sql(&function);
            }
        }
        sql.kw(";\n");
        sql
    }
}

/// The qualified name of a function of which something is in the dump.
fn dumped_function(oid: u32, render: &Render<'_>) -> Option<Sql> {
    let (object, _) = render.model.find_body::<Function>(Catalog::PROCEDURE, oid)?;
    (!object.dumped().is_none()).then(|| render.qualified(object))
}
