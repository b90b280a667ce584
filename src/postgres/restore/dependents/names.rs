//! The names that a target's objects have in an archive: one query for all of them.

use bstr::{BStr, BString, ByteSlice};

use crate::Result;
use crate::postgres::relkind::relkinds;
use crate::postgres::version::ServerVersion;
use crate::wire::{Query, Rows};

/// An object's catalog and its OID.
pub type Address = (u32, u32);

/// An object of the target's, named as an entry of an archive would name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub address: Address,
    /// The kind of its entry. One word stands for kinds that only differ in how they are restored, see [`kind`](crate::postgres::restore::dependents::archived::kind).
    pub kind: BString,
    /// Its schema, or that of the table it is on; empty if it has none.
    pub schema: BString,
    /// The tag of its entry; empty if it is known by its drop statement alone.
    pub tag: BString,
    /// The statement that drops it, without what differs between versions of pg_dump; empty where the tag says as much.
    pub dropped: BString,
    /// What it is a part of: a table, a type, an operator family. A partition is one of its parent, and an owned sequence of its
    /// owner.
    pub part_of: Option<Address>,
    /// What the definition of that says of it, if it has no entry of its own.
    pub words: Option<BString>,
    pub is_member: bool,
    /// Whether it is the default of a column that a child has from its parent, or a partition.
    pub is_of_inherited: bool,
}

impl Named {
    /// Whether it holds rows, or others' rows are reached through it.
    pub fn is_table(&self) -> bool {
        ["TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW"].iter().any(|kind| self.kind == *kind)
    }

    /// Whether it is a table that a publication of all tables leaves out.
    pub fn is_exception(&self) -> bool {
        self.kind == "EXCEPTION OF PUBLICATION"
    }

    /// Its name for a statement, quoted, if it is a table with rows of its own or in partitions.
    pub fn for_lock(&self) -> Option<&[u8]> {
        self.dropped.strip_prefix(b"DROP TABLE ")
    }

    /// What it is called where something is said about it.
    pub fn shown(&self) -> BString {
        let tag: &BStr = if self.tag.is_empty() { self.dropped.as_bstr() } else { self.tag.as_bstr() };
        match self.schema.is_empty() {
            true => format!("{} {tag}", self.kind).into(),
            false => format!("{} {}.{tag}", self.kind, self.schema).into(),
        }
    }
}

/// The query for every object that could be in an archive.
pub fn query(server: ServerVersion, is_superuser: bool) -> Query {
    let mut sql = String::from(OBJECTS);
    if server.publication_schemas() {
        sql.push_str(SCHEMAS_OF_PUBLICATIONS);
    }
    sql.push_str(match server.publication_exceptions() {
        true => TABLES_OF_PUBLICATIONS_AND_EXCEPTIONS,
        false => TABLES_OF_PUBLICATIONS,
    });
    // Before 14 nobody else may know a subscription's OID.
    if is_superuser || server.subscription_binary() {
        sql.push_str(TABLES_OF_SUBSCRIPTIONS);
    }
    sql.push_str(
        ") AS object WHERE NOT (object.class = 'pg_catalog.pg_proc'::pg_catalog.regclass AND EXISTS (SELECT FROM \
          pg_catalog.pg_depend d \
         WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = object.oid AND d.deptype = 'i'))",
    );
    Query::new("the names of what is in the target", sql)
}

/// The objects in the rows of [`query`].
pub fn read(rows: &Rows) -> Result<Vec<Named>> {
    rows.iter()
        .map(|row| {
            let text = |name: &str| row.opt_string(name).map(Option::unwrap_or_default);
            let part_of = (row.oid("part_of_class")?, row.oid("part_of")?);
            crate::Result::Ok(Named {
                address: (row.oid("class")?, row.oid("oid")?),
                kind: text("kind")?,
                schema: text("schema")?,
                tag: text("tag")?,
                dropped: text("dropped")?,
                part_of: Some(part_of).filter(|of| of.1 != 0),
                words: row.opt_string("words")?,
                is_member: row.bool("is_member")?,
                is_of_inherited: row.bool("is_of_inherited")?,
            })
        })
        .collect()
}

