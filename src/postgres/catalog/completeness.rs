//! Complete or loud: everything that users made in the database is in the model, or is left out for a reason that can be
//! named. What is neither is an error that names it. That makes a server that is newer than lifeboat safe to back up: what
//! we do not know, we do not silently leave out.

use bstr::BString;

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, CatalogId, FIRST_USER_OID};
use crate::postgres::model::{Model, Parts};
use crate::postgres::objects::relation::Relation;
use crate::progress::{Level, Message, Reporter};
use crate::sql::Sql;
use crate::wire::{Connection, Param, Query, Rows};

/// How many of the missing objects an error names.
const NAMED: usize = 20;

/// A catalog that is walked.
struct Walk {
    catalog: Catalog,
    /// The column that says which schema a row is in.
    schema: Option<&'static str>,
    /// The column that says which relation a row is part of: only parts of relations that are dumped count.
    part_of: Option<&'static str>,
    /// What else keeps a row from counting.
    unless: Option<&'static str>,
}

const fn in_schema(catalog: Catalog, column: &'static str) -> Walk {
    Walk { catalog, schema: Some(column), part_of: None, unless: None }
}

const fn in_no_schema(catalog: Catalog) -> Walk {
    Walk { catalog, schema: None, part_of: None, unless: None }
}

const fn part(catalog: Catalog, column: &'static str) -> Walk {
    Walk { catalog, schema: None, part_of: Some(column), unless: None }
}

/// Catalogs of the cluster (roles, tablespaces, other databases) are no part of a database; rows of pg_enum, pg_amop and
/// pg_amproc are parts of a type or of an operator family; user mappings and subscriptions can be read by few, and their
/// kinds see to it that none is lost.
const WALKS: &[Walk] = &[
    in_no_schema(Catalog::ACCESS_METHOD),
    part(Catalog::ATTRIBUTE_DEFAULT, "adrelid"),
    in_no_schema(Catalog::CAST),
    Walk {
        // Indexes of temporary relations, of TOAST tables and of relations that are not dumped do not count, and
        // neither do those that are not valid, which nothing may use.
        unless: Some(
            "relpersistence = 't' OR relkind = 't' OR relkind = ANY ('{i,I}'::\"char\"[]) AND NOT EXISTS (\
             SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = x.oid AND i.indrelid = ANY ($1) \
             AND (i.indisvalid OR x.relkind = 'I'))",
        ),
        ..in_schema(Catalog::CLASS, "relnamespace")
    },
    in_schema(Catalog::COLLATION, "collnamespace"),
    Walk { unless: Some("conrelid = 0"), ..part(Catalog::CONSTRAINT, "conrelid") },
    Walk {
        // Those of an extension's domain come with it, without being members themselves.
        unless: Some(
            "contypid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_depend AS of_type \
             WHERE of_type.classid = 1247 AND of_type.objid = x.contypid AND of_type.deptype = 'e')",
        ),
        ..in_schema(Catalog::CONSTRAINT, "connamespace")
    },
    in_schema(Catalog::CONVERSION, "connamespace"),
    in_no_schema(Catalog::DEFAULT_ACL),
    in_no_schema(Catalog::EVENT_TRIGGER),
    in_no_schema(Catalog::EXTENSION),
    in_no_schema(Catalog::FOREIGN_DATA_WRAPPER),
    in_no_schema(Catalog::FOREIGN_SERVER),
    in_no_schema(Catalog::LANGUAGE),
    Walk {
        unless: Some("nspname LIKE 'pg\\_temp\\_%' OR nspname LIKE 'pg\\_toast\\_temp\\_%'"),
        ..in_no_schema(Catalog::NAMESPACE)
    },
    in_schema(Catalog::OPERATOR, "oprnamespace"),
    in_schema(Catalog::OPERATOR_CLASS, "opcnamespace"),
    in_schema(Catalog::OPERATOR_FAMILY, "opfnamespace"),
    part(Catalog::POLICY, "polrelid"),
    in_schema(Catalog::PROCEDURE, "pronamespace"),
    in_no_schema(Catalog::PUBLICATION),
    part(Catalog::PUBLICATION_REL, "prrelid"),
    in_no_schema(Catalog::PUBLICATION_NAMESPACE),
    part(Catalog::REWRITE, "ev_class"),
    part(Catalog::STATISTIC_EXT, "stxrelid"),
    in_no_schema(Catalog::TRANSFORM),
    Walk { unless: Some("tgisinternal"), ..part(Catalog::TRIGGER, "tgrelid") },
    in_schema(Catalog::TS_CONFIG, "cfgnamespace"),
    in_schema(Catalog::TS_DICT, "dictnamespace"),
    in_schema(Catalog::TS_PARSER, "prsnamespace"),
    in_schema(Catalog::TS_TEMPLATE, "tmplnamespace"),
    in_schema(Catalog::TYPE, "typnamespace"),
];

