//! Roles: what they may do, and how they log in.

use bstr::{BString, ByteSlice};

use super::labels::{self, Labels};
use super::{Globals, GlobalsOptions};
use crate::error::Result;
use crate::postgres::catalogs::Catalog;
use crate::postgres::model::SecurityLabel;
use crate::sql::Sql;
use crate::wire::{Query, Row, Rows};

/// What the query of passwords is about.
pub(super) const WITH_PASSWORDS: &str = "roles and their passwords";

/// A role. It has no `Debug`, for its password must get into no message.
pub(super) struct Role {
    pub name: BString,
    /// For each of [`ATTRIBUTES`], whether it has it.
    attributes: [bool; ATTRIBUTES.len()],
    connection_limit: i32,
    password: Option<BString>,
    valid_until: Option<BString>,
    comment: Option<BString>,
    labels: Vec<SecurityLabel>,
}

/// Columns of `pg_authid`, the key words for what is so, and for what is not, in the order in which statements have them.
const ATTRIBUTES: [(&str, &str, &str); 7] = [
    ("rolsuper", " SUPERUSER", " NOSUPERUSER"),
    ("rolinherit", " INHERIT", " NOINHERIT"),
    ("rolcreaterole", " CREATEROLE", " NOCREATEROLE"),
    ("rolcreatedb", " CREATEDB", " NOCREATEDB"),
    ("rolcanlogin", " LOGIN", " NOLOGIN"),
    ("rolreplication", " REPLICATION", " NOREPLICATION"),
    ("rolbypassrls", " BYPASSRLS", " NOBYPASSRLS"),
];

/// The server's own roles, whose names begin with `pg_`, come with every server.
pub(super) fn query(with_passwords: bool) -> Query {
    let (what, catalog, password) = if with_passwords {
        (WITH_PASSWORDS, "pg_authid", "r.rolpassword")
    } else {
        ("roles", "pg_roles", "NULL::pg_catalog.text")
    };
    let attributes: String = ATTRIBUTES.iter().map(|(column, ..)| format!("r.{column}, ")).collect();
    Query::new(
        what,
        format!(
            "SELECT r.oid, r.rolname, {attributes} r.rolconnlimit, {password} AS password, \
             r.rolvaliduntil::pg_catalog.text AS valid_until, d.description \
             FROM pg_catalog.{catalog} AS r LEFT JOIN pg_catalog.pg_shdescription AS d \
               ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass \
             WHERE r.rolname !~ '^pg_' ORDER BY r.rolname"
        ),
    )
}

pub(super) fn of(rows: &Rows, labels: &mut Labels) -> Result<Vec<Role>> {
    rows.iter().map(|row| Role::of(row, labels)).collect()
}

impl Role {
    fn of(row: Row<'_>, labels: &mut Labels) -> Result<Self> {
        let mut attributes = [false; ATTRIBUTES.len()];
        for (has, (column, ..)) in attributes.iter_mut().zip(ATTRIBUTES) {
            *has = row.bool(column)?;
        }
        Ok(Self {
            name: row.string("rolname")?,
            attributes,
            connection_limit: row.i32("rolconnlimit")?,
            password: row.opt_string("password")?,
            valid_until: row.opt_string("valid_until")?,
            comment: row.opt_string("description")?,
            labels: labels.take(Catalog::AUTHID, row.oid("oid")?),
        })
    }

    /// CREATE and ALTER are two statements, so that a role that is there is made what it should be all the same.
    pub(super) fn define(&self, globals: &Globals, options: &GlobalsOptions) -> Sql {
        let mut sql = globals.sql();
        let name = self.name.as_bstr();
        sql.kw("CREATE ROLE ").ident(name).kw(";\n");
        sql.kw("ALTER ROLE ").ident(name).kw(" WITH");
        for (has, (_, yes, no)) in self.attributes.iter().zip(ATTRIBUTES) {
            sql.kw(if *has { yes } else { no });
        }
        if self.connection_limit != -1 {
            sql.kw(" CONNECTION LIMIT ").num(self.connection_limit);
        }
        if let Some(password) = self.password.as_ref().filter(|_| options.passwords) {
            globals.literal(sql.kw(" PASSWORD "), password.as_bstr());
        }
        if let Some(until) = &self.valid_until {
            globals.literal(sql.kw(" VALID UNTIL "), until.as_bstr());
        }
        sql.kw(";\n");
        if let Some(comment) = self.comment.as_ref().filter(|_| options.comments) {
            labels::append_comment(globals, &mut sql, "ROLE", name, comment.as_bstr());
        }
        if options.security_labels {
            labels::append(globals, &mut sql, "ROLE", name, &self.labels);
        }
        sql
    }

    pub(super) fn drop(&self, globals: &Globals, options: &GlobalsOptions) -> Sql {
        let mut sql = globals.sql();
        sql.kw(if options.if_exists { "DROP ROLE IF EXISTS " } else { "DROP ROLE " });
        sql.ident(self.name.as_bstr()).kw(";\n");
        sql
    }
}
