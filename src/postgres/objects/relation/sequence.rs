//! Sequences: their parameters, and the SEQUENCE SET entries with their values.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};

use super::{Persistence, Relation, data};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Depends, Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, Model, Object, Rank, Side};
use crate::postgres::objects::deparse;
use crate::postgres::relkind::Relkind;
use crate::sql::Sql;
use crate::wire::{Param, Query, Row, Rows};
use pgformat::Section;

/// How long a statement that reads many sequences may get: small enough for several to be on their way at once.
const STATEMENT: usize = 24 * 1024;

/// A sequence's parameters and value.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    /// What its numbers are.
    pub of_type: SequenceType,
    start: i64,
    increment: i64,
    min: i64,
    max: i64,
    cache: i64,
    cycle: bool,
    value: Option<Value>,
}

/// Where a sequence has got to.
#[derive(Debug, Clone, Copy)]
struct Value {
    last: i64,
    is_called: bool,
}

/// The type of a sequence's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceType {
    SmallInt,
    Integer,
    BigInt,
}

impl SequenceType {
    fn words(self) -> &'static str {
        match self {
            Self::SmallInt => "smallint",
            Self::Integer => "integer",
            Self::BigInt => "bigint",
        }
    }

    /// The limits that a sequence gets if none are given.
    fn limits(self, ascending: bool) -> (i64, i64) {
        let (min, max) = match self {
            Self::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
            Self::Integer => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Self::BigInt => (i64::MIN, i64::MAX),
        };
        if ascending { (1, max) } else { (min, -1) }
    }
}

pub(in super::super) struct Sequences;

impl Kind for Sequences {
    fn narrow(&self, model: &Model, scope: &mut Scope<'_>) {
        scope.sequences = names(model, scope);
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let (value, from) = if scope.server.sequence_data_function() {
            // No privilege is a value that is NULL, and so is no sequence any more; only then it is not known who may read it.
            (
                "v.last_value, v.is_called, pg_catalog.has_table_privilege(s.seqrelid, 'SELECT') IS NULL AS is_gone",
                "CROSS JOIN LATERAL pg_catalog.pg_get_sequence_data(s.seqrelid) AS v",
            )
        } else {
            ("NULL::pg_catalog.int8 AS last_value, NULL::pg_catalog.bool AS is_called, false AS is_gone", "")
        };
        let parameters = format!(
            "SELECT s.seqrelid AS oid, pg_catalog.format_type(s.seqtypid, NULL) AS type, s.seqstart, s.seqincrement, \
                    s.seqmin, s.seqmax, s.seqcache, s.seqcycle, {value} \
             FROM pg_catalog.unnest($1) AS relation(oid) \
             JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = relation.oid {from}"
        );
        let mut queries = vec![Query::new("sequences", parameters).param(Param::oids(&scope.relations))];
        if !scope.server.sequence_data_function() {
            queries.extend(value_queries(&scope.sequences));
        }
        queries
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let Some((parameters, values)) = rows.split_first() else { return Ok(()) };
        for row in parameters.iter() {
            let Some((id, name)) = sequence(row, model)? else { continue };
            if row.bool("is_gone")? {
                return Err(deparse::gone(name.as_ref()));
            }
            let parameters = read(row, &name)?;
            if let Some(relation) = model.body_mut::<Relation>(id) {
                relation.sequence = Some(parameters);
            }
        }
        for row in values.iter().flat_map(Rows::iter) {
            let Some((id, _)) = sequence(row, model)? else { continue };
            let value = value(row)?;
            if let Some(parameters) = model.body_mut::<Relation>(id).and_then(|r| r.sequence.as_mut()) {
                parameters.value = value;
            }
        }
        Ok(())
    }
}

/// The sequences whose values are dumped, by OID, with their qualified names in SQL: old servers tell a sequence's value
/// only to those who ask for it by name.
fn names(model: &Model, scope: &Scope<'_>) -> Vec<(u32, Sql)> {
    if !scope.has_data(Relkind::Sequence) {
        return Vec::new();
    }
    let configuration: HashSet<DumpId> = data::configuration_tables(model).into_iter().map(|(id, _)| id).collect();
    model
        .of_kind::<Relation>()
        .filter(|(_, relation)| relation.kind == Relkind::Sequence && data::is_included(relation, scope, model))
        .filter(|(object, _)| object.wanted.has(Components::DATA) || configuration.contains(&object.id))
        .map(|(object, relation)| {
            let mut name = Sql::new();
            name.qualified(model.schema_name(object).unwrap_or_default(), object.name.as_bstr());
            (relation.oid, name)
        })
        .collect()
}

