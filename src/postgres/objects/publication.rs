//! Publications, and the tables and schemas that are in them.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::kind::{Kind, Scope, results};
use crate::postgres::model::{Body, Components, DumpId, Model, NewObject, Object, Rank};
use crate::postgres::version::ServerVersion;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row, Rows};

pub(super) struct Publications;

/// A publication.
pub struct Publication {
    owner: BString,
    all_tables: bool,
    /// Of all tables, those that it leaves out: schema and name.
    except: Vec<(BString, BString)>,
    all_sequences: bool,
    /// insert, update, delete, truncate.
    actions: [bool; 4],
    via_root: bool,
    stored_generated_columns: bool,
}

/// A table's membership.
struct PublishedTable {
    publication: DumpId,
    table: DumpId,
    columns: Option<Vec<BString>>,
    filter: Option<Deparsed>,
}

/// A schema's membership.
struct PublishedSchema {
    publication: DumpId,
    schema: DumpId,
}

impl Kind for Publications {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::PUBLICATION)
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let columns = columns(scope.server);
        let publications = format!("SELECT oid, pubname, pubowner, {columns} FROM pg_catalog.pg_publication");
        if !scope.server.publication_schemas() {
            let tables = "SELECT oid, prpubid, prrelid, false AS is_exception, NULL::pg_catalog.text[] AS columns, \
            NULL::pg_catalog.text AS filter \
                          FROM pg_catalog.pg_publication_rel";
            let no_schemas = "SELECT 0::pg_catalog.oid AS oid, 0::pg_catalog.oid AS pnpubid, 0::pg_catalog.oid AS pnnspid WHERE false";
            return vec![
                Query::new("publications", publications),
                Query::new("tables in publications", tables),
                Query::new("schemas in publications", no_schemas),
            ];
        }
        let is_exception = if scope.server.publication_exceptions() { "r.prexcept" } else { "false" };
        let tables = format!(
            "SELECT r.oid, r.prpubid, r.prrelid, {is_exception} AS is_exception, pg_catalog.pg_get_expr(r.prqual, r.prrelid) AS filter, \
                      CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(SELECT a.attname::pg_catalog.text \
                      FROM pg_catalog.unnest(r.prattrs::pg_catalog.int2[]) WITH ORDINALITY AS c (number, nr) \
                      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.prrelid AND a.attnum = c.number \
                      ORDER BY c.nr) END AS columns FROM pg_catalog.pg_publication_rel AS r"
        );
        let schemas = "SELECT oid, pnpubid, pnnspid FROM pg_catalog.pg_publication_namespace";
        vec![
            Query::new("publications", publications),
            Query::new("tables in publications", tables),
            Query::new("schemas in publications", schemas),
        ]
    }

    fn collect(&self, rows: &[Rows], scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [publications, tables, schemas] = results(rows, "read publications")?;
        for row in publications.iter() {
            let name = row.string("pubname")?;
            let owner = model.role(row.oid("pubowner")?, name.as_bstr())?.into();
            let body = Publication::from_row(row, owner)?;
            model.add(NewObject::of(Catalog::PUBLICATION, row.oid("oid")?, name, body));
        }
        for row in tables.iter() {
            let catalog_id = CatalogId { catalog: Catalog::PUBLICATION_REL, oid: row.oid("oid")? };
            // What is left out is a part of the publication's definition.
            if row.bool("is_exception")? {
                model.account(catalog_id);
                continue;
            }
            let publication = model.find(Catalog::PUBLICATION, row.oid("prpubid")?);
            let table = model.find_object(Catalog::CLASS, row.oid("prrelid")?);
            let (Some(publication), Some(table)) = (publication, table) else { continue };
            if !table.wanted.has(Components::DEFINITION) && !scope.options.dialect.memberships_without_tables() {
                model.account(catalog_id);
                continue;
            }
            let (name, schema) = (table.name.clone(), table.schema);
            let body = PublishedTable {
                publication,
                table: table.id,
                columns: row.opt_texts("columns")?.map(|names| names.into_iter().flatten().collect()),
                filter: row.opt_string("filter")?.map(Deparsed::by_server),
            };
            model.add(NewObject::of(catalog_id.catalog, catalog_id.oid, name, body).schema(schema));
        }
        for row in schemas.iter() {
            let publication = model.find(Catalog::PUBLICATION, row.oid("pnpubid")?);
            let schema = model.find_object(Catalog::NAMESPACE, row.oid("pnnspid")?);
            let (Some(publication), Some(schema)) = (publication, schema) else { continue };
            let (name, body) = (schema.name.clone(), PublishedSchema { publication, schema: schema.id });
            model.add(NewObject::of(Catalog::PUBLICATION_NAMESPACE, row.oid("oid")?, name, body));
        }
        Ok(())
    }
}

/// The columns that a publication's definition is made of, on a server of this version.
pub(in crate::postgres) fn columns(server: ServerVersion) -> String {
    let generated =
        if server.publication_generated_columns() { "pubgencols" } else { "'n'::pg_catalog.\"char\" AS pubgencols" };
    let sequences = if server.publication_exceptions() { "puballsequences" } else { "false AS puballsequences" };
    let except = |column: &str, name: &str| match server.publication_exceptions() {
        true => format!(
            "ARRAY(SELECT {column}::pg_catalog.text FROM pg_catalog.pg_publication_rel AS e \
             JOIN pg_catalog.pg_class AS c ON c.oid = e.prrelid \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE e.prpubid = pg_publication.oid AND e.prexcept ORDER BY e.oid) AS {name}"
        ),
        false => format!("'{{}}'::pg_catalog.text[] AS {name}"),
    };
    let (schemas, tables) = (except("n.nspname", "except_schemas"), except("c.relname", "except_tables"));
    format!(
        "puballtables, {sequences}, {schemas}, {tables}, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot, \
         {generated}"
    )
}

