//! How many rows there are in what would be lost.
//!
//! A query over a table runs code of the table's owner with the rights of whoever asks: the planner works out the constants in the
//! expressions of indexes, checks and statistics, functions and all, and a name can have become a view's. So rows are
//! counted by copying a column, which is not planned and refuses views; and only what belongs to those who may do everything anyway
//! is queried.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};

use crate::postgres::relkind::relkinds;
use crate::postgres::restore::dependents::{Dependent, Named};
use crate::sql::quote::quoted;
use crate::wire::{Connection, Param};
use crate::{Result, printable};

/// Tables up to this size are counted, others estimated.
const COUNTED: i64 = 16 * 1024 * 1024;
/// How many tables are counted.
const TABLES: usize = 200;
/// How much of a table is held at a time.
const PIECE: usize = 64 * 1024;

/// When it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before anything is done, in a transaction of its own.
    Before,
    /// In the transaction that drops it, among statements of the archive's.
    Held,
}

/// The number of rows of those of `objects` that have rows of their own, by their OIDs, and whether it is exact. What the role may
/// not read, or only in part, is left out.
pub fn count(target: &mut Connection, objects: &[&Named], moment: Moment) -> Result<HashMap<u32, (u64, bool)>> {
    let oids: Vec<u32> = objects.iter().filter(|object| object.is_table()).map(|object| object.address.1).collect();
    let mut counts = HashMap::new();
    // Where it is looked again, that there is something at all is what counts.
    if oids.is_empty() || moment == Moment::Held {
        return Ok(counts);
    }
    let rows = target.query(
        concat!(
            "SELECT c.oid, n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, \
             pg_catalog.pg_relation_size(c.oid) = 0 AS is_empty, c.relkind = 'r' AS is_table, \
             pg_catalog.pg_table_size(c.oid) AS size, \
             greatest(c.reltuples, 0)::pg_catalog.float8 AS estimate, \
             pg_catalog.pg_stat_get_live_tuples(c.oid)::pg_catalog.float8 AS counted, \
             (SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a \
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
              ORDER BY a.attlen < 0, a.attlen, a.attnum LIMIT 1) AS shortest \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = ANY ($1) AND c.relkind IN ",
            relkinds!(stored),
            " \
         AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') \
         AND NOT pg_catalog.row_security_active(c.oid) AND (c.relkind = 'r' OR c.relispopulated) ORDER BY size, c.oid"
        ),
        &[Param::oids(&oids)],
    )?;
    let mut copied = 0;
    for row in rows.iter() {
        let oid = row.oid("oid")?;
        let is_small = row.bool("is_table")? && row.i64("size")? <= COUNTED && copied < TABLES;
        let counted = if row.bool("is_empty")? {
            (0, true)
        } else if is_small {
            copied += 1;
            (copy(target, row.text("schema")?, row.text("name")?, row.opt_text("shortest")?)?, true)
        } else {
            // There is something, even if nobody has counted it yet.
            (row.f64("estimate")?.max(row.f64("counted")?).max(1.0) as u64, false)
        };
        counts.insert(oid, counted);
    }
    Ok(counts)
}

/// The number of rows that a table has of its own.
fn copy(target: &mut Connection, schema: &BStr, name: &BStr, column: Option<&BStr>) -> Result<u64> {
    let column = column.map(|column| [b" (", quoted(column).as_slice(), b")"].concat()).unwrap_or_default();
    let sql = [b"COPY ", qualified(schema, name).as_slice(), &column, b" TO STDOUT"].concat();
    let mut copy = target.copy_out(&sql)?;
    let mut piece = Vec::new();
    while copy.fill(&mut piece, PIECE)? {
        piece.clear();
    }
    Ok(copy.rows())
}

fn qualified(schema: &BStr, name: &BStr) -> Vec<u8> {
    [quoted(schema).as_slice(), b".", &quoted(name)].concat()
}

/// A table that belongs to an extension.
struct OfExtension {
    oid: u32,
    schema: BString,
    name: BString,
    extension: BString,
    /// Which rows the extension says are users': `WHERE …`, or nothing.
    condition: BString,
    /// The transactions that made or changed the extension.
    made_by: Vec<BString>,
    /// Whether nobody but superusers and the role itself can make indexes on it, or rename its schema.
    is_trusted: bool,
}