/// The queries for values by name. Another relation can have got the name meanwhile, and the planner runs functions in the
/// expressions of a table's indexes: so each query says which OID the name must have. That is found out before anything of
/// the relation is looked at, and ends the query with a division by zero.
fn value_queries(sequences: &[(u32, Sql)]) -> Vec<Query> {
    let mut queries = Vec::new();
    let mut batch = Sql::new();
    for (oid, name) in sequences {
        batch.kw(if batch.is_empty() { "" } else { " UNION ALL " });
        batch.kw("SELECT ").num(*oid).kw("::pg_catalog.oid AS oid, last_value, is_called FROM ").sql(name);
        batch.kw(" WHERE 1 / (").portable_literal(name.as_bstr()).kw("::pg_catalog.regclass::pg_catalog.oid = ");
        batch.num(*oid).kw("::pg_catalog.oid)::pg_catalog.int4 = 1");
        if batch.as_bstr().len() >= STATEMENT {
            queries.push(Query::new("sequences' values", std::mem::take(&mut batch).into_bstring()));
        }
    }
    if !batch.is_empty() {
        queries.push(Query::new("sequences' values", batch.into_bstring()));
    }
    queries
}

fn sequence(row: Row<'_>, model: &Model) -> Result<Option<(DumpId, BString)>> {
    Ok(model.find_object(Catalog::CLASS, row.oid("oid")?).map(|object| (object.id, object.name.clone())))
}

fn read(row: Row<'_>, name: &BString) -> Result<Parameters> {
    let of_type = match row.text("type")?.as_bytes() {
        b"smallint" => SequenceType::SmallInt,
        b"integer" => SequenceType::Integer,
        b"bigint" => SequenceType::BigInt,
        other => {
            return Err(Error::new(ErrorKind::Incomplete, format!("dump the sequence \"{name}\""))
                .why(format!("it is of type {}, which is not known for sequences", other.as_bstr())));
        }
    };
    Ok(Parameters {
        of_type,
        start: row.i64("seqstart")?,
        increment: row.i64("seqincrement")?,
        min: row.i64("seqmin")?,
        max: row.i64("seqmax")?,
        cache: row.i64("seqcache")?,
        cycle: row.bool("seqcycle")?,
        value: value(row)?,
    })
}

fn value(row: Row<'_>) -> Result<Option<Value>> {
    let called = row.opt_bool("is_called")?;
    Ok(row.opt_i64("last_value")?.zip(called).map(|(last, is_called)| Value { last, is_called }))
}

