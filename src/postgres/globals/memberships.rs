//! Who is a member of which role, by whose grant, and with what options.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};

use super::Globals;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::version::ServerVersion;
use crate::printable;
use crate::sql::Sql;
use crate::wire::{Query, Row, Rows};

/// The role that a server is made with, which may grant everything.
const BOOTSTRAP_SUPERUSER: u32 = 10;

/// A grant of a role to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Membership {
    role: BString,
    member: BString,
    /// The role that granted it, if that is known.
    grantor: Option<BString>,
    /// Whether the grantor needs no right of its own.
    by_bootstrap_superuser: bool,
    admin: bool,
    /// Whether the member has the role's privileges, and whether it can take the role, where the server tells that.
    options: Option<(bool, bool)>,
}

pub(super) fn query(server: ServerVersion) -> Query {
    let options = if server.set_option_of_membership() {
        "m.inherit_option, m.set_option"
    } else {
        "false AS inherit_option, false AS set_option"
    };
    Query::new(
        "memberships of roles",
        format!(
            "SELECT r.rolname AS role, u.rolname AS member, g.rolname AS grantor, m.grantor AS grantor_oid, \
             m.admin_option, {options} FROM pg_catalog.pg_auth_members AS m \
             LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid \
             LEFT JOIN pg_catalog.pg_roles AS u ON u.oid = m.member \
             LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = m.grantor \
             WHERE NOT coalesce(r.rolname ~ '^pg_' AND u.rolname ~ '^pg_', false) ORDER BY 1, 2, 3"
        ),
    )
}

pub(super) fn of(rows: &Rows, server: ServerVersion) -> Result<Vec<Membership>> {
    rows.iter().map(|row| Membership::of(row, server)).collect()
}

impl Membership {
    fn of(row: Row<'_>, server: ServerVersion) -> Result<Self> {
        let name = |column: &str| {
            row.opt_string(column)?.ok_or_else(|| {
                Error::new(ErrorKind::Incomplete, "read the memberships of roles")
                    .why("the catalog has one of a role that does not exist")
                    .hint("delete that row from pg_auth_members")
            })
        };
        let has_options = server.set_option_of_membership();
        let options = (row.bool("inherit_option")?, row.bool("set_option")?);
        Ok(Self {
            role: name("role")?,
            member: name("member")?,
            grantor: row.opt_string("grantor")?,
            by_bootstrap_superuser: row.oid("grantor_oid")? == BOOTSTRAP_SUPERUSER,
            admin: row.bool("admin_option")?,
            options: has_options.then_some(options),
        })
    }

    /// `form` is the major version whose `pg_dumpall` writes it so.
    pub(super) fn statement(&self, globals: &Globals, form: u32) -> Sql {
        let mut sql = globals.sql();
        sql.kw("GRANT ").ident(self.role.as_bstr()).kw(" TO ").ident(self.member.as_bstr());
        match self.options {
            Some((inherit, set)) => {
                sql.kw(if self.admin { " WITH ADMIN OPTION, " } else { " WITH " });
                sql.kw(if inherit { "INHERIT TRUE" } else { "INHERIT FALSE" });
                sql.kw(if set { "" } else { ", SET FALSE" });
            }
            None if self.admin => {
                sql.kw(" WITH ADMIN OPTION");
            }
            None => {}
        }
        // Older servers took anybody for the grantor, and newer ones would refuse what they say.
        let is_told = self.options.is_some() || form < 16;
        if let Some(grantor) = self.grantor.as_ref().filter(|_| is_told) {
            sql.kw(" GRANTED BY ").ident(grantor.as_bstr());
        }
        sql.kw(";\n");
        sql
    }
}

/// The same in an order in which each grantor has what it needs when its grant comes. Those that need not wait stay in their
/// order.
pub(super) fn in_order(all: Vec<Membership>) -> Result<Vec<Membership>> {
    let mut ordered = Vec::with_capacity(all.len());
    for of_role in all.chunk_by(|a, b| a.role == b.role) {
        let mut admins: HashSet<&BString> = HashSet::new();
        let mut waiting: Vec<&Membership> = of_role.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|one| {
                let can = one.options.is_none()
                    || one.by_bootstrap_superuser
                    || one.grantor.as_ref().is_some_and(|grantor| admins.contains(grantor));
                if can {
                    if one.admin {
                        admins.insert(&one.member);
                    }
                    ordered.push((*one).clone());
                }
                !can
            });
            if waiting.len() == before {
                return Err(without_order(waiting[0]));
            }
        }
    }
    Ok(ordered)
}

fn without_order(one: &Membership) -> Error {
    let role = printable::name(one.role.as_bstr());
    let grantor = one.grantor.as_ref().map_or("a role that does not exist".into(), |grantor| {
        format!("\"{}\", who may not grant it", printable::name(grantor.as_bstr()))
    });
    Error::new(ErrorKind::Incomplete, format!("find an order for the members of role \"{role}\""))
        .why(format!("\"{}\" has it from {grantor}", printable::name(one.member.as_bstr())))
        .hint("revoke that, and grant it anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(member: &str, grantor: &str, admin: bool) -> Membership {
        Membership {
            role: "r".into(),
            member: member.into(),
            grantor: Some(grantor.into()),
            by_bootstrap_superuser: grantor == "root",
            admin,
            options: Some((true, true)),
        }
    }

    fn members(all: Vec<Membership>) -> Vec<String> {
        all.iter().map(|one| one.member.to_string()).collect()
    }

    #[test]
    fn grantors_come_before_their_grants() {
        let all = vec![
            grant("a", "c", false),
            grant("b", "d", true),
            grant("c", "b", true),
            grant("d", "root", true),
            grant("e", "d", false),
        ];
        assert_eq!(members(in_order(all).unwrap()), ["d", "e", "b", "c", "a"]);
    }

    #[test]
    fn what_nobody_can_have_granted_is_an_error() {
        let all = vec![grant("a", "b", true), grant("b", "a", true)];
        let error = in_order(all).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
    }
}
