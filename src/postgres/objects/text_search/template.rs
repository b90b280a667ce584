//! Text search templates.

use bstr::ByteSlice;

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::postgres::objects::deparse::{deparsed, opt_deparsed};
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

pub(in super::super) struct Templates;

/// A template.
pub struct Template {
    init: Option<Deparsed>,
    lexize: Deparsed,
}

impl Kind for Templates {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::TS_TEMPLATE)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let query = Query::new(
            "text search templates",
            "SELECT oid, tmplname, tmplnamespace, tmpllexize::pg_catalog.regproc::pg_catalog.text AS lexize, \
             CASE WHEN tmplinit <> 0 THEN tmplinit::pg_catalog.regproc::pg_catalog.text END AS init \
             FROM pg_catalog.pg_ts_template WHERE oid >= $1",
        );
        vec![query.param(Param::oid(FIRST_USER_OID))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("tmplname")?;
        let schema = Some(model.schema(row.oid("tmplnamespace")?, name.as_bstr())?);
        let body =
            Template { init: opt_deparsed(row, "init", "tmplname")?, lexize: deparsed(row, "lexize", "tmplname")? };
        model.add(NewObject::in_schema(Catalog::TS_TEMPLATE, row.oid("oid")?, name, schema, body));
        Ok(())
    }
}

impl Body for Template {
    fn rank(&self) -> Rank {
        Rank::TextSearchTemplate
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.kw("CREATE TEXT SEARCH TEMPLATE ").sql(&render.qualified(object)).kw(" (\n");
        sql.opt_deparsed("    INIT = ", &self.init, ",\n").kw("    LEXIZE = ").deparsed(&self.lexize).kw(" );\n");
        out.define(render, object, "TEXT SEARCH TEMPLATE", None, sql);
        Ok(())
    }
}
