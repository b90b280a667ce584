//! Extensions, and which objects are members of them.

use bstr::{BString, ByteSlice};

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope, Stage};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::sql::Sql;
use crate::wire::{Query, Rows};

pub(super) struct Extensions;

/// An extension.
pub struct Extension {
    /// The name of the schema that its objects are in.
    pub schema: BString,
    /// The OIDs of its configuration tables, and which of their rows are the user's.
    pub configuration: Vec<(u32, BString)>,
}

impl Kind for Extensions {
    fn stage(&self) -> Stage {
        Stage::Survey
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![
            Query::new(
                "extensions",
                "SELECT e.oid, e.extname, n.nspname, coalesce(e.extconfig, '{}')::pg_catalog.oid[] AS config, \
                 coalesce(e.extcondition, '{}')::pg_catalog.text[] AS conditions \
                 FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace",
            ),
            Query::new(
                "members of extensions",
                "SELECT classid, objid, refobjid FROM pg_catalog.pg_depend \
                 WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND deptype = 'e' ORDER BY 3",
            ),
        ]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let mut results = rows.iter();
        for row in results.next().into_iter().flat_map(Rows::iter) {
            let oid = row.oid("oid")?;
            let tables = row.oids("config")?;
            let conditions = row.texts("conditions")?;
            let configuration = tables.into_iter().zip(conditions.into_iter().map(Option::unwrap_or_default)).collect();
            let wanted = model.selected.extension(oid);
            let body = Extension { schema: row.string("nspname")?, configuration };
            model.add(NewObject::of(Catalog::EXTENSION, oid, row.string("extname")?, body).wanted(wanted));
        }
        for row in results.next().into_iter().flat_map(Rows::iter) {
            let member = CatalogId { catalog: Catalog(row.oid("classid")?), oid: row.oid("objid")? };
            if let Some(extension) = model.find(Catalog::EXTENSION, row.oid("refobjid")?) {
                model.extension_members.insert(member, extension);
            }
        }
        Ok(())
    }
}

impl Body for Extension {
    fn rank(&self) -> Rank {
        Rank::Extension
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        // No version: the target installs the one that its packages have.
        sql.kw("CREATE EXTENSION IF NOT EXISTS ").ident(object.name.as_bstr());
        sql.kw(" WITH SCHEMA ").ident(self.schema.as_bstr()).kw(";\n");
        out.define(render, object, "EXTENSION", None, sql);
        Ok(())
    }
}

/// Appends ALTER … DEPENDS ON EXTENSION for each extension that the object was made to depend on. `words` are the key
/// words for its kind, `name` is its name as ALTER wants it. The order is that of the extensions' names: the catalog has none.
pub fn append_depends(sql: &mut Sql, object: &Object, render: &Render<'_>, words: &'static str, name: &Sql) {
    if !object.depends_on_extension {
        return;
    }
    let others = object.dependencies.iter().filter_map(|id| render.model.get(*id));
    let mut extensions: Vec<&Object> = others.filter(|o| o.body::<Extension>().is_some()).collect();
    extensions.sort_by(|a, b| a.name.cmp(&b.name));
    for extension in extensions {
        let (before, after) =
            if render.options.dialect.dumps_extensions_apart() { ("\nALTER ", ";") } else { ("ALTER ", ";\n") };
        sql.kw(before).kw(words).kw(" ").sql(name).kw(" DEPENDS ON EXTENSION ");
        sql.ident(extension.name.as_bstr()).kw(after);
    }
}
