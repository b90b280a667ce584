//! What is left out of a dump, as pg_dump leaves it out, and must therefore be named.

use super::names::describe;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId, FIRST_USER_OID};
use crate::progress::{Level, Message, Reporter};
use crate::wire::{Connection, Param, Query};

/// What a message about members of operator families is about.
const FAMILIES: &str = "operator families";
/// What a message about parts of extensions' tables is about.
const OF_EXTENSIONS: &str = "tables of extensions";

/// Names what is left out: these objects in system schemas, and what the catalog is searched for here. `relations` are
/// those that are dumped; `everything` says that all else is, too.
pub(super) fn tell(
    connection: &mut Connection,
    in_system_schemas: &[CatalogId],
    relations: &[u32],
    everything: bool,
    reporter: &dyn Reporter,
) -> Result<()> {
    let found = connection.pipeline(&[
        // One that carries a constraint is an error by now.
        Query::new(
            "indexes that are not valid",
            "SELECT 1259::pg_catalog.oid AS catalog, i.indexrelid AS oid FROM pg_catalog.unnest($1) AS wanted (oid) \
             JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid JOIN pg_catalog.pg_index AS i ON i.indrelid = r.oid \
             WHERE NOT (i.indisready AND (i.indisvalid OR r.relkind = 'p')) ORDER BY i.indexrelid",
        )
        .param(Param::oids(relations)),
        // The server notes which class or family a member belongs to, unless that came with the server; and what an
        // extension added needs something else of the extension's.
        Query::new(
            "members of the server's own operator families",
            "SELECT m.catalog, m.oid FROM (SELECT 2602::pg_catalog.oid, oid FROM pg_catalog.pg_amop \
                                           UNION ALL SELECT 2603::pg_catalog.oid, \
                                           oid FROM pg_catalog.pg_amproc) AS m (catalog, oid) \
             WHERE m.oid >= $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d \
               LEFT JOIN pg_catalog.pg_depend AS of_extension ON of_extension.classid = d.refclassid \
                 AND of_extension.objid = d.refobjid AND of_extension.deptype = 'e' \
               WHERE d.classid = m.catalog AND d.objid = m.oid \
                 AND (d.refclassid IN (2616, 2753) OR of_extension.objid IS NOT NULL)) ORDER BY 1, 2",
        )
        .param(Param::oid(FIRST_USER_OID)),
        // What hangs on a table is no member, whoever made it. Extensions make indexes, constraints and triggers for their
        // tables; these they hardly ever make.
        Query::new(
            "what hangs on the tables of extensions",
            "SELECT part.catalog, part.oid FROM ( \
               SELECT 3256::pg_catalog.oid, oid, polrelid FROM pg_catalog.pg_policy \
               UNION ALL SELECT 3381::pg_catalog.oid, oid, stxrelid FROM pg_catalog.pg_statistic_ext \
               UNION ALL SELECT 2618::pg_catalog.oid, oid, ev_class FROM pg_catalog.pg_rewrite WHERE ev_type <> '1' \
             ) AS part (catalog, oid, relation) \
             JOIN pg_catalog.pg_depend AS d ON d.classid = 1259 AND d.objid = part.relation AND d.deptype = 'e' \
             WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS own \
               WHERE own.classid = part.catalog AND own.objid = part.oid AND own.deptype = 'e') ORDER BY 1, 2",
        ),
    ])?;
    let mut lists = vec![(
        "objects in system schemas",
        "left out, because they are in a system schema, which every database has already",
        in_system_schemas.to_vec(),
    )];
    let reasons = [
        (
            "indexes that are not valid",
            "left out, because building them failed or has not ended, so that nothing uses them",
        ),
        (
            FAMILIES,
            "left out, because they were added to what every database has already; add them again after a restore",
        ),
        (
            OF_EXTENSIONS,
            "left out, because their tables come with an extension; if they do not, make them again after a restore",
        ),
    ];
    for ((subject, reason), rows) in reasons.into_iter().zip(found) {
        let ids: Result<Vec<CatalogId>> = rows
            .iter()
            .map(|row| Ok(CatalogId { catalog: Catalog(row.oid("catalog")?), oid: row.oid("oid")? }))
            .collect();
        lists.push((subject, reason, ids?));
    }
    for (subject, reason, ids) in lists {
        // With a selection, what the server brought is no part of it.
        if !ids.is_empty() && (everything || ![FAMILIES, OF_EXTENSIONS].contains(&subject)) {
            let text = format!("{reason}: {}", describe(connection, &ids)?);
            reporter.message(Message { level: Level::Warning, subject: subject.into(), text });
        }
    }
    Ok(())
}