/// What others are made from is left out: the types and arrays of tables, the indexes of constraints, and what partitions
/// and children have from their parents, defaults included that say the same. So is what no backup has: indexes that are not valid, operators that are only spoken of.
const OBJECTS: &str = concat!("\
WITH s AS (
    SELECT tableoid, oid, nspname::pg_catalog.text AS name, pg_catalog.quote_ident(nspname::pg_catalog.text) AS quoted
    FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), r AS (
    SELECT c.tableoid, c.oid, c.relkind, c.relispartition, s.name AS schema, c.relname::pg_catalog.text AS name,
        s.quoted || '.' || pg_catalog.quote_ident(c.relname::pg_catalog.text) AS quoted
    FROM pg_catalog.pg_class c JOIN s ON s.oid = c.relnamespace
)
SELECT object.*, EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = object.class AND d.objid = object.oid
    AND d.deptype = 'e') AS is_member, object.class = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND EXISTS
    (SELECT FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE d.oid = object.oid AND a.attinhcount > 0) AS is_of_inherited
FROM (
    SELECT r.tableoid AS class, r.oid, ", relkinds!(words of "r.relkind"), " AS kind, r.schema, r.name AS tag,
        CASE WHEN r.relkind IN ", relkinds!(tables), " THEN 'DROP TABLE ' || r.quoted END AS dropped,
        r.tableoid AS part_of_class,
        coalesce(i.inhparent, d.refobjid, 0::pg_catalog.oid) AS part_of, a.attname::pg_catalog.text AS words
    FROM r LEFT JOIN pg_catalog.pg_inherits i ON r.relispartition AND i.inhrelid = r.oid
    LEFT JOIN pg_catalog.pg_depend d ON r.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.deptype IN ('a', 'i')
    LEFT JOIN pg_catalog.pg_attribute a ON d.deptype = 'i' AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE r.relkind IN ", relkinds!(relations), "
  UNION ALL
    SELECT r.tableoid, r.oid, 'INDEX', r.schema, r.name, NULL, r.tableoid, i.indrelid, NULL
    FROM r JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
    WHERE r.relkind IN ", relkinds!(indexes), " AND NOT r.relispartition AND (i.indisvalid OR r.relkind = 'I') AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c
        WHERE c.conrelid = i.indrelid AND c.conindid = r.oid AND c.contype IN ('p', 'u', 'x'))
  UNION ALL
    SELECT c.tableoid, c.oid, 'CONSTRAINT', r.schema, r.name || ' ' || c.conname::pg_catalog.text,
        'ALTER TABLE ' || r.quoted || ' DROP CONSTRAINT ' || pg_catalog.quote_ident(c.conname::pg_catalog.text),
        r.tableoid, c.conrelid, c.conname::pg_catalog.text
    FROM pg_catalog.pg_constraint c JOIN r ON r.oid = c.conrelid
    WHERE c.contype IN ('c', 'f', 'p', 'u', 'x') AND c.conparentid = 0 AND (c.contype <> 'c' OR c.conislocal)
  UNION ALL
    SELECT c.tableoid, c.oid, 'CONSTRAINT', s.name, t.typname::pg_catalog.text || ' ' || c.conname::pg_catalog.text,
        'ALTER DOMAIN ' || s.quoted || '.' || pg_catalog.quote_ident(t.typname::pg_catalog.text) || ' DROP CONSTRAINT '
            || pg_catalog.quote_ident(c.conname::pg_catalog.text),
        t.tableoid, t.oid, c.conname::pg_catalog.text
    FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_type t ON t.oid = c.contypid JOIN s ON s.oid = t.typnamespace
    WHERE c.contype = 'c'
  UNION ALL
    SELECT d.tableoid, d.oid, 'DEFAULT', r.schema, r.name || ' ' || a.attname::pg_catalog.text, 'ALTER TABLE ' || r.quoted
            || ' ALTER COLUMN ' || pg_catalog.quote_ident(a.attname::pg_catalog.text) || ' DROP DEFAULT',
        r.tableoid, r.oid, a.attname::pg_catalog.text
    FROM pg_catalog.pg_attrdef d JOIN r ON r.oid = d.adrelid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE a.attislocal AND a.attinhcount = 0 OR a.attinhcount > 0 AND a.attgenerated = '' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
        JOIN pg_catalog.pg_attrdef o ON o.adrelid = p.attrelid AND o.adnum = p.attnum
        WHERE i.inhrelid = r.oid
        AND pg_catalog.pg_get_expr(o.adbin, o.adrelid) = pg_catalog.pg_get_expr(d.adbin, d.adrelid))
  UNION ALL
    SELECT t.tableoid, t.oid, 'TRIGGER', r.schema, r.name || ' ' || t.tgname::pg_catalog.text,
        'DROP TRIGGER ' || pg_catalog.quote_ident(t.tgname::pg_catalog.text) || ' ON ' || r.quoted, r.tableoid, r.oid, NULL
    FROM pg_catalog.pg_trigger t JOIN r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgparentid = 0
  UNION ALL
    SELECT w.tableoid, w.oid, 'RULE', r.schema, r.name || ' ' || w.rulename::pg_catalog.text,
        'DROP RULE ' || pg_catalog.quote_ident(w.rulename::pg_catalog.text) || ' ON ' || r.quoted, r.tableoid, r.oid, NULL
    FROM pg_catalog.pg_rewrite w JOIN r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
  UNION ALL
    SELECT p.tableoid, p.oid, 'POLICY', r.schema, r.name || ' ' || p.polname::pg_catalog.text,
        'DROP POLICY ' || pg_catalog.quote_ident(p.polname::pg_catalog.text) || ' ON ' || r.quoted, r.tableoid, r.oid, NULL
    FROM pg_catalog.pg_policy p JOIN r ON r.oid = p.polrelid
  UNION ALL
    SELECT e.tableoid, e.oid, 'STATISTICS', s.name, e.stxname::pg_catalog.text, NULL,
    'pg_catalog.pg_class'::pg_catalog.regclass, e.stxrelid, NULL
    FROM pg_catalog.pg_statistic_ext e JOIN s ON s.oid = e.stxnamespace
  UNION ALL
    SELECT t.tableoid, t.oid, 'TYPE', s.name, t.typname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_type t JOIN s ON s.oid = t.typnamespace LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE (t.typtype IN ('b', 'd', 'e', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
        OR (t.typtype = 'p' AND NOT t.typisdefined))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
  UNION ALL
    SELECT p.tableoid, p.oid, 'FUNCTION', s.name, p.proname::pg_catalog.text || '(' || CASE
            WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*'
            ELSE coalesce((SELECT pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.n)
                FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY AS a (type, n)), '') END || ')',
        NULL, 0, 0, NULL
    FROM pg_catalog.pg_proc p JOIN s ON s.oid = p.pronamespace
  UNION ALL
    SELECT o.tableoid, o.oid, 'OPERATOR', s.name, '', 'DROP OPERATOR ' || s.quoted || '.' || o.oprname::pg_catalog.text || ' ('
            || CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END || ', '
            || CASE WHEN o.oprright = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprright, NULL) END || ')', 0, 0, NULL
    FROM pg_catalog.pg_operator o JOIN s ON s.oid = o.oprnamespace WHERE o.oprcode <> 0::pg_catalog.oid
  UNION ALL
    SELECT c.tableoid, c.oid, 'OPERATOR CLASS', s.name, '', 'DROP OPERATOR CLASS ' || s.quoted || '.'
            || pg_catalog.quote_ident(c.opcname::pg_catalog.text) || ' USING '
            || pg_catalog.quote_ident(m.amname::pg_catalog.text), 'pg_catalog.pg_opfamily'::pg_catalog.regclass,
            c.opcfamily, NULL
    FROM pg_catalog.pg_opclass c JOIN s ON s.oid = c.opcnamespace JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
  UNION ALL
    SELECT f.tableoid, f.oid, 'OPERATOR FAMILY', s.name, '', 'DROP OPERATOR FAMILY ' || s.quoted || '.'
            || pg_catalog.quote_ident(f.opfname::pg_catalog.text) || ' USING '
            || pg_catalog.quote_ident(m.amname::pg_catalog.text), 0, 0, NULL
    FROM pg_catalog.pg_opfamily f JOIN s ON s.oid = f.opfnamespace JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
  UNION ALL
    SELECT o.tableoid, o.oid, 'MEMBER OF OPERATOR FAMILY', s.name, f.opfname::pg_catalog.text || ' OPERATOR '
            || o.amopstrategy::pg_catalog.text || ' ' || o.amopopr::pg_catalog.regoperator::pg_catalog.text,
        NULL, f.tableoid, f.oid, 'OPERATOR ' || o.amopstrategy::pg_catalog.text || ' '
            || o.amopopr::pg_catalog.regoperator::pg_catalog.text
    FROM pg_catalog.pg_amop o JOIN pg_catalog.pg_opfamily f ON f.oid = o.amopfamily JOIN s ON s.oid = f.opfnamespace
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_amop'::pg_catalog.regclass AND d.objid = o.oid AND
    d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass AND d.deptype = 'a'
  UNION ALL
    SELECT o.tableoid, o.oid, 'MEMBER OF OPERATOR FAMILY', s.name, f.opfname::pg_catalog.text || ' FUNCTION '
            || o.amprocnum::pg_catalog.text || ' ' || o.amproc::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text,
        NULL, f.tableoid, f.oid, 'FUNCTION ' || o.amprocnum::pg_catalog.text || ' ('
            || pg_catalog.format_type(o.amproclefttype, NULL) || ', ' || pg_catalog.format_type(o.amprocrighttype, NULL)
            || ') ' || o.amproc::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text
    FROM pg_catalog.pg_amproc o JOIN pg_catalog.pg_opfamily f ON f.oid = o.amprocfamily JOIN s ON s.oid = f.opfnamespace
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_amproc'::pg_catalog.regclass AND d.objid = o.oid AND
    d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass AND d.deptype = 'a'
  UNION ALL
    SELECT c.tableoid, c.oid, 'CAST', '', '', 'DROP CAST (' || pg_catalog.format_type(c.castsource, NULL) || ' AS '
        || pg_catalog.format_type(c.casttarget, NULL) || ')', 0, 0, NULL
    FROM pg_catalog.pg_cast c WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'i')
  UNION ALL
    SELECT t.tableoid, t.oid, 'TRANSFORM', '', '', 'DROP TRANSFORM FOR ' || pg_catalog.format_type(t.trftype, NULL)
        || ' LANGUAGE ' || pg_catalog.quote_ident(l.lanname::pg_catalog.text), 0, 0, NULL
    FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
  UNION ALL
    SELECT c.tableoid, c.oid, 'CONVERSION', s.name, c.conname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_conversion c JOIN s ON s.oid = c.connamespace
  UNION ALL
    SELECT c.tableoid, c.oid, 'COLLATION', s.name, c.collname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_collation c JOIN s ON s.oid = c.collnamespace
  UNION ALL
    SELECT c.tableoid, c.oid, 'TEXT SEARCH CONFIGURATION', s.name, c.cfgname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_ts_config c JOIN s ON s.oid = c.cfgnamespace
  UNION ALL
    SELECT d.tableoid, d.oid, 'TEXT SEARCH DICTIONARY', s.name, d.dictname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_ts_dict d JOIN s ON s.oid = d.dictnamespace
  UNION ALL
    SELECT p.tableoid, p.oid, 'TEXT SEARCH PARSER', s.name, p.prsname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_ts_parser p JOIN s ON s.oid = p.prsnamespace
  UNION ALL
    SELECT t.tableoid, t.oid, 'TEXT SEARCH TEMPLATE', s.name, t.tmplname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_ts_template t JOIN s ON s.oid = t.tmplnamespace
  UNION ALL
    SELECT tableoid, oid, 'PROCEDURAL LANGUAGE', '', lanname::pg_catalog.text, NULL, 0, 0, NULL FROM pg_catalog.pg_language
  UNION ALL
    SELECT tableoid, oid, 'ACCESS METHOD', '', amname::pg_catalog.text, NULL, 0, 0, NULL FROM pg_catalog.pg_am
  UNION ALL
    SELECT tableoid, oid, 'FOREIGN DATA WRAPPER', '', fdwname::pg_catalog.text, NULL, 0, 0, NULL
    FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL
    SELECT tableoid, oid, 'SERVER', '', srvname::pg_catalog.text, NULL, 0, 0, NULL FROM pg_catalog.pg_foreign_server
  UNION ALL
    SELECT 'pg_catalog.pg_user_mapping'::pg_catalog.regclass, umid, 'USER MAPPING', '', 'USER MAPPING ' ||
    usename::pg_catalog.text || ' SERVER '
        || srvname::pg_catalog.text, NULL, 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, srvid, NULL FROM
        pg_catalog.pg_user_mappings
  UNION ALL
    SELECT s.tableoid, s.oid, 'SCHEMA', '', s.name, NULL, 0, 0, NULL FROM s
  UNION ALL
    SELECT tableoid, oid, 'EXTENSION', '', extname::pg_catalog.text, NULL, 0, 0, NULL FROM pg_catalog.pg_extension
  UNION ALL
    SELECT tableoid, oid, 'EVENT TRIGGER', '', evtname::pg_catalog.text, NULL, 0, 0, NULL FROM pg_catalog.pg_event_trigger
  UNION ALL
    SELECT tableoid, oid, 'PUBLICATION', '', pubname::pg_catalog.text, NULL, 0, 0, NULL FROM pg_catalog.pg_publication
