//! What the objects that are missing are called.

use bstr::{BString, ByteSlice};

use super::server_catalogs::ServerCatalog;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::wire::{Connection, Param, Query};

/// How many objects a message names.
const NAMED: usize = 20;

/// The objects in the server's words.
pub(super) fn describe(connection: &mut Connection, ids: &[CatalogId]) -> Result<String> {
    let named = first(ids);
    let (catalogs, oids): (Vec<u32>, Vec<u32>) = named.iter().map(|id| (id.catalog.0, id.oid)).unzip();
    let query = Query::new(
        "names of objects",
        "SELECT pg_catalog.pg_describe_object(o.catalog, o.oid, 0) AS name \
         FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS o (catalog, oid)",
    );
    let rows = connection.run(&query.param(Param::oids(&catalogs)).param(Param::oids(&oids)))?;
    let mut names = Vec::new();
    for (row, id) in rows.iter().zip(named) {
        names.push(match row.opt_string("name")? {
            Some(name) => name.to_string(),
            None => plainly(*id, &[]),
        });
    }
    Ok(list(names, ids.len()))
}

/// As [`describe`], without asking the server.
pub(super) fn describe_plainly(ids: &[CatalogId], catalogs: &[ServerCatalog]) -> String {
    list(first(ids).iter().map(|id| plainly(*id, catalogs)).collect(), ids.len())
}

/// As [`describe`], for what may be in catalogs that even the server does not know; this may leave the transaction
/// useless, and is for a backup that has failed anyhow.
pub(super) fn describe_at_the_end(
    connection: &mut Connection,
    ids: &[CatalogId],
    catalogs: &[ServerCatalog],
) -> Result<String> {
    let (known, unknown): (Vec<CatalogId>, Vec<CatalogId>) =
        ids.iter().partition(|id| Catalog::KNOWN.contains(&id.catalog));
    let mut parts = Vec::new();
    if !known.is_empty() {
        parts.push(describe(connection, &known)?);
    }
    if !unknown.is_empty() {
        // A server raises an error for a catalog whose rows it has no words for; then our own must do.
        let words = describe(connection, &unknown).unwrap_or_default();
        let plain = describe_plainly(&unknown, catalogs);
        parts.push(if words.is_empty() { plain } else { format!("{words} ({plain})") });
    }
    Ok(parts.join(", "))
}

fn first(ids: &[CatalogId]) -> &[CatalogId] {
    ids.get(..NAMED).unwrap_or(ids)
}

/// An object by its numbers.
fn plainly(id: CatalogId, catalogs: &[ServerCatalog]) -> String {
    let catalog = id.catalog.name().map(BString::from);
    let catalog = catalog.or_else(|| Some(catalogs.iter().find(|c| c.oid == id.catalog.0)?.name.clone()));
    match catalog {
        Some(name) => format!("OID {} of {}", id.oid, name.as_bstr()),
        None => format!("OID {} of catalog {}", id.oid, id.catalog.0),
    }
}

/// The names, which may be the first of more.
pub(super) fn list(names: Vec<String>, of: usize) -> String {
    let more = of.saturating_sub(names.len());
    let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
    names.join(", ") + &tail
}