/// Checks that everything is accounted for.
///
/// # Errors
/// Something is not; the error names it.
pub(super) fn check(connection: &mut Connection, model: &Model, reporter: &dyn Reporter) -> Result<()> {
    let relations: Vec<u32> = model
        .of_kind::<Relation>()
        .filter(|(object, _)| object.dumped().has(Parts::DEFINITION))
        .filter_map(|(object, _)| Some(object.catalog_id?.oid))
        .collect();
    let existing = existing_catalogs(connection)?;
    let walks: Vec<&Walk> = WALKS.iter().filter(|walk| existing.contains(&walk.catalog)).collect();
    let queries: Vec<Query> = walks.iter().map(|walk| walk.query(&relations)).collect();
    let mut missing = Vec::new();
    let mut in_system_schemas = Vec::new();
    for (walk, rows) in walks.iter().zip(connection.pipeline(&queries)?) {
        for row in rows.iter() {
            let id = CatalogId { catalog: walk.catalog, oid: row.oid("oid")? };
            if model.accounts_for(id) {
                continue;
            }
            if row.bool("in_system_schema")? { &mut in_system_schemas } else { &mut missing }.push(id);
        }
    }
    missing.extend(in_unknown_catalogs(connection, &existing)?);
    if !in_system_schemas.is_empty() {
        let text = format!(
            "left out, because they are in a system schema, which every database has already: {}",
            describe(connection, &in_system_schemas)?
        );
        reporter.message(Message { level: Level::Warning, subject: "objects in system schemas".into(), text });
    }
    if missing.is_empty() {
        return tell_invalid_indexes(connection, &relations, reporter);
    }
    Err(Error::new(ErrorKind::Incomplete, "back up everything in this database")
        .why(format!("lifeboat does not know how to dump {}", describe(connection, &missing)?))
        .hint("nothing was written; use a newer lifeboat, or the server's own pg_dump"))
}

/// Names the indexes that are left out because their building failed or goes on. One that carries a constraint is an
/// error by then.
fn tell_invalid_indexes(connection: &mut Connection, relations: &[u32], reporter: &dyn Reporter) -> Result<()> {
    let query = Query::new(
        "indexes that are not valid",
        "SELECT i.indexrelid AS oid FROM pg_catalog.unnest($1) AS wanted (oid) \
         JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid JOIN pg_catalog.pg_index AS i ON i.indrelid = r.oid \
         WHERE NOT (i.indisready AND (i.indisvalid OR r.relkind = 'p')) ORDER BY i.indexrelid",
    );
    let rows = connection.run(&query.param(Param::oids(relations)))?;
    let ids: Vec<CatalogId> = rows
        .iter()
        .map(|row| Ok(CatalogId { catalog: Catalog::CLASS, oid: row.oid("oid")? }))
        .collect::<Result<_>>()?;
    if !ids.is_empty() {
        let text = format!(
            "left out, because building them failed or has not ended, so that nothing uses them: {}",
            describe(connection, &ids)?
        );
        reporter.message(Message { level: Level::Warning, subject: "indexes that are not valid".into(), text });
    }
    Ok(())
}

impl Walk {
    fn query(&self, relations: &[u32]) -> Query {
        let table = self.catalog.name().unwrap_or_default();
        let mut conditions = format!("x.oid >= {FIRST_USER_OID}");
        // What was made as a part of something else, or of a partitioned parent, is made again when that is.
        conditions += &format!(
            " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = {} AND d.objid = x.oid \
             AND d.objsubid = 0 AND d.deptype = ANY ('{{i,P,S}}'::\"char\"[]))",
            self.catalog.0
        );
        if let Some(column) = self.part_of {
            conditions += &format!(" AND x.{column} = ANY ($1)");
        }
        if let Some(unless) = self.unless {
            conditions += &format!(" AND NOT ({unless})");
        }
        let sql = match self.schema {
            None => format!("SELECT x.oid, false AS in_system_schema FROM pg_catalog.{table} AS x WHERE {conditions}"),
            Some(column) => format!(
                "SELECT x.oid, n.nspname = ANY ('{{pg_catalog,information_schema,pg_toast}}') AS in_system_schema \
                 FROM pg_catalog.{table} AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.{column} \
                 WHERE {conditions} AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'"
            ),
        };
        let uses_relations = sql.contains("$1");
        let query = Query::new(format!("all of {table}"), sql);
        if uses_relations { query.param(Param::oids(relations)) } else { query }
    }
}

