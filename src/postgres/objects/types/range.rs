//! Range types; their multirange types come with them.

use bstr::{BString, ByteSlice};

use super::super::deparse::{deparsed, opt_deparsed};
use crate::error::Result;
use crate::postgres::emit::Render;
use crate::postgres::version::ServerVersion;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row};

/// What CREATE TYPE says of a range type.
pub(super) struct Range {
    subtype: Deparsed,
    multirange: Option<Deparsed>,
    /// Schema and name of the operator class, unless it is the default one of the subtype.
    operator_class: Option<(BString, BString)>,
    /// Schema and name of the collation, unless it is the subtype's.
    collation: Option<(BString, BString)>,
    canonical: Option<Deparsed>,
    difference: Option<Deparsed>,
}

pub(super) fn query(server: ServerVersion) -> Query {
    let multirange =
        if server.multiranges() { "pg_catalog.format_type(r.rngmultitypid, NULL)" } else { "NULL::pg_catalog.text" };
    Query::new(
        "range types",
        format!(
            "SELECT t.oid, t.typname, pg_catalog.format_type(r.rngsubtype, NULL) AS subtype, \
                {multirange} AS multirange, \
             CASE WHEN NOT o.opcdefault THEN on_.nspname END AS class_schema, o.opcname AS class, \
             cn.nspname AS collation_schema, c.collname AS collation, \
             nullif(r.rngcanonical::pg_catalog.text, '-') AS canonical, nullif(r.rngsubdiff::pg_catalog.text, \
             '-') AS difference \
             FROM pg_catalog.pg_range AS r \
             JOIN pg_catalog.pg_type AS t ON t.oid = r.rngtypid \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
             JOIN pg_catalog.pg_type AS s ON s.oid = r.rngsubtype \
             JOIN pg_catalog.pg_opclass AS o ON o.oid = r.rngsubopc \
             JOIN pg_catalog.pg_namespace AS on_ ON on_.oid = o.opcnamespace \
             LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = r.rngcollation AND c.oid <> s.typcollation \
             LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.collnamespace \
             WHERE {}",
            super::OF_USERS
        ),
    )
}

impl Range {
    pub(super) fn read(row: Row<'_>) -> Result<Self> {
        let named = |schema: &str, name: &str| -> Result<Option<(BString, BString)>> {
            row.opt_string(schema)?.map(|schema| Ok((schema, row.string(name)?))).transpose()
        };
        Ok(Self {
            subtype: deparsed(row, "subtype", "typname")?,
            multirange: opt_deparsed(row, "multirange", "typname")?,
            operator_class: named("class_schema", "class")?,
            collation: named("collation_schema", "collation")?,
            canonical: opt_deparsed(row, "canonical", "typname")?,
            difference: opt_deparsed(row, "difference", "typname")?,
        })
    }

    /// The statement, from AS on.
    pub(super) fn body(&self, render: &Render<'_>) -> Sql {
        let mut sql = render.sql();
        sql.kw(" AS RANGE (\n    subtype = ").deparsed(&self.subtype);
        sql.opt_deparsed(",\n    multirange_type_name = ", &self.multirange, "");
        if let Some((schema, name)) = &self.operator_class {
            sql.kw(",\n    subtype_opclass = ").qualified(schema.as_bstr(), name.as_bstr());
        }
        if let Some((schema, name)) = &self.collation {
            sql.kw(",\n    collation = ").qualified(schema.as_bstr(), name.as_bstr());
        }
        sql.opt_deparsed(",\n    canonical = ", &self.canonical, "");
        sql.opt_deparsed(",\n    subtype_diff = ", &self.difference, "");
        sql.kw("\n);\n");
        sql
    }
}
