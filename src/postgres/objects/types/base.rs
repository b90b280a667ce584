//! Base types: made of functions of their own.

use bstr::{BString, ByteSlice};

use super::super::deparse::opt_deparsed;
use super::{Default, unknown};
use crate::error::Result;
use crate::postgres::emit::Render;
use crate::postgres::version::ServerVersion;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row};

/// What CREATE TYPE says of a base type.
pub(super) struct Base {
    length: i16,
    /// The words of the clauses that name a function, and the functions, in the order in which they are written.
    functions: Vec<(&'static str, Deparsed)>,
    subscript: Option<Deparsed>,
    collatable: bool,
    default: Option<Default>,
    element: Option<Deparsed>,
    category: BString,
    preferred: bool,
    delimiter: BString,
    alignment: &'static str,
    storage: &'static str,
    by_value: bool,
}

/// The clauses that name a function and the columns that those are in; the first two are never empty.
const FUNCTIONS: &[(&str, &str)] = &[
    ("INPUT", "typinput"),
    ("OUTPUT", "typoutput"),
    ("RECEIVE", "typreceive"),
    ("SEND", "typsend"),
    ("TYPMOD_IN", "typmodin"),
    ("TYPMOD_OUT", "typmodout"),
    ("ANALYZE", "typanalyze"),
];

pub(super) fn query(server: ServerVersion) -> Query {
    let mut sql = String::from("SELECT t.oid, t.typname, t.typlen, ");
    for (_, column) in FUNCTIONS {
        sql += &format!("nullif(t.{column}::pg_catalog.text, '-') AS {column}, ");
    }
    let subscript =
        if server.type_subscript() { "nullif(t.typsubscript::pg_catalog.text, '-')" } else { "NULL::pg_catalog.text" };
    sql += subscript;
    sql += " AS typsubscript, t.typcollation <> 0 AS collatable, pg_catalog.pg_get_expr(t.typdefaultbin, \
    0) AS expression, \
        t.typdefault, CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END AS element, \
        t.typcategory::pg_catalog.text AS typcategory, t.typispreferred, t.typdelim::pg_catalog.text AS typdelim, \
        t.typalign, t.typstorage, \
        t.typbyval FROM pg_catalog.pg_type AS t \
        JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
        LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem \
        WHERE t.typtype = 'b' AND e.typarray IS DISTINCT FROM t.oid AND ";
    sql += super::OF_USERS;
    Query::new("base types", sql)
}

impl Base {
    pub(super) fn read(row: Row<'_>) -> Result<Self> {
        let mut functions = Vec::new();
        for (word, column) in FUNCTIONS {
            if let Some(name) = opt_deparsed(row, column, "typname")? {
                functions.push((*word, name));
            }
        }
        let name = row.text("typname")?;
        let alignment = match row.char("typalign")? {
            b'c' => "char",
            b's' => "int2",
            b'i' => "int4",
            b'd' => "double",
            other => return Err(unknown(name, "alignment", other)),
        };
        let storage = match row.char("typstorage")? {
            b'p' => "plain",
            b'e' => "external",
            b'x' => "extended",
            b'm' => "main",
            other => return Err(unknown(name, "storage", other)),
        };
        Ok(Self {
            length: row.i16("typlen")?,
            functions,
            subscript: opt_deparsed(row, "typsubscript", "typname")?,
            collatable: row.bool("collatable")?,
            default: Default::read(row)?,
            element: opt_deparsed(row, "element", "typname")?,
            category: row.string("typcategory")?,
            preferred: row.bool("typispreferred")?,
            delimiter: row.string("typdelim")?,
            alignment,
            storage,
            by_value: row.bool("typbyval")?,
        })
    }

    /// The statement, from the parenthesis on.
    pub(super) fn body(&self, render: &Render<'_>) -> Sql {
        let mut sql = render.sql();
        sql.kw(" (\n    INTERNALLENGTH = ");
        if self.length == -1 {
            sql.kw("variable");
        } else {
            sql.num(self.length);
        }
        for (word, function) in &self.functions {
            sql.kw(",\n    ").kw(word).kw(" = ").deparsed(function);
        }
        if self.collatable {
            sql.kw(",\n    COLLATABLE = true");
        }
        if let Some(default) = &self.default {
            sql.kw(",\n    DEFAULT = ");
            default.append(&mut sql);
        }
        sql.opt_deparsed(",\n    SUBSCRIPT = ", &self.subscript, "");
        sql.opt_deparsed(",\n    ELEMENT = ", &self.element, "");
        if self.category != "U" {
            sql.kw(",\n    CATEGORY = ").literal(self.category.as_bstr());
        }
        if self.preferred {
            sql.kw(",\n    PREFERRED = true");
        }
        if self.delimiter != "," {
            sql.kw(",\n    DELIMITER = ").literal(self.delimiter.as_bstr());
        }
        sql.kw(",\n    ALIGNMENT = ").kw(self.alignment);
        sql.kw(",\n    STORAGE = ").kw(self.storage);
        if self.by_value {
            sql.kw(",\n    PASSEDBYVALUE");
        }
        sql.kw("\n);\n");
        sql
    }
}
