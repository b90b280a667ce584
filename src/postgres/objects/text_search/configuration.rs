//! Text search configurations.

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope, results};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::postgres::objects::deparse::deparsed;
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Rows};

pub(in super::super) struct Configurations;

/// A configuration.
pub struct Configuration {
    owner: BString,
    parser_schema: BString,
    parser: BString,
    /// Kinds of token in the parser's order, each with its dictionaries in theirs.
    mappings: Vec<(BString, Vec<Deparsed>)>,
}

impl Kind for Configurations {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::TS_CONFIG)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let configurations = Query::new(
            "text search configurations",
            "SELECT c.oid, c.cfgname, c.cfgnamespace, c.cfgowner, p.prsname, n.nspname AS parser_schema \
             FROM pg_catalog.pg_ts_config AS c JOIN pg_catalog.pg_ts_parser AS p ON p.oid = c.cfgparser \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = p.prsnamespace WHERE c.oid >= $1",
        );
        let mappings = Query::new(
            "mappings of text search configurations",
            "SELECT m.mapcfg, m.maptokentype, t.alias, \
                m.mapdict::pg_catalog.regdictionary::pg_catalog.text AS dictionary \
             FROM pg_catalog.pg_ts_config AS c JOIN pg_catalog.pg_ts_config_map AS m ON m.mapcfg = c.oid \
             LEFT JOIN LATERAL pg_catalog.ts_token_type(c.cfgparser) AS t ON t.tokid = m.maptokentype \
             WHERE c.oid >= $1 ORDER BY m.mapcfg, m.maptokentype, m.mapseqno",
        );
        [configurations, mappings].map(|query| query.param(Param::oid(FIRST_USER_OID))).into()
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [configurations, mappings] = results(rows, "read text search configurations")?;
        for row in configurations.iter() {
            let name = row.string("cfgname")?;
            let schema = Some(model.schema(row.oid("cfgnamespace")?, name.as_bstr())?);
            let body = Configuration {
                owner: model.role(row.oid("cfgowner")?, name.as_bstr())?.into(),
                parser_schema: row.string("parser_schema")?,
                parser: row.string("prsname")?,
                mappings: Vec::new(),
            };
            model.add(NewObject::in_schema(Catalog::TS_CONFIG, row.oid("oid")?, name, schema, body));
        }
        for row in mappings.iter() {
            let Some(id) = model.find(Catalog::TS_CONFIG, row.oid("mapcfg")?) else { continue };
            let token = row.opt_string("alias")?.ok_or_else(|| {
                let name = model.get(id).map(|object| object.name.clone()).unwrap_or_default();
                Error::new(ErrorKind::Incomplete, format!("dump the text search configuration \"{name}\""))
                    .why("it maps a kind of token that its parser does not have")
            })?;
            let dictionary = deparsed(row, "dictionary", "alias")?;
            let Some(configuration) = model.body_mut::<Configuration>(id) else { continue };
            match configuration.mappings.last_mut() {
                Some((last, dictionaries)) if *last == token => dictionaries.push(dictionary),
                _ => configuration.mappings.push((token, vec![dictionary])),
            }
        }
        Ok(())
    }
}

impl Body for Configuration {
    fn rank(&self) -> Rank {
        Rank::TextSearchConfiguration
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let name = render.qualified(object);
        let mut sql = render.sql();
        sql.kw("CREATE TEXT SEARCH CONFIGURATION ").sql(&name).kw(" (\n    PARSER = ");
        sql.qualified(self.parser_schema.as_bstr(), self.parser.as_bstr()).kw(" );\n");
        for (token, dictionaries) in &self.mappings {
            sql.kw("\nALTER TEXT SEARCH CONFIGURATION ").sql(&name);
            sql.kw("\n    ADD MAPPING FOR ").ident(token.as_bstr()).kw(" WITH ");
            for (i, dictionary) in dictionaries.iter().enumerate() {
                sql.kw(if i > 0 { ", " } else { "" }).deparsed(dictionary);
            }
            sql.kw(";\n");
        }
        out.define(render, object, "TEXT SEARCH CONFIGURATION", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}
