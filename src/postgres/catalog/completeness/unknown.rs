//! What a server has that lifeboat has never heard of: catalogs, and columns of catalogs, that a newer PostgreSQL or
//! somebody's own has added.

use bstr::{BStr, ByteSlice};

use super::columns;
use super::names;
use super::server_catalogs::{self, ServerCatalog, ServerColumn};
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId, FIRST_USER_OID};
use crate::postgres::dump::DumpOptions;
use crate::postgres::model::Model;
use crate::sql::Sql;
use crate::wire::{Connection, Param, Query};

/// How many objects a message names for each column that is not known.
const NAMED: usize = 3;
/// What is said of a column that the role may not read.
const UNREADABLE: &str = "which only others may read";

/// What was found in catalogs that lifeboat has never heard of.
#[derive(Default)]
pub(super) struct UnknownRows {
    /// Rows with OIDs.
    pub objects: Vec<CatalogId>,
    /// Rows without, in words: they say something about what users made.
    pub facts: Vec<String>,
}

/// Rows that users made in catalogs that lifeboat has never heard of, and mentions of such rows in other catalogs.
/// Members of extensions do not count: they come with the extension.
pub(super) fn rows(connection: &mut Connection, catalogs: &[ServerCatalog], model: &Model) -> Result<UnknownRows> {
    let mut found = UnknownRows::default();
    let mut queries = Vec::new();
    let mut asked = Vec::new();
    for catalog in catalogs.iter().filter(|catalog| columns::of(&catalog.name).is_none()) {
        let mut sql = Sql::new();
        sql.kw(if catalog.has_oids() { "SELECT x.oid" } else { "SELECT pg_catalog.count(*) AS rows" });
        catalog.append_of_users(&mut sql);
        let what = format!("the catalog \"{}\", which is not known", catalog.name);
        queries.push(Query::new(what, sql.into_bstring()));
        asked.push(catalog);
    }
    for (catalog, rows) in asked.into_iter().zip(connection.pipeline(&queries)?) {
        for row in rows.iter() {
            if catalog.has_oids() {
                found.objects.push(CatalogId { catalog: Catalog(catalog.oid), oid: row.oid("oid")? });
            } else if row.i64("rows")? > 0 {
                found.facts.push(format!("{} rows of the catalog {}", row.i64("rows")?, catalog.name));
            }
        }
    }
    found.objects.extend(mentions(connection)?);
    found.objects.sort_unstable();
    found.objects.dedup();
    found.objects.retain(|id| !model.accounts_for(*id));
    Ok(found)
}

/// What the catalogs that speak of all sorts of objects say of objects in catalogs that are not known.
fn mentions(connection: &mut Connection) -> Result<Vec<CatalogId>> {
    let known: Vec<u32> = Catalog::KNOWN.iter().map(|catalog| catalog.0).collect();
    let query = Query::new(
        "mentions of objects that are not known",
        "SELECT m.catalog, m.oid FROM ( \
           SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype <> 'p' \
           UNION SELECT refclassid, refobjid FROM pg_catalog.pg_depend WHERE deptype <> 'p' \
           UNION SELECT classid, objid FROM pg_catalog.pg_shdepend \
             WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
           UNION SELECT classoid, objoid FROM pg_catalog.pg_description \
           UNION SELECT classoid, objoid FROM pg_catalog.pg_seclabel \
           UNION SELECT classoid, objoid FROM pg_catalog.pg_init_privs) AS m (catalog, oid) \
         WHERE m.catalog <> ALL ($1) AND m.oid >= $2",
    );
    let rows = connection.run(&query.param(Param::oids(&known)).param(Param::oid(FIRST_USER_OID)))?;
    rows.iter().map(|row| Ok(CatalogId { catalog: Catalog(row.oid("catalog")?), oid: row.oid("oid")? })).collect()
}

/// Columns of known catalogs that lifeboat has never heard of, in words, with the objects that they say something of.
#[derive(Default)]
pub(super) struct UnknownColumns {
    /// Those that say something of what is dumped.
    pub of_what_is_dumped: Vec<String>,
    /// Those of which that is not known, because not everything was selected.
    of_something: Vec<String>,
}

impl UnknownColumns {
    pub(super) fn all(&self) -> Vec<String> {
        self.of_what_is_dumped.iter().chain(&self.of_something).cloned().collect()
    }
}

