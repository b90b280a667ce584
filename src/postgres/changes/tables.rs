//! What counts of tables that were locked after the snapshot, and not before it: where another program's snapshot is dumped.

use super::watch::{COLUMNS, Watch, Watches, in_schema};

/// What is watched of the tables `$1`. A table that was emptied or written anew in another form since has another file, in which
/// the snapshot finds no rows; that it may also have been written anew as it was, and keep them, is not seen from outside.
pub const TABLES: Watches = Watches {
    rows: &[
        Watch {
            matters: "x.relname, x.relnamespace, x.relkind, x.relnatts, x.relfilenode, x.relpersistence, \
                      x.relrowsecurity, x.relforcerowsecurity",
            of: "x.oid = ANY ($1)",
            even_if_undone: "false",
            ..in_schema!("table", "pg_catalog.pg_class", "rel")
        },
        Watch {
            what: "column",
            matters: "x.attname, x.atttypid, x.atttypmod, x.attisdropped, x.attgenerated",
            of: "c.oid = ANY ($1) AND x.attnum > 0",
            even_if_undone: "false",
            ..COLUMNS
        },
    ],
    roles: None,
    now: &[],
};