/// Those of an extension's `tables` that hold rows which neither the archive has, nor the extension's own script has made: of its
/// configuration, the rows that it says are users'; of other tables, those of other transactions than the ones that made or
/// changed the extension. Of tables that others than superusers and the role itself have a hand in, all rows count.
pub fn of_extensions(target: &mut Connection, tables: &[&Named], moment: Moment) -> Result<Vec<Dependent>> {
    let oids: Vec<u32> = tables.iter().filter(|table| table.is_table()).map(|table| table.address.1).collect();
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = known(target, &oids)?;
    let lock = found
        .iter()
        .filter(|table| table.is_trusted)
        .map(|table| qualified(table.schema.as_bstr(), table.name.as_bstr()));
    let lock: Vec<Vec<u8>> = lock.collect();
    let mut locked = HashSet::new();
    if !lock.is_empty() {
        // What is locked keeps its name, its schema and its owner.
        let lock = [b"LOCK TABLE ", lock.join(b", ".as_slice()).as_slice(), b" IN ACCESS SHARE MODE"].concat();
        match moment {
            Moment::Before => target.execute(&lock)?,
            Moment::Held => target.foreign()?.execute(&lock)?,
        }
        let before = std::mem::replace(&mut found, known(target, &oids)?);
        locked.extend(
            before.into_iter().filter(|table| table.is_trusted).map(|table| (table.oid, table.schema, table.name)),
        );
    }
    let (trusted, others): (Vec<OfExtension>, Vec<OfExtension>) = found
        .into_iter()
        .partition(|table| table.is_trusted && locked.contains(&(table.oid, table.schema.clone(), table.name.clone())));
    let mut counts = counts_of_users(target, &trusted)?;
    let of_others: HashSet<u32> = others.iter().map(|table| table.oid).collect();
    let named: Vec<&Named> = tables.iter().copied().filter(|table| of_others.contains(&table.address.1)).collect();
    counts.extend(count(target, &named, moment)?);
    let mut dependents: Vec<Dependent> = Vec::new();
    for table in trusted.iter().chain(&others) {
        if let Some((rows, is_exact)) = counts.get(&table.oid).copied().filter(|(rows, _)| *rows > 0) {
            let OfExtension { schema, name, extension, .. } = table;
            dependents.push(Dependent {
                object: printable::name(format!("rows of TABLE {schema}.{name}").as_str().into()),
                along_with: Some(printable::name(format!("a table of EXTENSION {extension}").as_str().into())),
                rows: Some(rows),
                is_estimate: !is_exact,
            });
        }
    }
    dependents.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(dependents)
}

/// What is known of those tables of extensions that the role may read in whole.
fn known(target: &mut Connection, oids: &[u32]) -> Result<Vec<OfExtension>> {
    let rows = target.query(
        "WITH trusted AS ( \
             SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = current_user \
         ) \
         SELECT c.oid, n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, \
             e.extname::pg_catalog.text AS extension, \
             (SELECT e.extcondition[at.n] FROM pg_catalog.generate_subscripts(e.extconfig, 1) AS at (n) \
              WHERE e.extconfig[at.n] = c.oid LIMIT 1) AS condition, \
             ARRAY(SELECT DISTINCT m.xmin::pg_catalog.text FROM pg_catalog.pg_depend m \
                 WHERE m.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND m.refobjid = e.oid AND \
                 m.deptype = 'e' \
                 UNION SELECT e.xmin::pg_catalog.text) AS made_by, \
             c.relowner IN (SELECT oid FROM trusted) \
                 AND CASE WHEN n.nspowner = 6171::pg_catalog.oid THEN b.datdba ELSE n.nspowner END IN (SELECT oid FROM trusted) \
                 AS is_trusted \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_database b ON b.datname = pg_catalog.current_database() \
         JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid \
         AND d.deptype = 'e' \
         JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.oid = \
         d.refobjid \
         WHERE c.oid = ANY ($1) AND c.relkind = 'r' \
         AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') \
         AND NOT pg_catalog.row_security_active(c.oid)",
        &[Param::oids(oids)],
    )?;
    rows.iter()
        .map(|row| {
            Ok(OfExtension {
                oid: row.oid("oid")?,
                schema: row.string("schema")?,
                name: row.string("name")?,
                extension: row.string("extension")?,
                condition: row.opt_string("condition")?.unwrap_or_default(),
                made_by: row.texts("made_by")?.into_iter().flatten().collect(),
                is_trusted: row.bool("is_trusted")?,
            })
        })
        .collect()
}

/// How many rows these hold that the extension's script has not made.
fn counts_of_users(target: &mut Connection, tables: &[OfExtension]) -> Result<HashMap<u32, (u64, bool)>> {
    if tables.is_empty() {
        return Ok(HashMap::new());
    }
    let select = |table: &OfExtension| {
        let numbers: Vec<String> = table.made_by.iter().map(|xid| format!("'{xid}'")).collect();
        // Written as pg_dump would: `condition` begins with WHERE, or is empty.
        [
            format!(
                "SELECT {}::pg_catalog.oid AS oid, pg_catalog.count(*) AS rows FROM (SELECT xmin FROM ONLY ",
                table.oid
            )
            .as_bytes(),
            &qualified(table.schema.as_bstr(), table.name.as_bstr()),
            b" ",
            &table.condition,
            b"\n) AS row WHERE row.xmin::pg_catalog.text NOT IN (",
            numbers.join(", ").as_bytes(),
            b")",
        ]
        .concat()
    };
    let selects: Vec<Vec<u8>> = tables.iter().map(select).collect();
    let rows = target.query(selects.join(b" UNION ALL ".as_slice()), &[])?;
    rows.iter().map(|row| Ok((row.oid("oid")?, (u64::try_from(row.i64("rows")?).unwrap_or(0), true)))).collect()
}
