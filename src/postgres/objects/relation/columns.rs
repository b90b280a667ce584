//! Columns.

use bstr::{BString, ByteSlice};

use super::Relation;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::dump::RowForm;
use crate::postgres::kind::{Kind, Scope, known};
use crate::postgres::model::{DumpId, Model};
use crate::postgres::objects::deparse::opt_deparsed;
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

/// A column of a relation.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its number.
    pub number: i16,
    /// Its name.
    pub name: BString,
    /// Whether it is no longer there.
    pub dropped: bool,
    /// Whether the relation defines it itself, be it that a parent does so, too.
    pub local: bool,
    /// Its type with its modifiers.
    pub type_name: Deparsed,
    /// The OID of its type, or of the type that the domain is made of which it is; 0 where nobody asks.
    pub base_type: u32,
    /// The schema and the name of its collation, where that is not its type's.
    pub collation: Option<(BString, BString)>,
    /// The statistics target, or -1.
    pub statistics: i32,
    /// `pg_attribute.attstorage`, where it is not its type's.
    pub storage: Option<u8>,
    /// `pg_attribute.attcompression`, or 0.
    pub compression: u8,
    /// `a` for GENERATED ALWAYS AS IDENTITY, `d` for BY DEFAULT, or 0.
    pub identity: u8,
    /// `s` for a stored generated column, `v` for a virtual one, or 0.
    pub generated: u8,
    /// The options of ALTER COLUMN … SET.
    pub options: Deparsed,
    /// The options for its foreign-data wrapper.
    pub foreign_options: Vec<Deparsed>,
    /// Its NOT NULL constraint, unless that is not validated.
    pub not_null: Option<NotNull>,
    /// Whether it has a NOT NULL constraint that is not validated, which is an object of its own.
    pub unvalidated_not_null: bool,
    /// Its default or its generation expression.
    pub default: Option<DumpId>,
}

/// A NOT NULL constraint of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNull {
    /// The name, where it must be spelled out.
    pub name: Option<BString>,
    /// Whether children do not get it.
    pub no_inherit: bool,
    /// Whether it is to be written down here, rather than come from a parent.
    pub local: bool,
    /// The comment on it.
    pub comment: Option<BString>,
}

pub(in super::super) struct Columns;

impl Kind for Columns {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let compression = match scope.server.column_compression() && scope.options.toast_compression {
            true => "a.attcompression",
            false => "''::pg_catalog.\"char\"",
        };
        let (not_null, not_null_from) = if scope.server.not_null_constraints() {
            (
                "n.oid AS not_null_oid, n.conname AS not_null_name, n.convalidated AS not_null_valid, \
                 n.connoinherit AS not_null_no_inherit, n.conislocal AS not_null_local",
                "LEFT JOIN pg_catalog.pg_constraint AS n \
                   ON n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum] ",
            )
        } else {
            ("a.attnotnull AS is_not_null", "")
        };
        // By it, values are written in INSERT statements.
        let base_type = match scope.options.rows {
            RowForm::Copy => "0::pg_catalog.oid",
            RowForm::Inserts(_) => {
                "CASE WHEN t.typtype = 'd' THEN ( \
                   WITH RECURSIVE base AS ( \
                     SELECT d.typbasetype AS oid FROM pg_catalog.pg_type AS d WHERE d.oid = a.atttypid \
                     UNION ALL SELECT d.typbasetype FROM base JOIN pg_catalog.pg_type AS d \
                       ON d.oid = base.oid AND d.typtype = 'd') \
                   SELECT base.oid FROM base JOIN pg_catalog.pg_type AS d ON d.oid = base.oid AND d.typtype <> 'd') \
                 ELSE a.atttypid END"
            }
        };
        // Minor releases of late 2026 keep count of a column's versions among its options, where it cannot be set.
        let options = "pg_catalog.array_to_string(ARRAY( \
             SELECT o.option FROM pg_catalog.unnest(a.attoptions) WITH ORDINALITY AS o (option, place) \
             WHERE o.option NOT LIKE 'pg\\_attver=%' ORDER BY o.place), ', ')";
        let query = format!(
            "SELECT a.attrelid, a.attnum, a.attname, a.attisdropped, a.attislocal, \
                    pg_catalog.format_type(t.oid, a.atttypmod) AS type_name, \
                    space.nspname AS collation_schema, l.collname AS collation_name, \
                    coalesce(a.attstattarget, -1)::pg_catalog.int4 AS statistics, a.attstorage, t.typstorage, \
                    a.attidentity, \
                    a.attgenerated, {options} AS options, \
                    CASE WHEN a.attfdwoptions IS NOT NULL THEN ARRAY( \
                      SELECT pg_catalog.quote_ident(o.option_name) || ' ' || pg_catalog.quote_literal(o.option_value) \
                      FROM pg_catalog.pg_options_to_table(a.attfdwoptions) AS o ORDER BY o.option_name) \
                    END AS foreign_options, \
                    {compression} AS compression, {base_type} AS base_type, {not_null} \
             FROM pg_catalog.unnest($1) AS relation(oid) \
             JOIN pg_catalog.pg_class AS c ON c.oid = relation.oid AND c.relkind <> 'S' \
             JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 \
             LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid \
             LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation AND l.oid <> t.typcollation \
             LEFT JOIN pg_catalog.pg_namespace AS space ON space.oid = l.collnamespace \
             {not_null_from} \
             ORDER BY a.attrelid, a.attnum"
        );
        vec![Query::new("columns", query).param(Param::oids(&scope.relations))]
    }

    fn add(&self, row: Row<'_>, scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        let oid = row.oid("attrelid")?;
        let Some(object) = model.find_object(Catalog::CLASS, oid) else { return Ok(()) };
        let (id, table) = (object.id, object.name.clone());
        let column = column(row, &table, scope, model)?;
        if scope.server.not_null_constraints()
            && let Some(oid) = row.opt_oid("not_null_oid")?
        {
            model.account(CatalogId { catalog: Catalog::CONSTRAINT, oid });
        }
        let Some(relation) = model.body_mut::<Relation>(id) else { return Ok(()) };
        if usize::try_from(column.number).ok() != Some(relation.columns.len() + 1) {
            return Err(Error::new(ErrorKind::Incomplete, format!("read the columns of \"{table}\""))
                .why(format!("their numbers have a gap before {}", column.number))
                .hint("the catalog is damaged"));
        }
        relation.columns.push(column);
        Ok(())
    }
}

