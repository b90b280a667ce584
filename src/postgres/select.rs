//! Which objects were asked for.

use bstr::BStr;

use super::model::Parts;

/// The role that owns schema public since PostgreSQL 15, `pg_database_owner`.
const DATABASE_OWNER_ROLE: u32 = 6171;

/// What is wanted of a schema itself and of the objects in it, before its membership of an extension is looked at.
pub fn schema_parts(name: &BStr, owner: u32) -> (Parts, Parts) {
    if name == "pg_catalog" {
        (Parts::PRIVILEGES, Parts::PRIVILEGES)
    } else if name.starts_with(b"pg_") || name == "information_schema" {
        (Parts::NONE, Parts::NONE)
    } else if name == "public" && owner == DATABASE_OWNER_ROLE {
        (Parts::ALL.without(Parts::DEFINITION), Parts::ALL)
    } else {
        (Parts::ALL, Parts::ALL)
    }
}
