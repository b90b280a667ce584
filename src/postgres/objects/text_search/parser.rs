//! Text search parsers.

use bstr::ByteSlice;

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::postgres::objects::deparse::{deparsed, opt_deparsed};
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

pub(in super::super) struct Parsers;

/// A parser.
pub struct Parser {
    start: Deparsed,
    token: Deparsed,
    end: Deparsed,
    headline: Option<Deparsed>,
    lextypes: Deparsed,
}

impl Kind for Parsers {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::TS_PARSER)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let query = Query::new(
            "text search parsers",
            "SELECT oid, prsname, prsnamespace, prsstart::pg_catalog.regproc::pg_catalog.text AS start, \
                prstoken::pg_catalog.regproc::pg_catalog.text AS token, \
             prsend::pg_catalog.regproc::pg_catalog.text AS \"end\", \
             prslextype::pg_catalog.regproc::pg_catalog.text AS lextypes, \
             CASE WHEN prsheadline <> 0 THEN prsheadline::pg_catalog.regproc::pg_catalog.text END AS headline \
             FROM pg_catalog.pg_ts_parser WHERE oid >= $1",
        );
        vec![query.param(Param::oid(FIRST_USER_OID))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("prsname")?;
        let schema = Some(model.schema(row.oid("prsnamespace")?, name.as_bstr())?);
        let body = Parser {
            start: deparsed(row, "start", "prsname")?,
            token: deparsed(row, "token", "prsname")?,
            end: deparsed(row, "end", "prsname")?,
            headline: opt_deparsed(row, "headline", "prsname")?,
            lextypes: deparsed(row, "lextypes", "prsname")?,
        };
        model.add(NewObject::in_schema(Catalog::TS_PARSER, row.oid("oid")?, name, schema, body));
        Ok(())
    }
}

impl Body for Parser {
    fn rank(&self) -> Rank {
        Rank::TextSearchParser
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.kw("CREATE TEXT SEARCH PARSER ").sql(&render.qualified(object)).kw(" (\n");
        sql.kw("    START = ").deparsed(&self.start).kw(",\n    GETTOKEN = ").deparsed(&self.token);
        sql.kw(",\n    END = ").deparsed(&self.end).kw(",\n");
        sql.opt_deparsed("    HEADLINE = ", &self.headline, ",\n");
        sql.kw("    LEXTYPES = ").deparsed(&self.lextypes).kw(" );\n");
        out.define(render, object, "TEXT SEARCH PARSER", None, sql);
        Ok(())
    }
}
