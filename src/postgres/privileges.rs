//! Privileges as the catalog has them.

use bstr::{BStr, BString};

use super::emit::{Emitter, Render, Subject};
use super::model::{DumpId, Object, Parts};
use crate::error::{Error, ErrorKind, Result};
use crate::wire::Row;

/// An object's privileges: what is in its `…acl` column, and what the server would assume where that is NULL.
#[derive(Debug, Clone, Default)]
pub struct Privileges {
    /// The items of the column (`grantee=privileges/grantor`), where it is not NULL.
    pub items: Option<Vec<BString>>,
    /// What NULL stands for (`acldefault()` of the kind and the owner).
    pub default: Vec<BString>,
}

impl Privileges {
    /// Reads them from two columns of type `text[]`.
    ///
    /// # Errors
    /// A column is missing or has another type.
    pub fn from_row(row: Row<'_>, items: &str, default: &str) -> Result<Self> {
        Ok(Self {
            items: row.opt_texts(items)?.map(|items| items.into_iter().flatten().collect()),
            default: row.opt_texts(default)?.unwrap_or_default().into_iter().flatten().collect(),
        })
    }

    /// [`Parts::PRIVILEGES`], where the column is not NULL.
    pub fn part(&self) -> Parts {
        if self.items.is_some() { Parts::PRIVILEGES } else { Parts::NONE }
    }
}

/// The privileges that an object had when initdb or its extension had made it (`pg_init_privs`).
#[derive(Debug, Clone)]
pub struct InitialPrivileges {
    /// `i` for initdb's, `e` for an extension's.
    pub kind: u8,
    /// The items.
    pub items: Vec<BString>,
}

/// Where the privileges of an object differ from the common case.
#[derive(Debug, Default)]
pub struct PrivilegesOf<'a> {
    /// The column they are on.
    pub column: Option<&'a BStr>,
    /// The tag, where it is not made of the kind's words and the name.
    pub tag: Option<BString>,
    /// A second entry that must come first: the table's own privileges, for those of its columns.
    pub after: Option<DumpId>,
    /// Initial privileges that count instead of those in the catalog.
    pub initial: Option<&'a InitialPrivileges>,
}

impl Emitter {
    /// Adds the GRANT and REVOKE statements that lead from the object's initial privileges to those it has, as an ACL
    /// entry, where they are wanted and differ. Returns the entry's number.
    ///
    /// # Errors
    /// A privilege is not known.
    pub fn privileges(
        &mut self,
        render: &Render<'_>,
        object: &Object,
        subject: &Subject<'_>,
        privileges: &Privileges,
    ) -> Result<Option<DumpId>> {
        self.privileges_of(render, object, subject, privileges, &PrivilegesOf::default())
    }

    /// As [`Emitter::privileges`], with what differs from the common case.
    ///
    /// # Errors
    /// A privilege is not known.
    pub fn privileges_of(
        &mut self,
        render: &Render<'_>,
        object: &Object,
        _subject: &Subject<'_>,
        _privileges: &Privileges,
        _of: &PrivilegesOf<'_>,
    ) -> Result<Option<DumpId>> {
        if !object.dumped().has(Parts::PRIVILEGES) || !render.options.privileges {
            return Ok(None);
        }
        Err(Error::new(ErrorKind::Incomplete, format!("dump the privileges of \"{}\"", object.name))
            .why("privileges are not dumped yet"))
    }
}