fn column(row: Row<'_>, table: &BString, scope: &Scope<'_>, model: &Model) -> Result<Column> {
    let name = row.string("attname")?;
    let local = row.bool("attislocal")?;
    let (not_null, unvalidated) = if scope.server.not_null_constraints() {
        named_not_null(row, table, &name, model)?
    } else {
        let unnamed = NotNull { name: None, no_inherit: false, local: true, comment: None };
        (row.bool("is_not_null")?.then_some(unnamed), false)
    };
    let letter = |field: &str, meaningful: &[u8], what: &str| {
        known(row.char(field)?, meaningful, what, format_args!("column \"{name}\" of \"{table}\""))
    };
    let storage = letter("attstorage", b"pemx", "storage")?;
    let compression = letter("compression", b"\0pl", "compression method")?;
    let identity = letter("attidentity", b"\0ad", "kind of identity")?;
    let generated = letter("attgenerated", b"\0sv", "kind of generated column")?;
    let of_type = row.opt_char("typstorage")?;
    Ok(Column {
        number: row.i16("attnum")?,
        dropped: row.bool("attisdropped")?,
        local,
        type_name: opt_deparsed(row, "type_name", "attname")?.unwrap_or_else(|| Deparsed::by_server("")),
        base_type: row.opt_oid("base_type")?.unwrap_or_default(),
        collation: row.opt_string("collation_schema")?.zip(row.opt_string("collation_name")?),
        statistics: row.i32("statistics")?,
        storage: (of_type != Some(storage)).then_some(storage),
        compression,
        identity,
        generated,
        options: Deparsed::by_server(row.opt_string("options")?.unwrap_or_default()),
        foreign_options: row
            .opt_texts("foreign_options")?
            .unwrap_or_default()
            .into_iter()
            .flatten()
            .map(Deparsed::by_server)
            .collect(),
        not_null,
        unvalidated_not_null: unvalidated,
        default: None,
        name,
    })
}

/// A name that the server would choose by itself is not spelled out, unless a comment needs it.
fn named_not_null(row: Row<'_>, table: &BString, column: &BString, model: &Model) -> Result<(Option<NotNull>, bool)> {
    let Some(oid) = row.opt_oid("not_null_oid")? else { return Ok((None, false)) };
    if !row.bool("not_null_valid")? {
        return Ok((None, true));
    }
    let name = row.string("not_null_name")?;
    let id = CatalogId { catalog: Catalog::CONSTRAINT, oid };
    let comment = model.comments.get(&id).and_then(|c| c.first()).map(|comment| comment.text.clone());
    let chosen = [table.as_bytes(), b"_", column.as_bytes(), b"_not_null"].concat();
    let by_server = comment.is_none() && name.as_bytes() == chosen;
    let not_null = NotNull {
        name: (!by_server).then_some(name),
        no_inherit: row.bool("not_null_no_inherit")?,
        local: row.bool("not_null_local")?,
        comment,
    };
    Ok((Some(not_null), false))
}
