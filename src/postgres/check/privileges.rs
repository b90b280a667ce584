//! What a role may not read of what a backup needs.

use bstr::BString;

use super::Session;
use crate::error::Result;
use crate::wire::{Param, Query};

/// A relation that the role cannot read all of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Its schema.
    pub schema: BString,
    /// Its name.
    pub name: BString,
    /// Whether it is a sequence, and no table.
    pub is_sequence: bool,
    /// What keeps the role from it.
    pub why: Why,
}

/// What keeps a role from reading a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It may not use the schema.
    NoUsage,
    /// It may not SELECT.
    NoSelect,
    /// Row security hides rows from it.
    RowSecurity,
}

/// The functions are asked about OIDs: about one that is gone they say NULL, or false. A partitioned table has no rows to hide.
const RELATIONS: &str = "\
    SELECT n.nspname, c.relname, c.relkind = 'S' AS is_sequence, \
           pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_enter, \
           pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_read, \
           c.relkind = 'r' AND pg_catalog.row_security_active(c.oid) AS is_filtered \
    FROM pg_catalog.unnest($1) AS t (oid) JOIN pg_catalog.pg_class AS c ON c.oid = t.oid \
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace ORDER BY 3, 1, 2";

/// Those of these tables and sequences that cannot be read, or not all of whose rows.
pub(in crate::postgres) fn unreadable(
    session: &mut Session,
    tables: &[u32],
    sequences: &[u32],
) -> Result<Vec<Unreadable>> {
    let oids = [tables, sequences].concat();
    let rows = session.connection().run(&Query::new("what may be read", RELATIONS).param(Param::oids(&oids)))?;
    let mut found = Vec::new();
    for row in rows.iter() {
        let is = |column| Ok::<_, crate::Error>(row.opt_bool(column)?.unwrap_or(true));
        let why = match (is("may_enter")?, is("may_read")?, row.opt_bool("is_filtered")?) {
            (false, _, _) => Why::NoUsage,
            (_, false, _) => Why::NoSelect,
            (_, _, Some(true)) => Why::RowSecurity,
            _ => continue,
        };
        let is_sequence = row.bool("is_sequence")?;
        found.push(Unreadable { schema: row.string("nspname")?, name: row.string("relname")?, is_sequence, why });
    }
    Ok(found)
}

/// How many large objects the role may not read, and the first of them.
pub(super) fn large_objects(session: &mut Session) -> Result<Option<(u64, u32)>> {
    let may_read = if session.server().large_object_privilege_function() {
        "pg_catalog.has_largeobject_privilege(l.oid, 'SELECT')"
    } else {
        "pg_catalog.pg_has_role(l.lomowner, 'USAGE') OR EXISTS (SELECT FROM pg_catalog.aclexplode(l.lomacl) AS a \
         WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))"
    };
    let query = format!(
        "SELECT pg_catalog.count(*) AS number, pg_catalog.min(l.oid) AS first \
         FROM pg_catalog.pg_largeobject_metadata AS l \
         WHERE pg_catalog.current_setting('lo_compat_privileges') = 'off' AND ({may_read}) IS FALSE"
    );
    let rows = session.connection().run(&Query::new("large objects", query))?;
    let row = rows.one()?;
    let number = u64::try_from(row.i64("number")?).unwrap_or_default();
    Ok(row.opt_oid("first")?.map(|first| (number, first)))
}

/// The names of the subscriptions.
pub(super) fn subscriptions(session: &mut Session) -> Result<Vec<BString>> {
    let rows = session.connection().run(&Query::new(
        "subscriptions",
        "SELECT s.subname FROM pg_catalog.pg_subscription AS s WHERE s.subdbid = (SELECT d.oid \
         FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) ORDER BY 1",
    ))?;
    rows.iter().map(|row| Ok(row.string("subname")?)).collect()
}

/// The user mappings whose options the role is not shown, by the rules of the view that shows them.
pub(super) fn user_mappings(session: &mut Session) -> Result<Vec<(BString, BString)>> {
    let rows = session.connection().run(&Query::new(
        "user mappings",
        "SELECT m.usename, m.srvname FROM pg_catalog.pg_user_mappings AS m \
         JOIN pg_catalog.pg_foreign_server AS s ON s.oid = m.srvid \
         WHERE NOT CASE WHEN m.umuser = 0 THEN pg_catalog.pg_has_role(s.srvowner, 'USAGE') \
           ELSE m.usename = CURRENT_USER AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE') \
             OR pg_catalog.has_server_privilege(s.oid, 'USAGE')) END ORDER BY 2, 1",
    ))?;
    rows.iter().map(|row| Ok((row.string("usename")?, row.string("srvname")?))).collect()
}
