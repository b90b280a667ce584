//! The question which objects that were made have other privileges than PostgreSQL gives to every new one.

use std::borrow::Cow;

use bstr::ByteSlice;
use pgformat::Entry;
use pgformat::kinds::EntryGroup;

use crate::Result;
use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::relkind::relkinds;
use crate::postgres::restore::plan::large_objects;
use crate::postgres::version::ServerVersion;
use crate::wire::{Param, Query};

/// The objects of these entries, with what belongs to them, whose privileges are not those of every new object.
pub fn query(
    entries: &[Entry],
    made: &mut Vec<EntryIndex>,
    unlisted: &[(EntryIndex, u32)],
    server: ServerVersion,
) -> Result<Query> {
    // A schema, a name in it, and the number of the entry.
    type Names<'a> = Vec<(&'a [u8], Cow<'a, [u8]>, Vec<u8>)>;
    let [mut relations, mut routines, mut types, mut schemas, mut extensions, mut objects]: [Names<'_>; 6] =
        Default::default();
    let object = |oid: u32, n: usize| (b"".as_slice(), oid.to_string().into_bytes().into(), n.to_string().into_bytes());
    for (n, &at) in made.iter().enumerate() {
        let entry = &entries[at];
        let list = match kinds::group(entry) {
            EntryGroup::Relation => &mut relations,
            EntryGroup::Routine => &mut routines,
            EntryGroup::Schema => &mut schemas,
            _ if kinds::is(entry, "EXTENSION") => &mut extensions,
            _ if kinds::is(entry, "BLOB") => &mut objects,
            _ if kinds::is(entry, "BLOB METADATA") => {
                objects.extend(large_objects::oids(entry)?.into_iter().map(|oid| object(oid, n)));
                continue;
            }
            _ => &mut types,
        };
        let name: Cow<'_, [u8]> = match text(&entry.tag).strip_suffix(b"(*)") {
            // Of an aggregate that takes anything, an archive says (*).
            Some(name) if kinds::group(entry) == EntryGroup::Routine => [name, b"()"].concat().into(),
            _ => text(&entry.tag).as_bytes().into(),
        };
        list.push((text(&entry.schema), name, n.to_string().into_bytes()));
    }
    for (entry, oid) in unlisted {
        objects.push(object(*oid, made.len()));
        made.push(*entry);
    }
    let multirange = if server.multiranges() { "rngmultitypid" } else { "rngtypid" };
    let sql = SETTLE.replace("rngmultitypid", multirange);
    let mut query = Query::new("the privileges of what was made", sql);
    for list in [relations, routines, types, schemas, extensions, objects] {
        let (schemas, names, numbers): (Vec<_>, Vec<_>, Vec<_>) = list.into_iter().collect();
        query = query.param(Param::texts(&schemas)).param(Param::texts(&names)).param(Param::texts(&numbers));
    }
    Ok(query)
}

/// Names come in arrays: a schema, a name in it, and the number of the entry, each as text.
const SETTLE: &str = concat!(
    "\
    WITH extension AS (SELECT e.oid, m.n FROM ROWS FROM (pg_catalog.unnest($13), pg_catalog.unnest($14), pg_catalog.unnest($15)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_extension e ON e.extname = m.name::pg_catalog.name), \
    member AS (SELECT d.classid, d.objid, e.n FROM extension e JOIN pg_catalog.pg_depend d ON d.refclassid = \
    'pg_catalog.pg_extension'::pg_catalog.regclass \
      AND d.refobjid = e.oid AND d.deptype = 'e' AND d.objsubid = 0), \
    relation AS (SELECT c.oid, m.n FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.schema::pg_catalog.name \
      JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = m.name::pg_catalog.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass), \
    type AS (SELECT t.oid, m.n FROM ROWS FROM (pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.schema::pg_catalog.name \
      JOIN pg_catalog.pg_type t ON t.typnamespace = s.oid AND t.typname = m.name::pg_catalog.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_type'::pg_catalog.regclass), \
    type_and_more AS (SELECT oid, n FROM type UNION SELECT r.rngmultitypid, t.n FROM type t \
      JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid), \
    routine AS (SELECT p.oid, m.n FROM ROWS FROM (pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.schema::pg_catalog.name \
      JOIN pg_catalog.pg_proc p ON p.pronamespace = s.oid \
      AND p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' = m.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_proc'::pg_catalog.regclass \
      UNION SELECT d.objid, t.n FROM type_and_more t JOIN pg_catalog.pg_depend d ON d.refclassid = \
      'pg_catalog.pg_type'::pg_catalog.regclass \
        AND d.refobjid = t.oid AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'i'), \
    schema AS (SELECT s.oid, m.n FROM ROWS FROM (pg_catalog.unnest($10), pg_catalog.unnest($11), pg_catalog.unnest($12)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.name::pg_catalog.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass), \
    object AS (SELECT l.oid, m.n FROM ROWS FROM (pg_catalog.unnest($16), pg_catalog.unnest($17), pg_catalog.unnest($18)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_largeobject_metadata l ON l.oid = m.name::pg_catalog.oid), \
    found AS (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid, o.n, ",
    relkinds!(grant words of "c.relkind"),
    " AS words, \
        pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name, c.relowner AS owner, \
        c.relacl AS acl, ",
    relkinds!(acl letter of "c.relkind"),
    " AS letter \
      FROM relation o JOIN pg_catalog.pg_class c ON c.oid = o.oid JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
      WHERE c.relkind IN ",
    relkinds!(relations),
    " \
      UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, o.n, 'TYPE', \
        pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(t.typname), t.typowner, t.typacl, 'T' \
      FROM type_and_more o JOIN pg_catalog.pg_type t ON t.oid = o.oid JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace \
      UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, o.n, CASE p.prokind WHEN 'p' THEN \
      'PROCEDURE' ELSE 'FUNCTION' END, \
        pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(p.proname) || '(' \
          || pg_catalog.oidvectortypes(p.proargtypes) || ')', p.proowner, p.proacl, 'f' \
      FROM routine o JOIN pg_catalog.pg_proc p ON p.oid = o.oid JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace \
      UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, s.oid, o.n, 'SCHEMA', \
      pg_catalog.quote_ident(s.nspname), s.nspowner, s.nspacl, 'n' \
      FROM schema o JOIN pg_catalog.pg_namespace s ON s.oid = o.oid \
      UNION ALL SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, l.oid, o.n, 'LARGE OBJECT', \
      l.oid::pg_catalog.text, l.lomowner, l.lomacl, 'L' \
      FROM object o JOIN pg_catalog.pg_largeobject_metadata l ON l.oid = o.oid) \
    SELECT f.n::pg_catalog.int4 AS n, f.words, f.name, pg_catalog.pg_get_userbyid(f.owner)::pg_catalog.text AS owner, \
      f.acl::pg_catalog.text[] AS items, \
      coalesce(i.initprivs, pg_catalog.acldefault(f.letter::pg_catalog.\"char\", f.owner))::pg_catalog.text[] AS expected \
    FROM found f LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = f.class::pg_catalog.oid AND i.objoid = f.oid \
      AND i.objsubid = 0 AND i.privtype = 'e' \
    WHERE f.acl IS NOT NULL ORDER BY 1, f.class, f.oid"
);
