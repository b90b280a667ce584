//! Composite types that stand alone; those of tables come with the tables.

use bstr::{BString, ByteSlice};

use super::super::deparse::deparsed;
use super::Type;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::emit::{Emitter, Render, Subject};
use crate::postgres::model::{Components, Object};
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row};

/// An attribute.
pub(super) struct Attribute {
    number: i32,
    name: BString,
    type_name: Deparsed,
    /// Schema and name of the collation, unless it is the type's.
    collation: Option<(BString, BString)>,
}

pub(super) fn query() -> Query {
    // LEFT JOIN, since a composite type need not have attributes.
    let sql = "SELECT t.oid, t.typname, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, \
         cn.nspname AS collation_schema, c.collname AS collation \
         FROM pg_catalog.pg_type AS t \
         JOIN pg_catalog.pg_class AS r ON r.oid = t.typrelid AND r.relkind = 'c' \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
         LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped \
         LEFT JOIN pg_catalog.pg_type AS at ON at.oid = a.atttypid \
         LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation AND c.oid <> at.typcollation \
         LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.collnamespace WHERE ";
    Query::new("composite types", format!("{sql}{} ORDER BY t.oid, a.attnum", super::OF_USERS))
}

impl Attribute {
    /// The attribute of the row, if the type has any.
    pub(super) fn read(row: Row<'_>) -> Result<Option<Self>> {
        let Some(name) = row.opt_string("attname")? else { return Ok(None) };
        let collation = match row.opt_string("collation_schema")? {
            Some(schema) => Some((schema, row.string("collation")?)),
            None => None,
        };
        let type_name = deparsed(row, "type", "typname")?;
        Ok(Some(Self { number: row.i32("attnum")?, name, type_name, collation }))
    }
}

/// The statement, from AS on.
pub(super) fn body(attributes: &[Attribute], render: &Render<'_>) -> Sql {
    let mut sql = render.sql();
    sql.kw(" AS (");
    for (i, attribute) in attributes.iter().enumerate() {
        sql.kw(if i > 0 { ",\n\t" } else { "\n\t" });
        sql.ident(attribute.name.as_bstr()).kw(" ").deparsed(&attribute.type_name);
        if let Some((schema, name)) = &attribute.collation {
            sql.kw(" COLLATE ").qualified(schema.as_bstr(), name.as_bstr());
        }
    }
    sql.kw("\n);\n");
    sql
}

/// Adds the comments on attributes. They hang on the relation behind the type.
pub(super) fn comments(body: &Type, attributes: &[Attribute], object: &Object, render: &Render<'_>, out: &mut Emitter) {
    if !object.dumped().has(Components::COMMENT) || !render.options.comments {
        return;
    }
    let comments = render.model.comments.get(&CatalogId { catalog: Catalog::CLASS, oid: body.relation });
    for comment in comments.into_iter().flatten() {
        let Some(attribute) = attributes.iter().find(|a| a.number == comment.sub_id) else { continue };
        let mut name = render.sql();
        name.qualified(object.name.as_bstr(), attribute.name.as_bstr());
        let schema = render.model.schema_name(object);
        let subject = Subject { words: "COLUMN", schema, name: &name, owner: body.owner.as_bstr() };
        out.comment_text(render, object.id, &subject, Some(comment.text.as_bstr()));
    }
}
