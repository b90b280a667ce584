//! By what a role sees rows where row security decides: what it is a member of, and whether policies count for it at all.
//!
//! Nobody but a superuser, for whom no policy counts, could hold the catalogs of this still. What the snapshot says is compared
//! with what the server goes by, which does not obey snapshots: `pg_has_role()` and `row_security_active()`.

use super::watch::Now;
use crate::postgres::version::ServerVersion;

/// The role that the session acts as, and what it is a member of for the snapshot: with the privileges of these roles
/// (`used_roles`) or without (`member_roles`).
pub(super) fn expected(server: ServerVersion) -> String {
    // Until 16 a role had the privileges of all the roles that it was a member of, the owner's among them, or of none.
    let (heir, owner) = match server.set_option_of_membership() {
        true => ("m.inherit_option", "true"),
        false => ("i.rolinherit", "i.rolinherit"),
    };
    format!(
        "me AS (SELECT r.oid, r.rolsuper, r.rolsuper OR r.rolbypassrls AS is_free FROM pg_catalog.pg_roles AS r \
           WHERE pg_catalog.pg_get_userbyid(r.oid) = CURRENT_USER), \
         used_roles (oid) AS ({}), member_roles (oid) AS ({})",
        above("used_roles", heir, owner),
        above("member_roles", "true", "true")
    )
}

/// What differs from that now. `$1` are the tables whose rows are copied.
pub(super) const NOW: &[Now] = &[
    Now {
        what: "membership in role",
        rows: "x.oid AS oid, x.rolname AS name FROM pg_catalog.pg_roles AS x CROSS JOIN me WHERE NOT me.rolsuper \
               AND (pg_catalog.pg_has_role(x.oid, 'USAGE') IS DISTINCT FROM (x.oid IN (SELECT r.oid FROM used_roles AS r)) \
                 OR pg_catalog.pg_has_role(x.oid, 'MEMBER') IS DISTINCT FROM (x.oid IN (SELECT r.oid FROM member_roles AS r)))",
    },
    Now {
        what: "row security for table",
        rows: "x.oid AS oid, pg_catalog.concat(n.nspname, '.', x.relname) AS name FROM pg_catalog.pg_class AS x \
               JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace CROSS JOIN me \
               WHERE x.oid = ANY ($1) AND x.relrowsecurity \
               AND pg_catalog.row_security_active(x.oid) IS NOT DISTINCT FROM (me.is_free \
                 OR NOT x.relforcerowsecurity AND x.relowner IN (SELECT r.oid FROM used_roles AS r))",
    },
];

/// The role and those whose members it is, through any number of others. The owner of the database is a member of
/// `pg_database_owner` (6171).
fn above(name: &str, heir: &str, owner: &str) -> String {
    format!(
        "SELECT me.oid FROM me UNION SELECT up.oid FROM {name} CROSS JOIN LATERAL ( \
           SELECT m.roleid AS oid FROM pg_catalog.pg_auth_members AS m \
             JOIN pg_catalog.pg_roles AS i ON i.oid = m.member WHERE m.member = {name}.oid AND {heir} \
           UNION ALL SELECT '6171'::pg_catalog.oid FROM pg_catalog.pg_database AS d \
             JOIN pg_catalog.pg_roles AS i ON i.oid = d.datdba \
             WHERE d.datname = pg_catalog.current_database() AND d.datdba = {name}.oid AND {owner} \
         ) AS up"
    )
}