impl Publication {
    /// What a row with `pubname` and [`columns`] says.
    pub(in crate::postgres) fn from_row(row: Row<'_>, owner: BString) -> Result<Self> {
        let stored_generated_columns = match row.char("pubgencols")? {
            b'n' => false,
            b's' => true,
            other => {
                let name = row.text("pubname")?;
                return Err(Error::new(ErrorKind::Incomplete, format!("dump the publication \"{name}\""))
                    .why(format!("its way '{}' with generated columns is not known", other.escape_ascii())));
            }
        };
        let names = |column| Ok::<Vec<BString>, Error>(row.texts(column)?.into_iter().flatten().collect());
        Ok(Self {
            owner,
            all_tables: row.bool("puballtables")?,
            except: names("except_schemas")?.into_iter().zip(names("except_tables")?).collect(),
            all_sequences: row.bool("puballsequences")?,
            actions: [row.bool("pubinsert")?, row.bool("pubupdate")?, row.bool("pubdelete")?, row.bool("pubtruncate")?],
            via_root: row.bool("pubviaroot")?,
            stored_generated_columns,
        })
    }

    /// Appends the statement that makes it; what is in it, unless that is all tables or sequences, takes others.
    pub(in crate::postgres) fn definition(&self, name: &Sql, sql: &mut Sql) {
        sql.kw("CREATE PUBLICATION ").sql(name);
        if self.all_tables {
            sql.kw(" FOR ALL TABLES");
            for (i, (schema, table)) in self.except.iter().enumerate() {
                sql.kw(if i > 0 { ", " } else { " EXCEPT (" }).kw("TABLE ONLY ");
                sql.qualified(schema.as_bstr(), table.as_bstr());
            }
            sql.kw(if self.except.is_empty() { "" } else { ")" });
        }
        if self.all_sequences {
            sql.kw(if self.all_tables { ", ALL SEQUENCES" } else { " FOR ALL SEQUENCES" });
        }
        sql.kw(" WITH (publish = '");
        let words = ["insert", "update", "delete", "truncate"];
        let published = self.actions.into_iter().zip(words).filter_map(|(yes, word)| yes.then_some(word));
        for (i, word) in published.enumerate() {
            sql.kw(if i > 0 { ", " } else { "" }).kw(word);
        }
        sql.kw("'");
        if self.via_root {
            sql.kw(", publish_via_partition_root = true");
        }
        if self.stored_generated_columns {
            sql.kw(", publish_generated_columns = stored");
        }
        sql.kw(");\n");
    }
}

impl Body for Publication {
    fn rank(&self) -> Rank {
        Rank::Publication
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        let mut sql = render.sql();
        self.definition(&name, &mut sql);
        out.define(render, object, "PUBLICATION", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}

/// The order of two memberships of the same table or schema: that of their publications.
fn by_publication(model: &Model, a: DumpId, b: DumpId) -> Ordering {
    let name = |id| model.get(id).map(|publication| &publication.name);
    name(a).cmp(&name(b))
}

/// The entry of a membership, up to `ALTER PUBLICATION name`. It goes when what is in the publication goes, and so has no
/// statement to drop it.
fn membership(object: &Object, render: &Render<'_>, publication: DumpId, desc: &'static str) -> Option<NewEntry> {
    let publication = render.model.get(publication)?;
    let mut tag = publication.name.clone();
    tag.push(b' ');
    tag.extend_from_slice(&object.name);
    let mut entry = NewEntry::of(object, render, desc, tag);
    entry.owner = Some(publication.body::<Publication>()?.owner.clone());
    entry.definition.kw("ALTER PUBLICATION ").ident(publication.name.as_bstr());
    Some(entry)
}

impl Body for PublishedTable {
    fn rank(&self) -> Rank {
        Rank::PublicationTable
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        let other = other.downcast::<Self>().map(|other| other.publication);
        other.map_or(Ordering::Equal, |other| by_publication(model, self.publication, other))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let table = render.model.get(self.table);
        let entry = membership(object, render, self.publication, "PUBLICATION TABLE");
        if let (Some(table), Some(mut entry)) = (table, entry) {
            let sql = &mut entry.definition;
            sql.kw(" ADD TABLE ONLY ").sql(&render.qualified(table));
            if let Some(columns) = &self.columns {
                sql.kw(" (").idents(columns.iter().map(|name| name.as_bstr())).kw(")");
            }
            sql.opt_deparsed(" WHERE (", &self.filter, ")").kw(";\n");
            out.entry(entry);
        }
        Ok(())
    }
}

impl Body for PublishedSchema {
    fn rank(&self) -> Rank {
        Rank::PublicationSchema
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        let other = other.downcast::<Self>().map(|other| other.publication);
        other.map_or(Ordering::Equal, |other| by_publication(model, self.publication, other))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let schema = render.model.get(self.schema);
        let entry = membership(object, render, self.publication, "PUBLICATION TABLES IN SCHEMA");
        if let (Some(schema), Some(mut entry)) = (schema, entry) {
            entry.schema = Some(schema.name.clone());
            entry.definition.kw(" ADD TABLES IN SCHEMA ").ident(schema.name.as_bstr()).kw(";\n");
            out.entry(entry);
        }
        Ok(())
    }
}
