//! What `DROP TYPE … CASCADE` would take along.

use bstr::ByteSlice;
use pgformat::Entry;

use super::kinds::text;
use crate::Result;
use crate::wire::{Connection, Param};

/// How many objects are named.
const SHOWN: i32 = 5;

/// What depends on the base type that `entry` makes, but for the functions that the type itself depends on: those are
/// its own. What depends on these functions counts as well.
pub(super) fn dependents(target: &mut Connection, entry: &Entry) -> Result<Vec<String>> {
    let rows = target.query(
        "WITH it AS ( \
             SELECT t.oid, t.typarray FROM pg_catalog.pg_type t \
             JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
             WHERE n.nspname = $1::text AND t.typname = $2::text \
         ), own AS ( \
             SELECT d.refobjid AS oid FROM pg_catalog.pg_depend d, it \
             WHERE d.classid = 1247 AND d.objid = it.oid AND d.refclassid = 1255 \
         ) \
         SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS object \
         FROM pg_catalog.pg_depend d, it \
         WHERE d.deptype IN ('n', 'a') \
           AND (d.refclassid = 1247 AND d.refobjid IN (it.oid, it.typarray) \
                OR d.refclassid = 1255 AND d.refobjid IN (SELECT oid FROM own)) \
           AND NOT (d.classid = 1255 AND d.objid IN (SELECT oid FROM own)) \
           AND NOT (d.classid = 1247 AND d.objid IN (it.oid, it.typarray)) \
         ORDER BY 1 LIMIT $3::int4",
        &[Param::text(text(&entry.schema)), Param::text(text(&entry.tag)), Param::int4(SHOWN)],
    )?;
    rows.iter().map(|row| Ok(row.text("object")?.to_str_lossy().into_owned())).collect()
}
