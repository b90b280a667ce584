//! How many rows there are in what would be lost.

use std::collections::HashMap;

use bstr::BString;

use super::Dependent;
use super::names::Named;
use crate::Result;
use crate::printable;
use crate::sql::quote;
use crate::wire::{Connection, Param};

/// Tables up to this size are counted, larger ones only looked into for a row and estimated.
const COUNTED: i64 = 16 * 1024 * 1024;
/// How many tables are counted.
const TABLES: usize = 200;

/// The number of rows of those of `objects` that have rows of their own, by their OIDs, and whether it is exact. What the role may
/// not read, or only in part, is left out.
pub(super) fn count(target: &mut Connection, objects: &[&Named]) -> Result<HashMap<u32, (u64, bool)>> {
    let oids: Vec<u32> = objects.iter().filter(|object| object.is_table()).map(|object| object.address.1).collect();
    let mut counts = HashMap::new();
    if oids.is_empty() {
        return Ok(counts);
    }
    let rows = target.query(
        "SELECT c.oid, n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, \
             pg_catalog.pg_relation_size(c.oid) AS size, \
             pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') \
                 AND NOT pg_catalog.row_security_active(c.oid) AND (c.relkind = 'r' OR c.relispopulated) AS is_readable, \
             greatest(c.reltuples, 0)::pg_catalog.float8 AS estimate \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = ANY ($1) AND c.relkind IN ('r', 'm') ORDER BY size DESC",
        &[Param::oids(&oids)],
    )?;
    let mut selects = Vec::new();
    let mut estimates = HashMap::new();
    for row in rows.iter() {
        let (oid, is_small) = (row.oid("oid")?, row.i64("size")? <= COUNTED);
        estimates.insert(oid, row.f64("estimate")? as u64);
        if !row.bool("is_readable")? || selects.len() == TABLES {
            continue;
        }
        let mut from = b" FROM ONLY ".to_vec();
        quote::ident(&mut from, row.text("schema")?);
        from.push(b'.');
        quote::ident(&mut from, row.text("name")?);
        let what: &[u8] = match is_small {
            true => b"(SELECT pg_catalog.count(*)",
            false => b"(SELECT pg_catalog.count(*) FROM (SELECT",
        };
        let tail: &[u8] = if is_small { b")" } else { b" LIMIT 1) AS one)" };
        let head = format!("SELECT {oid}::pg_catalog.oid AS oid, {is_small} AS is_exact, ");
        selects.push([head.as_bytes(), what, &from, tail, b" AS rows"].concat());
    }
    if selects.is_empty() {
        return Ok(counts);
    }
    let rows = target.query(selects.join(b" UNION ALL ".as_slice()), &[])?;
    for row in rows.iter() {
        let (oid, is_exact) = (row.oid("oid")?, row.bool("is_exact")?);
        let count = u64::try_from(row.i64("rows")?).unwrap_or(0);
        let estimate = estimates.get(&oid).copied().unwrap_or(0).max(count);
        // That there is no row at all is exact.
        counts.insert(oid, if is_exact || count == 0 { (count, true) } else { (estimate, false) });
    }
    Ok(counts)
}

/// Those of an extension's `tables` that hold rows which neither the archive has, nor the extension's own script has made: of its
/// configuration, the rows that it says are users'; of other tables, those of other transactions than the ones that made or
/// changed the extension.
pub(super) fn of_extensions(target: &mut Connection, tables: &[&Named]) -> Result<Vec<Dependent>> {
    let oids: Vec<u32> = tables.iter().filter(|table| table.is_table()).map(|table| table.address.1).collect();
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = target.query(
        "SELECT c.oid, n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, \
             e.extname::pg_catalog.text AS extension, \
             (SELECT e.extcondition[at.n] FROM pg_catalog.generate_subscripts(e.extconfig, 1) AS at (n) \
              WHERE e.extconfig[at.n] = c.oid LIMIT 1) AS condition, \
             ARRAY(SELECT DISTINCT m.xmin::pg_catalog.text FROM pg_catalog.pg_depend m \
                 WHERE m.refclassid = 3079 AND m.refobjid = e.oid AND m.deptype = 'e' \
                 UNION SELECT e.xmin::pg_catalog.text) AS made_by \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'e' \
         JOIN pg_catalog.pg_extension e ON d.refclassid = 3079 AND e.oid = d.refobjid \
         WHERE c.oid = ANY ($1) AND c.relkind IN ('r', 'm') \
         AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') \
         AND NOT pg_catalog.row_security_active(c.oid) AND c.relispopulated",
        &[Param::oids(&oids)],
    )?;
    let mut selects = Vec::new();
    let mut shown = HashMap::new();
    for row in rows.iter() {
        let (oid, schema, name) = (row.oid("oid")?, row.text("schema")?, row.text("name")?);
        let made_by: Vec<BString> = row.texts("made_by")?.into_iter().flatten().collect();
        let numbers: Vec<String> = made_by.iter().map(|xid| format!("'{xid}'")).collect();
        let mut from = Vec::new();
        quote::ident(&mut from, schema);
        from.push(b'.');
        quote::ident(&mut from, name);
        let condition = row.opt_string("condition")?.unwrap_or_default();
        // Written as pg_dump would: `condition` begins with WHERE, or is empty.
        selects.push(
            [
                format!(
                    "SELECT {oid}::pg_catalog.oid AS oid, pg_catalog.count(*) AS rows FROM (SELECT xmin FROM ONLY "
                )
                .as_bytes(),
                &from,
                b" ",
                &condition,
                b"\n) AS row WHERE row.xmin::pg_catalog.text NOT IN (",
                numbers.join(", ").as_bytes(),
                b")",
            ]
            .concat(),
        );
        shown.insert(oid, (format!("{schema}.{name}"), row.string("extension")?));
    }
    if selects.is_empty() {
        return Ok(Vec::new());
    }
    let rows = target.query(selects.join(b" UNION ALL ".as_slice()), &[])?;
    let mut dependents = Vec::new();
    for row in rows.iter() {
        let count = u64::try_from(row.i64("rows")?).unwrap_or(0);
        if let Some((table, extension)) = shown.get(&row.oid("oid")?).filter(|_| count > 0) {
            dependents.push(Dependent {
                object: printable::name(format!("rows of TABLE {table}").as_str().into()),
                along_with: Some(printable::name(format!("a table of EXTENSION {extension}").as_str().into())),
                rows: Some(count),
                is_estimate: false,
            });
        }
    }
    dependents.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(dependents)
}
