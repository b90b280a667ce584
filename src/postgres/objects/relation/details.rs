//! What the server tells about relations in words: views' queries, partition keys and bounds, foreign tables' servers.

use bstr::BString;

use super::Relation;
use crate::error::Result;
use crate::postgres::catalogs::Catalog;
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::Model;
use crate::postgres::objects::deparse::opt_deparsed;
use crate::postgres::relkind::relkinds;
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Rows};

/// What the server tells about a relation in words.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// A view's query, with its semicolon.
    pub query: Option<Deparsed>,
    /// How a table is partitioned: `RANGE (a)`.
    pub partition_key: Option<Deparsed>,
    /// Which rows a partition has: `FOR VALUES …`.
    pub partition_bound: Option<Deparsed>,
    /// The type that it is a table of.
    pub of_type: Option<Deparsed>,
    /// A foreign table's server.
    pub server: Option<BString>,
    /// A foreign table's options.
    pub foreign_options: Vec<Deparsed>,
}

const DETAILS: &str = concat!(
    "\
    SELECT c.oid, \
           CASE WHEN c.relkind IN ",
    relkinds!(queries),
    " THEN pg_catalog.pg_get_viewdef(c.oid) END AS query, \
           CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key, \
           CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS partition_bound, \
           CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS of_type, \
           s.srvname AS server, \
           CASE WHEN f.ftoptions IS NOT NULL THEN ARRAY( \
             SELECT pg_catalog.quote_ident(o.option_name) || ' ' || pg_catalog.quote_literal(o.option_value) \
             FROM pg_catalog.pg_options_to_table(f.ftoptions) AS o ORDER BY o.option_name) \
           END AS foreign_options \
    FROM pg_catalog.unnest($1) AS relation(oid) \
    JOIN pg_catalog.pg_class AS c ON c.oid = relation.oid \
    LEFT JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid = c.oid \
    LEFT JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver \
    WHERE c.relkind IN ",
    relkinds!(queries),
    " OR c.relkind IN ('p', 'f') OR c.relispartition OR c.reloftype <> 0"
);

/// Unsafe are the partitions whose rows are found by the hash of an enum's value, which is made from its OID: another
/// database gives it another.
const UNSAFE_PARTITIONS: &str = "\
    SELECT DISTINCT p.partrelid AS oid \
    FROM pg_catalog.pg_partitioned_table AS p \
    JOIN pg_catalog.pg_opclass AS c ON c.oid = ANY (p.partclass) \
    JOIN pg_catalog.pg_am AS m ON m.oid = c.opcmethod \
    WHERE c.opcname = 'enum_ops' AND c.opcnamespace = 11 AND m.amname = 'hash'";

pub(in super::super) struct AllDetails;

impl Kind for AllDetails {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        vec![
            Query::new("views, partitions and foreign tables", DETAILS).param(Param::oids(&scope.relations)),
            Query::new("partitions by hash", UNSAFE_PARTITIONS),
        ]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [details, unsafe_partitions] = rows else { return Ok(()) };
        for row in details.iter() {
            let deparsed = |column| opt_deparsed(row, column, "relname");
            let foreign_options = row.opt_texts("foreign_options")?.unwrap_or_default();
            let details = Details {
                query: deparsed("query")?,
                partition_key: deparsed("partition_key")?,
                partition_bound: deparsed("partition_bound")?,
                of_type: deparsed("of_type")?,
                server: row.opt_string("server")?,
                foreign_options: foreign_options.into_iter().flatten().map(Deparsed::by_server).collect(),
            };
            if let Some(relation) = relation_mut(model, row.oid("oid")?) {
                relation.details = details;
            }
        }
        for row in unsafe_partitions.iter() {
            if let Some(relation) = relation_mut(model, row.oid("oid")?) {
                relation.unsafe_partitions = true;
            }
        }
        Ok(())
    }
}

fn relation_mut(model: &mut Model, oid: u32) -> Option<&mut Relation> {
    let id = model.find(Catalog::CLASS, oid)?;
    model.body_mut(id)
}
