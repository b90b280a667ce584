//! What `DROP TYPE … CASCADE` would take along.

use bstr::ByteSlice;
use pgformat::Entry;

use crate::Result;
use crate::postgres::archive::kinds::{self, text};
use crate::wire::{Connection, Param};

/// How many objects are named.
const SHOWN: i32 = 5;

/// What depends on the type that `entry` makes, but for what is a part of it and for the functions that the type itself depends
/// on: those are its own, as those that read and write a base type are, or the one that makes a range canonical. What depends
/// on these functions counts as well.
pub fn dependents(target: &mut Connection, entry: &Entry) -> Result<Vec<String>> {
    let rows = target.query(
        "WITH RECURSIVE it AS ( \
             SELECT t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
             WHERE n.nspname = $1::pg_catalog.text AND t.typname = $2::pg_catalog.text \
         ), goes (class, oid) AS ( \
             SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, oid FROM it \
             UNION \
             SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_depend d, it \
             WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = it.oid AND d.refclassid = \
             'pg_catalog.pg_proc'::pg_catalog.regclass \
             UNION \
             SELECT d.classid, d.objid FROM pg_catalog.pg_depend d, goes \
             WHERE d.refclassid = goes.class AND d.refobjid = goes.oid AND d.deptype = 'i' \
         ) \
         SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS object \
         FROM pg_catalog.pg_depend d JOIN goes ON d.refclassid = goes.class AND d.refobjid = goes.oid \
         WHERE d.deptype IN ('n', 'a') AND (d.classid, d.objid) NOT IN (SELECT class, oid FROM goes) \
         ORDER BY 1 LIMIT $3::pg_catalog.int4",
        &[Param::text(text(&entry.schema)), Param::text(text(&entry.tag)), Param::int4(SHOWN)],
    )?;
    rows.iter().map(|row| Ok(row.text("object")?.to_str_lossy().into_owned())).collect()
}

/// The statement that drops the type of `entry` along with what depends on it, if `statement` drops one without.
pub fn with_cascade(entry: &Entry, statement: &[u8]) -> Option<Vec<u8>> {
    let is_type = ["TYPE", "DOMAIN"].iter().any(|desc| kinds::is(entry, desc));
    let statement = statement.trim_ascii_end().strip_suffix(b";").filter(|_| is_type)?;
    Some([statement, b" CASCADE;\n"].concat())
}