/// Columns of known catalogs that lifeboat has never heard of, where they say something about what users made: something
/// other than nothing, and other than what they say about what came with the server. A column that may not be read says
/// something wherever there is a row about what users made.
pub(super) fn columns(
    connection: &mut Connection,
    catalogs: &[ServerCatalog],
    model: &Model,
    options: &DumpOptions,
) -> Result<UnknownColumns> {
    let mut strange = Vec::new();
    for catalog in catalogs.iter().filter(|catalog| is_asked_for(catalog.name.as_bstr(), options)) {
        let Some(known) = columns::of(&catalog.name) else { continue };
        let known: Vec<&str> = known.collect();
        let of_catalog = catalog.columns.iter().filter(|column| !known.iter().any(|name| column.name == *name));
        strange.extend(of_catalog.map(|column| (catalog, column)));
    }
    let mut unknown = UnknownColumns::default();
    if strange.is_empty() {
        return Ok(unknown);
    }
    let with_strange: Vec<u32> = strange.iter().map(|(catalog, _)| catalog.oid).collect();
    let unreadable = server_catalogs::unreadable(connection, &with_strange)?;
    let is_readable =
        |catalog: &ServerCatalog, column: &ServerColumn| !unreadable.contains(&(catalog.oid, column.name.clone()));
    let mut queries = Vec::new();
    let mut asked = Vec::new();
    for (catalog, column) in strange {
        let mut oids = catalog.columns.iter().filter(|c| c.is_oid && !std::ptr::eq(*c, column));
        if !oids.all(|column| is_readable(catalog, column)) {
            unknown.of_what_is_dumped.push(format!("{} of {} ({UNREADABLE})", column.name, catalog.name));
            continue;
        }
        let mut sql = Sql::new();
        sql.kw("SELECT ").kw(if catalog.has_oids() { "x.oid" } else { "0::pg_catalog.oid AS oid" });
        catalog.append_of_users(&mut sql);
        if is_readable(catalog, column) {
            append_condition(&mut sql, catalog, column);
        }
        let what = format!("the column \"{}\" of \"{}\", which is not known", column.name, catalog.name);
        queries.push(Query::new(what, sql.into_bstring()));
        asked.push((catalog, column));
    }
    for ((catalog, column), rows) in asked.into_iter().zip(connection.pipeline(&queries)?) {
        let mut ids = Vec::new();
        let mut is_dumped = model.selected.is_everything();
        for row in rows.iter() {
            let id = CatalogId { catalog: Catalog(catalog.oid), oid: row.oid("oid")? };
            let dumped = model.find_object(id.catalog, id.oid).map(|object| !object.dumped().is_none());
            if !model.extension_members.contains_key(&id) && dumped != Some(false) {
                is_dumped |= dumped == Some(true);
                ids.push(id);
            }
        }
        if ids.is_empty() {
            continue;
        }
        let mut text = format!("{} of {}", column.name, catalog.name);
        if catalog.has_oids() {
            let mut of = Vec::new();
            for id in ids.iter().take(NAMED) {
                of.push(names::describe(connection, &[*id])?);
            }
            text += &format!(" (of {})", names::list(of, ids.len()));
        }
        if !is_readable(catalog, column) {
            text += &format!(" ({UNREADABLE})");
        }
        if is_dumped { &mut unknown.of_what_is_dumped } else { &mut unknown.of_something }.push(text);
    }
    Ok(unknown)
}

/// Whether what is in the catalog of that name is asked for at all, as far as there is an option for it.
fn is_asked_for(catalog: &BStr, options: &DumpOptions) -> bool {
    match catalog.as_bytes() {
        // The planner's knowledge, which is no object of anybody's.
        b"pg_statistic" | b"pg_statistic_ext_data" => options.statistics,
        b"pg_publication" | b"pg_publication_rel" | b"pg_publication_namespace" => options.publications,
        b"pg_subscription" | b"pg_subscription_rel" => options.subscriptions,
        b"pg_policy" => options.policies,
        b"pg_user_mapping" => options.user_mappings,
        b"pg_description" | b"pg_shdescription" => options.comments,
        b"pg_seclabel" | b"pg_shseclabel" => options.security_labels,
        b"pg_default_acl" | b"pg_init_privs" => options.privileges,
        b"pg_largeobject" | b"pg_largeobject_metadata" => options.with_large_objects(),
        _ => true,
    }
}

/// Appends the conditions that the column says something.
fn append_condition(sql: &mut Sql, catalog: &ServerCatalog, column: &ServerColumn) {
    let of = |sql: &mut Sql, alias: &'static str| {
        sql.kw(alias).kw(".").ident(column.name.as_bstr()).kw("::pg_catalog.text");
    };
    sql.kw(" AND ");
    of(sql, "x");
    sql.kw(" <> ALL ('{\"\",\"{}\",0,-,f,false}'::pg_catalog.text[])");
    if catalog.has_oids() && !catalog.shared {
        sql.kw(" AND NOT EXISTS (SELECT FROM ").qualified("pg_catalog".into(), catalog.name.as_bstr());
        sql.kw(" AS b WHERE b.oid < ").num(FIRST_USER_OID).kw(" AND ");
        of(sql, "b");
        sql.kw(" = ");
        of(sql, "x");
        sql.kw(")");
    }
}
