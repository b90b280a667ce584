//! Complete or loud: everything that users made in the database is in the model, or is left out for a reason that can be
//! named. What is neither is an error that names it. That makes a server that is newer than lifeboat safe to back up: what
//! we do not know, we do not silently leave out.

mod columns;
mod left_out;
mod names;
mod server_catalogs;
mod unknown;

pub(in crate::postgres) use columns::of as known_columns;

use super::of_users::Untouched;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, CatalogId, FIRST_USER_OID, check_each_catalog};
use crate::postgres::dump::DumpOptions;
use crate::postgres::model::{Components, Model};
use crate::postgres::relkind::relkinds;
use crate::postgres::version::{NEWEST_KNOWN, ServerVersion};
use crate::progress::{Message, Reporter};
use crate::wire::{Connection, Param, Query, Row};
use crate::words::Choice;
use server_catalogs::ServerCatalog;
use unknown::UnknownRows;

/// A catalog that is walked.
struct Walk {
    catalog: Catalog,
    /// The column that says which schema a row is in.
    schema: Option<&'static str>,
    /// The catalog and the column that say which object a row is part of: only parts of objects that are dumped count.
    part_of: Option<(Catalog, &'static str)>,
    /// What else keeps a row from counting; `$1` are the objects that rows may be part of, or relations.
    unless: Option<&'static str>,
}

const fn in_schema(catalog: Catalog, column: &'static str) -> Walk {
    Walk { catalog, schema: Some(column), part_of: None, unless: None }
}

const fn in_no_schema(catalog: Catalog) -> Walk {
    Walk { catalog, schema: None, part_of: None, unless: None }
}

const fn part(catalog: Catalog, whole: Catalog, column: &'static str) -> Walk {
    Walk { catalog, schema: None, part_of: Some((whole, column)), unless: None }
}

/// Catalogs of the cluster (roles, tablespaces, other databases) are no part of a database; rows of pg_enum, pg_amop and
/// pg_amproc are parts of a type or of an operator family; user mappings and subscriptions can be read by few, and their
/// kinds see to it that none is lost.
const WALKS: &[Walk] = &[
    in_no_schema(Catalog::ACCESS_METHOD),
    part(Catalog::ATTRIBUTE_DEFAULT, Catalog::CLASS, "adrelid"),
    in_no_schema(Catalog::CAST),
    Walk {
        // Indexes of temporary relations, of TOAST tables and of relations that are not dumped do not count, and
        // neither do those that are not valid, which nothing may use.
        unless: Some(concat!(
            "relpersistence = 't' OR relkind = 't' OR relkind IN ",
            relkinds!(indexes),
            " AND NOT EXISTS (\
             SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = x.oid AND i.indrelid = ANY ($1) \
             AND (i.indisvalid OR x.relkind = 'I'))"
        )),
        ..in_schema(Catalog::CLASS, "relnamespace")
    },
    in_schema(Catalog::COLLATION, "collnamespace"),
    Walk { unless: Some("conrelid = 0"), ..part(Catalog::CONSTRAINT, Catalog::CLASS, "conrelid") },
    Walk {
        // Those of an extension's domain come with it, without being members themselves.
        unless: Some(
            "contypid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_depend AS of_type \
             WHERE of_type.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND of_type.objid = x.contypid AND \
               of_type.deptype = 'e')",
        ),
        ..in_schema(Catalog::CONSTRAINT, "connamespace")
    },
    // Neither of a relation nor of a domain: of what we do not know yet.
    Walk { unless: Some("conrelid <> 0 OR contypid <> 0"), ..in_schema(Catalog::CONSTRAINT, "connamespace") },
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
    part(Catalog::POLICY, Catalog::CLASS, "polrelid"),
    in_schema(Catalog::PROCEDURE, "pronamespace"),
    in_no_schema(Catalog::PUBLICATION),
    part(Catalog::PUBLICATION_REL, Catalog::CLASS, "prrelid"),
    in_no_schema(Catalog::PUBLICATION_NAMESPACE),
    part(Catalog::REWRITE, Catalog::CLASS, "ev_class"),
    part(Catalog::STATISTIC_EXT, Catalog::CLASS, "stxrelid"),
    in_no_schema(Catalog::TRANSFORM),
    Walk { unless: Some("tgisinternal"), ..part(Catalog::TRIGGER, Catalog::CLASS, "tgrelid") },
    in_schema(Catalog::TS_CONFIG, "cfgnamespace"),
    in_schema(Catalog::TS_DICT, "dictnamespace"),
    in_schema(Catalog::TS_PARSER, "prsnamespace"),
    in_schema(Catalog::TS_TEMPLATE, "tmplnamespace"),
    in_schema(Catalog::TYPE, "typnamespace"),
];

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

const fn is_walked_or_left_out_on_purpose(catalog: Catalog, _: &str) -> bool {
    let mut at = 0;
    while at < WALKS.len() {
        if WALKS[at].catalog.0 == catalog.0 {
            return !catalog.is_in(NOT_WALKED);
        }
        at += 1;
    }
    catalog.is_in(NOT_WALKED)
}

check_each_catalog!(is_walked_or_left_out_on_purpose);
check_each_catalog!(columns::are_known);

/// Checks that everything is accounted for.
///
/// # Errors
/// Something is not; the error names it.
pub(super) fn check(
    connection: &mut Connection,
    model: &Model,
    untouched: &Untouched,
    options: &DumpOptions,
    reporter: &dyn Reporter,
) -> Result<()> {
    let catalogs = server_catalogs::read(connection)?;
    let is_there = |walk: &&Walk| catalogs.iter().any(|catalog| catalog.oid == walk.catalog.0);
    let walks: Vec<&Walk> = WALKS.iter().filter(|walk| !untouched.has(walk.catalog)).filter(is_there).collect();
    let queries: Vec<Query> = walks.iter().map(|walk| walk.query(model)).collect();
    let mut missing = Vec::new();
    let mut in_system_schemas = Vec::new();
    for (walk, rows) in walks.iter().zip(connection.pipeline(&queries)?) {
        for row in rows.iter() {
            let id = CatalogId { catalog: walk.catalog, oid: row.oid("oid")? };
            let in_system_schema = row.bool("in_system_schema")?;
            let is_accounted_for =
                if in_system_schema { is_member_or_dumped(id, model) } else { model.accounts_for(id) };
            if is_accounted_for || !walk.is_selected(row, model)? {
                continue;
            }
            if in_system_schema { &mut in_system_schemas } else { &mut missing }.push(id);
        }
    }
    let mut of_unknown = unknown::rows(connection, &catalogs, model)?;
    if !model.selected.is_everything() {
        tell_unknown_rows(std::mem::take(&mut of_unknown), &catalogs, reporter);
    }
    missing.extend(of_unknown.objects);
    if missing.is_empty() && of_unknown.facts.is_empty() {
        let unknown = unknown::columns(connection, &catalogs, model, options)?;
        if !unknown.of_what_is_dumped.is_empty() && !options.accept_unknown {
            return Err(not_understood(&unknown.of_what_is_dumped));
        }
        left_out::tell(
            connection,
            &in_system_schemas,
            &dumped(model, Catalog::CLASS),
            model.selected.is_everything(),
            reporter,
        )?;
        tell_news(ServerVersion::new(connection.server_version()), &unknown.all(), reporter);
        return Ok(());
    }
    let mut what = of_unknown.facts;
    if !missing.is_empty() {
        what.insert(0, names::describe_at_the_end(connection, &missing, &catalogs)?);
    }
    Err(Error::new(ErrorKind::Incomplete, "back up everything in this database")
        .why(format!("lifeboat does not know how to dump {}", what.join(", ")))
        .hint("nothing was written; use a newer lifeboat, or the server's own pg_dump"))
}

/// The OIDs of the objects of a catalog whose definitions are dumped.
fn dumped(model: &Model, catalog: Catalog) -> Vec<u32> {
    let objects = model.objects().filter(|object| object.dumped().has(Components::DEFINITION));
    objects.filter_map(|object| object.catalog_id).filter(|id| id.catalog == catalog).map(|id| id.oid).collect()
}

/// That columns say something of what is dumped, of which nothing can be in the archive.
fn not_understood(columns: &[String]) -> Error {
    Error::new(ErrorKind::Incomplete, "back up everything in this database")
        .why(format!("its catalog says more than this lifeboat understands: {}", columns.join(", ")))
        .hint(
            "nothing was written; use a newer lifeboat, or the server's own pg_dump; "
                + Choice::AcceptUnknown
                + " goes on without what that means",
        )
}

/// Of what is in a system schema, nothing is wanted, which says nothing if a user made it.
fn is_member_or_dumped(id: CatalogId, model: &Model) -> bool {
    model.extension_members.contains_key(&id)
        || model.find_object(id.catalog, id.oid).is_some_and(|object| !object.dumped().is_none())
}

/// Says what of the database is not known, where it need not be a part of what was selected.
fn tell_unknown_rows(rows: UnknownRows, catalogs: &[ServerCatalog], reporter: &dyn Reporter) {
    let mut what = rows.facts;
    if !rows.objects.is_empty() {
        what.insert(0, names::describe_plainly(&rows.objects, catalogs));
    }
    if !what.is_empty() {
        let text = format!("it is not known whether this belongs to what was selected: {}", what.join(", "));
        reporter.message(Message::warning("selection", text));
    }
}

/// Says what is new about the server.
fn tell_news(server: ServerVersion, unknown_columns: &[String], reporter: &dyn Reporter) {
    let say = |text| reporter.message(Message::warning("server", text));
    if server.is_newer_than_known() {
        say(format!(
            "it is PostgreSQL {server}, and {NEWEST_KNOWN} is the newest that this lifeboat knows; everything that was \
             made in this database is accounted for"
        ));
    }
    if !unknown_columns.is_empty() {
        say(format!(
            "its catalog says more than this lifeboat understands, and the backup may lack what that means: {}; \
             look at these objects after a restore",
            unknown_columns.join(", ")
        ));
    }
}

impl Walk {
    /// Whether a row would be dumped if its kind were known: with a selection, what is not selected may be anything.
    fn is_selected(&self, row: Row<'_>, model: &Model) -> Result<bool> {
        let everything = model.selected.is_everything();
        if self.schema.is_none() {
            return Ok(everything || self.part_of.is_some());
        }
        let Some(schema) = model.find_object(Catalog::NAMESPACE, row.oid("schema")?) else { return Ok(everything) };
        Ok(schema.contents_wanted.has(Components::DEFINITION) || everything && row.bool("in_system_schema")?)
    }

