//! What all kinds share: roles, comments, security labels, initial privileges.

use bstr::BString;

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::kind::known;
use crate::postgres::model::InitialPrivileges;
use crate::postgres::model::{Comment, Model, SecurityLabel};
use crate::wire::{Connection, Query, Row, Rows};

/// Reads the names of roles into the model.
pub(in crate::postgres) fn read_roles(connection: &mut Connection, model: &mut Model) -> Result<()> {
    let rows = connection.run(&Query::new("roles", "SELECT oid, rolname FROM pg_catalog.pg_roles"))?;
    for row in rows.iter() {
        model.roles.insert(row.oid("oid")?, row.string("rolname")?);
    }
    Ok(())
}

/// Reads all that kinds share into the model.
pub(super) fn read(connection: &mut Connection, model: &mut Model) -> Result<()> {
    read_roles(connection, model)?;
    let queries = [
        Query::new(
            "comments",
            "SELECT classoid AS catalog, objoid AS oid, objsubid AS sub_id, description AS text \
             FROM pg_catalog.pg_description ORDER BY 1, 2, 3",
        ),
        Query::new(
            "security labels",
            // Subscriptions are in a catalog of the cluster's, and so are their labels, if not their comments.
            "SELECT classoid AS catalog, objoid AS oid, objsubid AS sub_id, provider, label AS text \
             FROM pg_catalog.pg_seclabel \
             UNION ALL SELECT classoid, objoid, 0, provider, label \
             FROM pg_catalog.pg_shseclabel WHERE classoid = 'pg_catalog.pg_subscription'::pg_catalog.regclass ORDER \
               BY 1, 2, 3, 4",
        ),
        Query::new(
            "initial privileges",
            "SELECT classoid AS catalog, objoid AS oid, objsubid AS sub_id, privtype AS kind, \
                initprivs::pg_catalog.text[] AS items \
             FROM pg_catalog.pg_init_privs",
        ),
    ];
    let results = connection.pipeline(&queries)?;
    let mut results = results.iter();
    let mut next = || results.next().into_iter().flat_map(Rows::iter);

    for row in next() {
        let comment = Comment { sub_id: row.i32("sub_id")?, text: row.string("text")? };
        model.comments.entry(id(row)?).or_default().push(comment);
    }
    for row in next() {
        let label =
            SecurityLabel { sub_id: row.i32("sub_id")?, provider: row.string("provider")?, label: row.string("text")? };
        model.labels.entry(id(row)?).or_default().push(label);
    }
    for row in next() {
        let items: Vec<BString> = row.texts("items")?.into_iter().flatten().collect();
        let about = format_args!("OID {} of catalog {}", row.oid("oid")?, row.oid("catalog")?);
        known(row.char("kind")?, b"ie", "kind of initial privileges", about)?;
        let initial = InitialPrivileges { items };
        model.initial_privileges.insert((id(row)?, row.i32("sub_id")?), initial);
    }
    Ok(())
}

fn id(row: Row<'_>) -> Result<CatalogId> {
    Ok(CatalogId { catalog: Catalog(row.oid("catalog")?), oid: row.oid("oid")? })
}
