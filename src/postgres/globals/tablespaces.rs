//! Tablespaces.

use bstr::{BStr, BString, ByteSlice};

use super::labels::{self, Labels};
use super::{Globals, GlobalsOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::model::SecurityLabel;
use crate::postgres::privileges::{self, Privileges};
use crate::printable;
use crate::sql::Sql;
use crate::wire::{Query, Row, Rows};

/// A tablespace.
pub(super) struct Tablespace {
    pub name: BString,
    owner: BString,
    /// Its folder on the server; where that is in the server's own, which begins with no slash, there is none to be named.
    location: BString,
    /// `name=value` each.
    options: Vec<BString>,
    privileges: Privileges,
    comment: Option<BString>,
    labels: Vec<SecurityLabel>,
}

pub(super) fn query() -> Query {
    Query::new(
        "tablespaces",
        "SELECT t.oid, t.spcname, r.rolname AS owner, \
         CASE WHEN t.spcname ~ '^pg_' THEN '' ELSE pg_catalog.pg_tablespace_location(t.oid) END AS location, \
         t.spcoptions AS options, t.spcacl::pg_catalog.text[] AS acl, \
         pg_catalog.acldefault('t', t.spcowner)::pg_catalog.text[] AS acl_default, d.description \
         FROM pg_catalog.pg_tablespace AS t LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = t.spcowner \
         LEFT JOIN pg_catalog.pg_shdescription AS d \
           ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_tablespace'::pg_catalog.regclass ORDER BY t.oid",
    )
}

pub(super) fn of(rows: &Rows, labels: &mut Labels) -> Result<Vec<Tablespace>> {
    rows.iter().map(|row| Tablespace::of(row, labels)).collect()
}

impl Tablespace {
    fn of(row: Row<'_>, labels: &mut Labels) -> Result<Self> {
        let name = row.string("spcname")?;
        let owner = row.opt_string("owner")?.ok_or_else(|| {
            Error::new(
                ErrorKind::Incomplete,
                format!("find the owner of tablespace \"{}\"", printable::name(name.as_bstr())),
            )
            .why("there is no such role")
            .hint("give it to a role that exists: ALTER TABLESPACE … OWNER TO …")
        })?;
        Ok(Self {
            owner,
            location: row.opt_string("location")?.unwrap_or_default(),
            options: row.opt_texts("options")?.unwrap_or_default().into_iter().flatten().collect(),
            privileges: Privileges::from_row(row, "acl", "acl_default")?,
            comment: row.opt_string("description")?,
            labels: labels.take(Catalog::TABLESPACE, row.oid("oid")?),
            name,
        })
    }

    /// Whether it comes with every server.
    pub(super) fn is_the_servers(&self) -> bool {
        self.name.starts_with(b"pg_")
    }

    /// Whether there is something to be said of it besides that it is there.
    pub(super) fn is_changed(&self) -> bool {
        let has_privileges = self.privileges.items.is_some();
        has_privileges || self.comment.is_some() || !self.options.is_empty() || !self.labels.is_empty()
    }

    pub(super) fn define(&self, globals: &Globals, options: &GlobalsOptions) -> Result<Sql> {
        let mut sql = globals.sql();
        let name = self.name.as_bstr();
        if !self.is_the_servers() {
            sql.kw("CREATE TABLESPACE ").ident(name).kw(" OWNER ").ident(self.owner.as_bstr()).kw(" LOCATION ");
            let location = if self.location.starts_with(b"/") { self.location.as_bstr() } else { BStr::new("") };
            globals.literal(&mut sql, location).kw(";\n");
        }
        self.append_options(&mut sql)?;
        if options.privileges {
            let mut quoted = globals.sql();
            quoted.ident(name);
            sql.sql(&privileges::of_shared("TABLESPACE", &quoted, self.owner.as_bstr(), &self.privileges)?);
        }
        if let Some(comment) = self.comment.as_ref().filter(|_| options.comments) {
            labels::append_comment(globals, &mut sql, "TABLESPACE", name, comment.as_bstr());
        }
        if options.security_labels {
            labels::append(globals, &mut sql, "TABLESPACE", name, &self.labels);
        }
        Ok(sql)
    }

    fn append_options(&self, sql: &mut Sql) -> Result<()> {
        for (i, item) in self.options.iter().enumerate() {
            let (option, value) = item.split_once_str("=").ok_or_else(|| {
                Error::new(
                    ErrorKind::Incomplete,
                    format!("dump tablespace \"{}\"", printable::name(self.name.as_bstr())),
                )
                .why(format!("its option \"{}\" is not of the form name=value", printable::name(item.as_bstr())))
            })?;
            if i == 0 {
                sql.kw("ALTER TABLESPACE ").ident(self.name.as_bstr()).kw(" SET (");
            } else {
                sql.kw(", ");
            }
            sql.ident_where_needed(option.as_bstr()).kw("=").numeric_text(value.as_bstr());
        }
        sql.kw(if self.options.is_empty() { "" } else { ");\n" });
        Ok(())
    }

    pub(super) fn drop(&self, globals: &Globals, options: &GlobalsOptions) -> Sql {
        let mut sql = globals.sql();
        sql.kw(if options.if_exists { "DROP TABLESPACE IF EXISTS " } else { "DROP TABLESPACE " });
        sql.ident(self.name.as_bstr()).kw(";\n");
        sql
    }
}
