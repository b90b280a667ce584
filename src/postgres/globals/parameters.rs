//! Privileges on the server's parameters.

use bstr::{BString, ByteSlice};

use super::Globals;
use crate::error::Result;
use crate::postgres::privileges::{self, Privileges};
use crate::postgres::version::ServerVersion;
use crate::sql::Sql;
use crate::wire::{Query, Rows};

/// What others may do to a parameter.
pub(super) struct ParameterPrivileges {
    name: BString,
    /// Parameters belong to the role that the server is made with.
    owner: BString,
    privileges: Privileges,
}

pub(super) fn query(server: ServerVersion) -> Query {
    let what = "privileges on parameters";
    if !server.parameter_privileges() {
        return Query::new(what, "SELECT 1 WHERE false");
    }
    Query::new(
        what,
        "SELECT p.parname, r.rolname AS owner, p.paracl::pg_catalog.text[] AS acl, \
         pg_catalog.acldefault('p', r.oid)::pg_catalog.text[] AS acl_default \
         FROM pg_catalog.pg_parameter_acl AS p CROSS JOIN pg_catalog.pg_roles AS r WHERE r.oid = 10 ORDER BY 1",
    )
}

pub(super) fn of(rows: &Rows) -> Result<Vec<ParameterPrivileges>> {
    let of_row = |row: crate::wire::Row<'_>| {
        Ok(ParameterPrivileges {
            name: row.string("parname")?,
            owner: row.string("owner")?,
            privileges: Privileges::from_row(row, "acl", "acl_default")?,
        })
    };
    rows.iter().map(of_row).collect()
}

impl ParameterPrivileges {
    pub(super) fn statements(&self, globals: &Globals) -> Result<Sql> {
        let mut name = globals.sql();
        name.ident(self.name.as_bstr());
        privileges::of_shared("PARAMETER", &name, self.owner.as_bstr(), &self.privileges)
    }
}