");

const TABLES_OF_PUBLICATIONS: &str = "
  UNION ALL
    SELECT m.tableoid, m.oid, 'PUBLICATION TABLE', r.schema, p.pubname::pg_catalog.text || ' ' || r.name, NULL, r.tableoid, r.oid, NULL
    FROM pg_catalog.pg_publication_rel m JOIN pg_catalog.pg_publication p ON p.oid = m.prpubid JOIN r ON r.oid = m.prrelid
";

/// What a publication leaves out is within its definition.
const TABLES_OF_PUBLICATIONS_AND_EXCEPTIONS: &str = "
  UNION ALL
    SELECT m.tableoid, m.oid, CASE WHEN m.prexcept THEN 'EXCEPTION OF PUBLICATION' ELSE 'PUBLICATION TABLE' END, r.schema,
        p.pubname::pg_catalog.text || ' ' || r.name, NULL, CASE WHEN m.prexcept THEN p.tableoid ELSE r.tableoid END,
        CASE WHEN m.prexcept THEN p.oid ELSE r.oid END, CASE WHEN m.prexcept THEN r.quoted END
    FROM pg_catalog.pg_publication_rel m JOIN pg_catalog.pg_publication p ON p.oid = m.prpubid JOIN r ON r.oid = m.prrelid
";

const SCHEMAS_OF_PUBLICATIONS: &str = "
  UNION ALL
    SELECT m.tableoid, m.oid, 'PUBLICATION TABLES IN SCHEMA', n.nspname::pg_catalog.text,
        p.pubname::pg_catalog.text || ' ' || n.nspname::pg_catalog.text, NULL, n.tableoid, n.oid, NULL
    FROM pg_catalog.pg_publication_namespace m JOIN pg_catalog.pg_publication p ON p.oid = m.pnpubid
    JOIN pg_catalog.pg_namespace n ON n.oid = m.pnnspid
";

const TABLES_OF_SUBSCRIPTIONS: &str = "
  UNION ALL
    SELECT m.tableoid, m.srrelid, 'TABLE OF SUBSCRIPTION', n.nspname::pg_catalog.text,
        p.subname::pg_catalog.text || ' ' || c.relname::pg_catalog.text, NULL, c.tableoid, c.oid, p.subname::pg_catalog.text
    FROM pg_catalog.pg_subscription_rel m JOIN pg_catalog.pg_subscription p ON p.oid = m.srsubid
    JOIN pg_catalog.pg_class c ON c.oid = m.srrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
";