impl Relation {
    fn parameters(&self, object: &Object) -> Result<&Parameters> {
        self.sequence.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Incomplete, format!("dump the sequence \"{}\"", object.name))
                .why("the catalog does not tell its parameters")
                .hint("it was dropped a moment ago: try again")
        })
    }

    /// Adds the entries of a sequence.
    pub(super) fn emit_sequence(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let parameters = self.parameters(object)?;
        let name = render.qualified(object);
        let owner = self.owned_by.and_then(|owned_by| {
            let (table, relation) = render.model.find_body::<Relation>(Catalog::CLASS, owned_by.table)?;
            Some((owned_by, table, relation))
        });
        let mut entry = NewEntry::of(object, render, "SEQUENCE", object.name.clone());
        entry.owner = Some(self.owner.clone());
        let sql = &mut entry.definition;
        match owner {
            Some((owned_by, table, relation)) if owned_by.identity => {
                sql.kw("ALTER TABLE ").sql(&render.qualified(table)).kw(" ALTER COLUMN ");
                sql.ident(relation.column_name(owned_by.column, table)?).kw(" ADD GENERATED ");
                match relation.column(owned_by.column).map(|column| column.identity) {
                    Some(b'a') => _ = sql.kw("ALWAYS"),
                    Some(b'd') => _ = sql.kw("BY DEFAULT"),
                    _ => {}
                }
                sql.kw(" AS IDENTITY (\n    SEQUENCE NAME ").sql(&name).kw("\n");
                if self.persistence != relation.persistence && render.options.dialect.unlogged_sequences() {
                    let unlogged = self.persistence == Persistence::Unlogged;
                    sql.kw(if unlogged { "    UNLOGGED\n" } else { "    LOGGED\n" });
                }
                parameters.append(sql);
                sql.kw("\n);\n");
                entry.goes_with_another = true;
            }
            _ => {
                let unlogged = if self.persistence == Persistence::Unlogged { "UNLOGGED " } else { "" };
                sql.kw("CREATE ").kw(unlogged).kw("SEQUENCE ").sql(&name).kw("\n");
                if parameters.of_type != SequenceType::BigInt {
                    sql.kw("    AS ").kw(parameters.of_type.words()).kw("\n");
                }
                parameters.append(sql);
                sql.kw(";\n");
                entry.drop.kw("DROP SEQUENCE ").sql(&name).kw(";\n");
            }
        }
        out.entry(entry);

        if let Some((owned_by, table, relation)) = owner
            && !owned_by.identity
            && table.wanted.has(Components::DEFINITION)
        {
            // By itself, since it is only allowed when both have the same owner, who is set after the first entry.
            let mut entry = NewEntry::about(object.id, "SEQUENCE OWNED BY", object.name.clone());
            entry.section = Section::PreData;
            entry.schema = render.model.schema_name(object).map(BString::from);
            entry.owner = Some(self.owner.clone());
            let column = relation.column_name(owned_by.column, table)?;
            entry.definition = render.sql();
            entry.definition.kw("ALTER SEQUENCE ").sql(&name).kw(" OWNED BY ").sql(&render.qualified(table));
            entry.definition.kw(".").ident(column).kw(";\n");
            out.entry(entry);
        }
        let quoted = Self::name(object, render);
        let schema = render.model.schema_name(object);
        let subject = Subject { words: "SEQUENCE", schema, name: &quoted, owner: self.owner.as_bstr() };
        out.comment_and_labels(render, object, &subject);
        Ok(())
    }
}

impl Parameters {
    fn append(&self, sql: &mut Sql) {
        let (min, max) = self.of_type.limits(self.increment >= 0);
        sql.kw("    START WITH ").num(self.start);
        sql.kw("\n    INCREMENT BY ").num(self.increment);
        match self.min == min {
            true => sql.kw("\n    NO MINVALUE"),
            false => sql.kw("\n    MINVALUE ").num(self.min),
        };
        match self.max == max {
            true => sql.kw("\n    NO MAXVALUE"),
            false => sql.kw("\n    MAXVALUE ").num(self.max),
        };
        sql.kw("\n    CACHE ").num(self.cache);
        if self.cycle {
            sql.kw("\n    CYCLE");
        }
    }
}

/// A sequence's value.
pub struct SequenceSet {
    /// The sequence.
    pub sequence: DumpId,
}

impl Body for SequenceSet {
    fn rank(&self) -> Rank {
        Rank::SequenceSet
    }

    fn side(&self) -> Side {
        Side::Data
    }

    fn emit(&self, _: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let Some((object, relation)) = render.model.get(self.sequence).and_then(|o| Some((o, o.body::<Relation>()?)))
        else {
            return Ok(());
        };
        let value = relation.parameters(object)?.value.ok_or_else(|| {
            Error::new(ErrorKind::Incomplete, format!("read the value of the sequence \"{}\"", object.name))
                .why("the server does not tell it")
                .hint("the role needs to be allowed to SELECT from the sequence: GRANT SELECT ON SEQUENCE … TO …")
        })?;
        let mut entry = NewEntry::about(object.id, "SEQUENCE SET", object.name.clone());
        entry.section = Section::Data;
        entry.schema = render.model.schema_name(object).map(BString::from);
        entry.owner = Some(relation.owner.clone());
        entry.depends = Depends::On(vec![object.id]);
        let mut sql = render.sql();
        sql.kw("SELECT pg_catalog.setval(").literal(render.qualified(object).as_bstr()).kw(", ").num(value.last);
        sql.kw(if value.is_called { ", true);\n" } else { ", false);\n" });
        entry.definition = sql;
        out.entry(entry);
        Ok(())
    }
}
