//! What CREATE FUNCTION says after the name.

use bstr::{BStr, BString, ByteSlice};

use super::super::deparse::{deparsed, opt_deparsed};
use super::super::types::required_type_name;
use super::{OF_USERS, unknown};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::Render;
use crate::postgres::version::ServerVersion;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row};

/// What a new function is estimated to cost, by whether its language is compiled.
const COST_OF_COMPILED: &[u8] = b"1";
const COST_OF_OTHERS: &[u8] = b"100";
/// How many rows a new function is estimated to return.
const ROWS: &[u8] = b"1000";

pub(super) struct Definition {
    /// The arguments with names, modes and defaults.
    pub(super) arguments: Deparsed,
    /// What it returns; procedures return nothing.
    pub(super) result: Option<Deparsed>,
    language: BString,
    transforms: Vec<u32>,
    volatility: &'static str,
    strict: bool,
    security_definer: bool,
    leakproof: bool,
    cost: BString,
    /// For those that return sets.
    rows: Option<BString>,
    support: Option<Deparsed>,
    parallel: &'static str,
    settings: Vec<BString>,
    body: Body,
}

enum Body {
    /// SQL that was parsed when the function was made.
    Sql(Deparsed),
    /// A string that its language makes sense of.
    Source(BString),
    /// An object file, and what the function is called in it.
    Library(BString, BString),
}

pub(super) fn query(server: ServerVersion) -> Query {
    let sql_body = if server.sql_bodies() {
        "p.prosqlbody IS NOT NULL AS has_sql_body, pg_catalog.pg_get_function_sqlbody(p.oid) AS sql_body"
    } else {
        "false AS has_sql_body, NULL::pg_catalog.text AS sql_body"
    };
    Query::new(
        "definitions of functions",
        format!(
            "SELECT p.oid, p.proname, pg_catalog.pg_get_function_arguments(p.oid) AS arguments, \
             pg_catalog.pg_get_function_result(p.oid) AS result, l.lanname, \
             coalesce(p.protrftypes, '{{}}')::pg_catalog.oid[] AS transforms, p.provolatile, p.proisstrict, \
             p.prosecdef, \
             p.proleakproof, p.procost::pg_catalog.text AS cost, \
             CASE WHEN p.proretset THEN p.prorows::pg_catalog.text END AS rows, \
             nullif(p.prosupport::pg_catalog.text, '-') AS support, p.proparallel, \
             coalesce(p.proconfig, '{{}}')::pg_catalog.text[] AS settings, {sql_body}, p.prosrc, \
             coalesce(p.probin, '') AS probin \
             FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang \
             WHERE p.prokind <> 'a' AND {OF_USERS}"
        ),
    )
}

impl Definition {
    pub(super) fn read(row: Row<'_>) -> Result<Self> {
        let name = row.text("proname")?;
        let volatility = match row.char("provolatile")? {
            b'v' => "",
            b'i' => " IMMUTABLE",
            b's' => " STABLE",
            other => return Err(unknown(name, "volatility", other)),
        };
        let body = match opt_deparsed(row, "sql_body", "proname")? {
            Some(sql) => Body::Sql(sql),
            None if row.bool("has_sql_body")? => Body::Sql(deparsed(row, "sql_body", "proname")?),
            None if row.text("probin")?.is_empty() => Body::Source(row.string("prosrc")?),
            None => Body::Library(row.string("probin")?, row.string("prosrc")?),
        };
        Ok(Self {
            arguments: deparsed(row, "arguments", "proname")?,
            result: opt_deparsed(row, "result", "proname")?,
            language: row.string("lanname")?,
            transforms: row.oids("transforms")?,
            volatility,
            strict: row.bool("proisstrict")?,
            security_definer: row.bool("prosecdef")?,
            leakproof: row.bool("proleakproof")?,
            cost: row.string("cost")?,
            rows: row.opt_string("rows")?,
            support: opt_deparsed(row, "support", "proname")?,
            parallel: parallel(row)?.map_or("", |(clause, _)| clause),
            settings: row.texts("settings")?.into_iter().flatten().collect(),
            body,
        })
    }

    /// Appends everything from the language on.
    pub(super) fn append(&self, sql: &mut Sql, window: bool, name: &BStr, render: &Render<'_>) -> Result<()> {
        sql.kw("\n    LANGUAGE ").ident(self.language.as_bstr());
        for (i, oid) in self.transforms.iter().enumerate() {
            sql.kw(if i > 0 { ", FOR TYPE " } else { " TRANSFORM FOR TYPE " });
            sql.deparsed(required_type_name(render.model, *oid, name)?);
        }
        sql.kw(if window { " WINDOW" } else { "" }).kw(self.volatility);
        sql.kw(if self.strict { " STRICT" } else { "" });
        sql.kw(if self.security_definer { " SECURITY DEFINER" } else { "" });
        sql.kw(if self.leakproof { " LEAKPROOF" } else { "" });
        let compiled = self.language == "internal" || self.language == "c";
        let usual = if compiled { COST_OF_COMPILED } else { COST_OF_OTHERS };
        if self.cost != "0" && self.cost != usual {
            sql.kw(" COST ").numeric_text(self.cost.as_bstr());
        }
        if let Some(rows) = self.rows.as_ref().filter(|rows| *rows != "0" && *rows != ROWS) {
            sql.kw(" ROWS ").numeric_text(rows.as_bstr());
        }
        sql.opt_deparsed(" SUPPORT ", &self.support, "").kw(self.parallel);
        for setting in &self.settings {
            sql.kw("\n    SET ").setting(setting.as_bstr(), render.no_names()).map_err(|why| {
                Error::new(ErrorKind::Incomplete, format!("read the settings of the function \"{name}\""))
                    .why(format!("\"{setting}\" {why}"))
            })?;
        }
        sql.kw("\n    ");
        self.body.append(sql);
        sql.kw(";\n");
        Ok(())
    }
}

impl Body {
    fn append(&self, sql: &mut Sql) {
        match self {
            Body::Sql(body) => {
                sql.deparsed(body);
            }
            Body::Source(source) => {
                sql.kw("AS ").dollar_quoted(source.as_bstr(), "");
            }
            Body::Library(file, symbol) => {
                sql.kw("AS ").literal(file.as_bstr());
                if symbol.is_empty() {
                    return;
                }
                sql.kw(", ");
                if symbol.find_byteset(b"'\\").is_some() {
                    sql.dollar_quoted(symbol.as_bstr(), "");
                } else {
                    sql.literal(symbol.as_bstr());
                }
            }
        }
    }
}

/// How a routine may be run in parallel, where that is not the default: the clause for a function, and the word for an
/// aggregate.
pub(in super::super) fn parallel(row: Row<'_>) -> Result<Option<(&'static str, &'static str)>> {
    Ok(match row.char("proparallel")? {
        b'u' => None,
        b's' => Some((" PARALLEL SAFE", "safe")),
        b'r' => Some((" PARALLEL RESTRICTED", "restricted")),
        other => return Err(unknown(row.text("proname")?, "safety in parallel", other)),
    })
}
