//! What is left out of a dump, as pg_dump leaves it out, and must therefore be named.

use super::names::describe;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId, FIRST_USER_OID};
use crate::postgres::relkind::relkinds;
use crate::progress::{Message, Reporter};
use crate::wire::{Connection, Param, Query};

/// What a message about members of operator families is about.
const FAMILIES: &str = "operator families";
/// What a message about parts of extensions' tables is about.
const OF_EXTENSIONS: &str = "tables of extensions";

/// What users hung on the tables and views of extensions. What hangs on a relation is no member of its extension, whoever
/// made it, and extensions make such things for their own tables. Of rules, policies and extended statistics it can be found out:
///
/// A row that is written while an extension's script runs is of the transaction that wrote the rows by which the extension has its
/// members, or of the one that wrote the extension's own row, the last time it was made or updated. What a user changes later is
/// of a later transaction, and so is a change of what the script made, which is as lost as what is new. In that same
/// transaction, what the script makes comes after the table, and what a user adds comes after all members: after the last member
/// it is a user's if there is something else of the user's before. A part of a script that is a transaction below the script's own
/// (`BEGIN … EXCEPTION` in a DO) is known by its place: of the members, those that have greater OIDs come after it by the number of
/// their command as well, and the others before.
///
/// That fails after pg_upgrade, which makes each of them by itself: then all are named.
const OF_USERS_ON_EXTENSIONS: &str = concat!(
    "\
    WITH member (extension, catalog, oid, xid, command) AS ( \
      SELECT refobjid, classid, objid, xmin, cmin::pg_catalog.text::pg_catalog.int8 FROM pg_catalog.pg_depend \
      WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND deptype = 'e' \
      UNION ALL SELECT oid, 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid, oid, xmin, \
      cmin::pg_catalog.text::pg_catalog.int8 \
      FROM pg_catalog.pg_extension), \
    part (catalog, oid, relation, xid, command) AS ( \
      SELECT p.catalog, p.oid, p.relation, p.xid, p.command::pg_catalog.text::pg_catalog.int8 FROM ( \
        SELECT tableoid, oid, polrelid, xmin, cmin FROM pg_catalog.pg_policy \
        UNION ALL SELECT tableoid, oid, stxrelid, xmin, cmin FROM pg_catalog.pg_statistic_ext \
        UNION ALL SELECT tableoid, oid, ev_class, xmin, cmin FROM pg_catalog.pg_rewrite WHERE ev_type <> '1' \
      ) AS p (catalog, oid, relation, xid, command)) \
    SELECT p.catalog, p.oid FROM part AS p \
    JOIN member AS t ON t.catalog = 'pg_catalog.pg_class'::pg_catalog.regclass AND t.oid = p.relation \
    CROSS JOIN LATERAL ( \
      SELECT pg_catalog.max(m.command) AS last FROM member AS m \
      WHERE m.extension = t.extension AND m.xid = p.xid AND (t.xid <> p.xid OR t.command < p.command)) AS script \
    WHERE NOT EXISTS (SELECT FROM member AS own WHERE own.catalog = p.catalog AND own.oid = p.oid) \
      AND NOT (script.last IS NOT NULL AND (p.command <= script.last OR NOT EXISTS ( \
        SELECT FROM (SELECT tableoid, oid, xmin, cmin FROM pg_catalog.pg_class WHERE relkind IN ",
    relkinds!(relations),
    " \
                     UNION ALL SELECT tableoid, oid, xmin, cmin FROM \
                     pg_catalog.pg_proc) AS u (catalog, oid, xid, command) \
        WHERE u.xid = p.xid AND u.command::pg_catalog.text::pg_catalog.int8 BETWEEN script.last AND p.command \
          AND NOT EXISTS (SELECT FROM member AS m WHERE m.catalog = u.catalog AND m.oid = u.oid)))) \
      AND NOT (EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.oid AND a.xmin = t.xid) \
        AND EXISTS (SELECT FROM member AS m WHERE m.extension = t.extension AND m.xid = t.xid AND m.oid > p.oid) \
        AND NOT EXISTS (SELECT FROM member AS m WHERE m.extension = t.extension AND m.xid = t.xid \
          AND CASE WHEN m.oid > p.oid THEN m.command < p.command ELSE m.command > p.command END)) \
    ORDER BY 1, 2"
);

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
            "SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS catalog, i.indexrelid AS oid FROM \
             pg_catalog.unnest($1) AS wanted (oid) \
             JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid JOIN pg_catalog.pg_index AS i ON i.indrelid = r.oid \
             WHERE NOT (i.indisready AND (i.indisvalid OR r.relkind = 'p')) ORDER BY i.indexrelid",
        )
        .param(Param::oids(relations)),
        // The server notes which class or family a member belongs to, unless that came with the server; and what an
        // extension added needs something else of the extension's.
        Query::new(
            "members of the server's own operator families",
            "SELECT m.catalog, m.oid FROM (SELECT tableoid, oid FROM pg_catalog.pg_amop \
                                           UNION ALL SELECT 'pg_catalog.pg_amproc'::pg_catalog.regclass::pg_catalog.oid, \
                                           oid FROM pg_catalog.pg_amproc) AS m (catalog, oid) \
             WHERE m.oid >= $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d \
               LEFT JOIN pg_catalog.pg_depend AS of_extension ON of_extension.classid = d.refclassid \
                 AND of_extension.objid = d.refobjid AND of_extension.deptype = 'e' \
               WHERE d.classid = m.catalog AND d.objid = m.oid \
                 AND (d.refclassid IN ('pg_catalog.pg_opclass'::pg_catalog.regclass, \
                   'pg_catalog.pg_opfamily'::pg_catalog.regclass) OR of_extension.objid IS NOT NULL)) ORDER BY 1, 2",
        )
        .param(Param::oid(FIRST_USER_OID)),
        Query::new("what hangs on the tables of extensions", OF_USERS_ON_EXTENSIONS),
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
            reporter.message(Message::warning(subject, text));
        }
    }
    Ok(())
}