    fn query(&self, model: &Model) -> Query {
        let table = self.catalog.name().unwrap_or_default();
        let mut conditions = format!("x.oid >= {FIRST_USER_OID}");
        // What was made as a part of something else, or of a partitioned parent, is made again when that is.
        conditions += &format!(
            " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = {} AND d.objid = x.oid \
             AND d.objsubid = 0 AND d.deptype = ANY ('{{i,P,S}}'::pg_catalog.\"char\"[]))",
            self.catalog.0
        );
        if let Some((_, column)) = self.part_of {
            conditions += &format!(" AND x.{column} = ANY ($1)");
        }
        if let Some(unless) = self.unless {
            conditions += &format!(" AND NOT ({unless})");
        }
        let sql = match self.schema {
            None => format!(
                "SELECT x.oid, 0::pg_catalog.oid AS schema, false AS in_system_schema \
                 FROM pg_catalog.{table} AS x WHERE {conditions}"
            ),
            Some(column) => format!(
                "SELECT x.oid, coalesce(n.oid, 0)::pg_catalog.oid AS schema, \
                   coalesce(n.nspname = ANY ('{{pg_catalog,information_schema,pg_toast}}'), false) AS in_system_schema \
                 FROM pg_catalog.{table} AS x LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = x.{column} \
                 WHERE {conditions} AND coalesce(n.nspname NOT LIKE ALL ('{{pg\\_temp\\_%,pg\\_toast\\_temp\\_%}}'), true)"
            ),
        };
        let asks_for_wholes = sql.contains("$1");
        let whole = self.part_of.map_or(Catalog::CLASS, |(whole, _)| whole);
        let query = Query::new(format!("all of {table}"), sql);
        if asks_for_wholes { query.param(Param::oids(&dumped(model, whole))) } else { query }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::objects::KINDS;

    #[test]
    fn every_walked_catalog_belongs_to_a_kind() {
        for walk in WALKS {
            let claimed = KINDS.iter().any(|kind| kind.catalogs.contains(&walk.catalog));
            assert!(claimed, "no kind says that it reads {:?}", walk.catalog.name());
        }
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KINDS.len());
    }
}
