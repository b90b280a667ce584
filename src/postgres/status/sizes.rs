//! What the catalog says of tables: their sizes, about how many rows they have, and what is least to be read of them.

use bstr::BString;

use super::{RowCount, Session};
use crate::error::Result;
use crate::postgres::catalogs::FIRST_USER_OID;
use crate::wire::{Param, Query};

/// A table with its size.
#[derive(Debug)]
pub(super) struct SizedTable {
    pub(super) oid: u32,
    pub(super) schema: BString,
    pub(super) name: BString,
    pub(super) bytes: Option<u64>,
    pub(super) total_bytes: Option<u64>,
    /// The column that is the least to send, if there is one of the server's own types that is not computed.
    pub(super) column: Option<BString>,
    /// Whether a standby has no rows of it.
    pub(super) unlogged: bool,
    /// Rows and pages when they were counted last, the pages that there are now.
    counted: (f64, i32),
    pages: Option<i64>,
}

impl SizedTable {
    pub(super) fn key(&self) -> (BString, BString) {
        (self.schema.clone(), self.name.clone())
    }

    /// As many rows a page as there were when somebody counted, as the planner reckons. Nobody has counted where that says -1, or, on
    /// old servers, nothing at all.
    pub(super) fn estimate(&self) -> RowCount {
        let ((rows, counted), Some(pages)) = (self.counted, self.pages) else {
            return RowCount::Unknown("somebody has locked it".to_owned());
        };
        if pages == 0 {
            return RowCount::Exact(0);
        }
        if rows < 0.0 || counted <= 0 {
            return RowCount::Unknown("it was never analyzed".to_owned());
        }
        let estimated = rows / f64::from(counted) * pages as f64;
        RowCount::Estimated(estimated.round() as u64)
    }
}

/// The tables with these OIDs, without those that have no rows of their own. Of `locked` ones the size is not asked for.
pub(super) fn read(session: &mut Session, tables: &[u32], locked: &[u32]) -> Result<Vec<SizedTable>> {
    let sql = format!(
        "SELECT c.oid, n.nspname, c.relname, c.reltuples, c.relpages, c.relpersistence = 'u' AS unlogged, \
           CASE WHEN NOT c.oid = ANY ($2) THEN pg_catalog.pg_relation_size(c.oid) \
             / pg_catalog.current_setting('block_size')::pg_catalog.int8 END AS pages, \
           CASE WHEN NOT c.oid = ANY ($2) THEN pg_catalog.pg_table_size(c.oid) END AS bytes, \
           CASE WHEN NOT c.oid = ANY ($2) THEN pg_catalog.pg_total_relation_size(c.oid) END AS total_bytes, \
           (SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 \
             AND NOT a.attisdropped AND a.attgenerated = '' AND a.atttypid < {FIRST_USER_OID} \
             ORDER BY a.attlen <= 0, a.attlen, a.attnum LIMIT 1) AS narrowest \
         FROM pg_catalog.unnest($1) AS t (oid) JOIN pg_catalog.pg_class AS c ON c.oid = t.oid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
    );
    let query = Query::new("the sizes of tables", sql).param(Param::oids(tables)).param(Param::oids(locked));
    let rows = session.connection().run(&query)?;
    let bytes = |bytes: Option<i64>| bytes.and_then(|bytes| u64::try_from(bytes).ok());
    rows.iter()
        .map(|row| {
            Ok(SizedTable {
                oid: row.oid("oid")?,
                schema: row.string("nspname")?,
                name: row.string("relname")?,
                bytes: bytes(row.opt_i64("bytes")?),
                total_bytes: bytes(row.opt_i64("total_bytes")?),
                column: row.opt_string("narrowest")?,
                unlogged: row.bool("unlogged")?,
                counted: (row.f32("reltuples")?.into(), row.i32("relpages")?),
                pages: row.opt_i64("pages")?,
            })
        })
        .collect()
}

/// The number of large objects.
pub(super) fn large_objects(session: &mut Session) -> Result<u64> {
    let sql = "SELECT pg_catalog.count(*) AS number FROM pg_catalog.pg_largeobject_metadata";
    let rows = session.connection().run(&Query::new("large objects", sql))?;
    Ok(u64::try_from(rows.one()?.i64("number")?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_reckoned_by_pages() {
        let table = |counted, pages| SizedTable {
            oid: 1,
            schema: "s".into(),
            name: "t".into(),
            bytes: None,
            total_bytes: None,
            column: None,
            unlogged: false,
            counted,
            pages,
        };
        assert_eq!(table((100.0, 10), Some(20)).estimate(), RowCount::Estimated(200));
        assert_eq!(table((-1.0, 0), Some(0)).estimate(), RowCount::Exact(0));
        for unknown in [table((-1.0, 0), Some(3)), table((0.0, 0), Some(3)), table((100.0, 10), None)] {
            assert!(matches!(unknown.estimate(), RowCount::Unknown(_)), "{unknown:?}");
        }
    }
}