/// The catalogs of this server whose rows have OIDs.
fn existing_catalogs(connection: &mut Connection) -> Result<Vec<Catalog>> {
    let query = Query::new(
        "the system catalogs",
        "SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 11 AND c.relkind = 'r' AND c.oid < $1 AND a.attname = 'oid' AND a.attnum > 0",
    );
    let rows = connection.run(&query.param(Param::oid(FIRST_USER_OID)))?;
    rows.iter().map(|row| Ok(Catalog(row.oid("oid")?))).collect()
}

/// Rows that users made in catalogs that lifeboat has never heard of.
fn in_unknown_catalogs(connection: &mut Connection, existing: &[Catalog]) -> Result<Vec<CatalogId>> {
    let unknown: Vec<u32> =
        existing.iter().filter(|catalog| !Catalog::KNOWN.contains(catalog)).map(|catalog| catalog.0).collect();
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let query = Query::new(
        "names of unknown catalogs",
        "SELECT oid, relname FROM pg_catalog.pg_class WHERE oid = ANY ($1) ORDER BY oid",
    );
    let names = connection.run(&query.param(Param::oids(&unknown)))?;
    let mut queries = Vec::new();
    let mut catalogs = Vec::new();
    for row in names.iter() {
        let mut sql = Sql::new();
        sql.kw("SELECT oid FROM ").qualified("pg_catalog".into(), row.text("relname")?);
        sql.kw(" WHERE oid >= ").num(FIRST_USER_OID);
        queries.push(Query::new("an unknown catalog", sql.into_bstring()));
        catalogs.push(Catalog(row.oid("oid")?));
    }
    let mut found = Vec::new();
    for (catalog, rows) in catalogs.into_iter().zip(connection.pipeline(&queries)?) {
        for row in rows.iter() {
            found.push(CatalogId { catalog, oid: row.oid("oid")? });
        }
    }
    Ok(found)
}

/// The objects in the server's words.
fn describe(connection: &mut Connection, ids: &[CatalogId]) -> Result<String> {
    let named = &ids[..ids.len().min(NAMED)];
    let (catalogs, oids): (Vec<u32>, Vec<u32>) = named.iter().map(|id| (id.catalog.0, id.oid)).unzip();
    let query = Query::new(
        "names of objects",
        "SELECT pg_catalog.pg_describe_object(o.catalog, o.oid, 0) AS name \
         FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS o (catalog, oid)",
    );
    let rows: Rows = connection.run(&query.param(Param::oids(&catalogs)).param(Param::oids(&oids)))?;
    let mut names = Vec::new();
    for (row, id) in rows.iter().zip(named) {
        let name = row.opt_string("name")?;
        names.push(
            name.unwrap_or_else(|| BString::from(format!("OID {} of catalog {}", id.oid, id.catalog.0))).to_string(),
        );
    }
    let more = ids.len() - named.len();
    let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
    Ok(names.join(", ") + &tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::objects::KINDS;

    /// Catalogs of the cluster, or parts of other catalogs' rows; and those that few may read, whose kinds look after
    /// themselves.
    const NOT_WALKED: &[Catalog] = &[
        Catalog::ACCESS_METHOD_OPERATOR,
        Catalog::ACCESS_METHOD_PROCEDURE,
        Catalog::AUTHID,
        Catalog::AUTH_MEMBERS,
        Catalog::DATABASE,
        Catalog::ENUM,
        Catalog::LARGE_OBJECT,
        Catalog::LARGE_OBJECT_METADATA,
        Catalog::PARAMETER_ACL,
        Catalog::SUBSCRIPTION,
        Catalog::TABLESPACE,
        Catalog::USER_MAPPING,
    ];

    #[test]
    fn every_known_catalog_is_walked_or_left_out_on_purpose() {
        for catalog in Catalog::KNOWN {
            let walked = WALKS.iter().any(|walk| walk.catalog == *catalog);
            assert!(walked != NOT_WALKED.contains(catalog), "{:?}", catalog.name());
        }
    }

    #[test]
    fn every_walked_catalog_belongs_to_a_kind() {
        for walk in WALKS {
            let claimed = KINDS.iter().any(|kind| kind.catalogs().contains(&walk.catalog));
            assert!(claimed, "no kind says that it reads {:?}", walk.catalog.name());
        }
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KINDS.len());
    }
}
