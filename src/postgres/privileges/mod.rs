//! Privileges: as the catalog has them, and the GRANT and REVOKE statements that make them so again.

mod item;
mod statements;
mod words;

use bstr::{BStr, BString, ByteSlice};

use super::components::Components;
use super::emit::{Depends, Emitter, NewEntry, Render, Subject};
use super::model::{DumpId, InitialPrivileges, Object};
use crate::error::{Context, ErrorKind, Result};
use crate::sql::{Sql, Style};
use crate::wire::Row;
use statements::Grantable;

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

    /// [`Components::PRIVILEGES`], where the column is not NULL.
    pub fn component(&self) -> Components {
        if self.items.is_some() { Components::PRIVILEGES } else { Components::NONE }
    }
}

impl InitialPrivileges {
    /// What schema public has in a new database, once it belongs to `owner`: since PostgreSQL 15 its owner may do
    /// everything in it, and everybody may look into it. It counts for older servers, too, for it is into a new database
    /// that the dump is restored.
    pub fn of_public(owner: &BStr) -> Self {
        let item = |grantee: &BStr, letters: &[u8]| {
            let mut item = Vec::new();
            item::quote_role(&mut item, grantee);
            item.extend_from_slice(letters);
            item::quote_role(&mut item, owner);
            BString::from(item)
        };
        Self { items: vec![item(owner, b"=UC/"), item(b"".as_bstr(), b"=U/")] }
    }
}

/// Where the privileges of an object differ from the common case.
#[derive(Debug, Default)]
pub struct PrivilegesOf<'a> {
    /// The column they are on. Initial privileges of the object itself do not count for a column.
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
        subject: &Subject<'_>,
        privileges: &Privileges,
        of: &PrivilegesOf<'_>,
    ) -> Result<Option<DumpId>> {
        if !object.dumped().has(Components::PRIVILEGES) || !render.options.privileges {
            return Ok(None);
        }
        let of_object = || render.model.initial_privileges.get(&(object.catalog_id?, 0));
        let initial = of.initial.or_else(|| if of.column.is_none() { of_object() } else { None });
        let (before, after) = match (initial, &privileges.items) {
            (None, None) => return Ok(None),
            (None, Some(items)) => (&privileges.default, items),
            (Some(initial), items) => (&initial.items, items.as_ref().unwrap_or(&privileges.default)),
        };

        let mut name = render.sql();
        subject.append_name(&mut name);
        let target = Grantable {
            prefix: &Sql::new(),
            words: subject.words,
            name: &name,
            column: of.column,
            style: render.style,
            owner: subject.owner,
        };
        let tag = match (&of.tag, of.column) {
            (Some(tag), _) => tag.clone(),
            (None, None) => subject.tag(),
            (None, Some(column)) => {
                let mut tag = render.sql();
                tag.kw("COLUMN ").sql(subject.name).kw(".").ident(column);
                tag.into_bstring()
            }
        };
        let sql = statements::statements(&target, before, after)
            .context(ErrorKind::Incomplete, || format!("dump the privileges on {tag}"))?;
        if sql.is_empty() {
            return Ok(None);
        }
        let mut entry = NewEntry::about(object.id, "ACL", tag);
        entry.schema = subject.schema.map(BString::from);
        entry.owner = Some(subject.owner.into());
        entry.definition = sql;
        if let (Depends::On(ids), Some(after)) = (&mut entry.depends, of.after) {
            ids.push(after);
        }
        Ok(Some(self.entry(entry)))
    }
}

/// The statements that lead from `before` to `after` for an object of `owner`'s, which GRANT calls `name` after these words.
///
/// # Errors
/// The words or a privilege are not known.
pub fn from_to(words: &BStr, name: &Sql, owner: &BStr, before: &[BString], after: &[BString]) -> Result<Sql> {
    const WORDS: [&str; 7] = ["TABLE", "SEQUENCE", "FUNCTION", "PROCEDURE", "TYPE", "SCHEMA", "LARGE OBJECT"];
    let known = WORDS.into_iter().find(|known| *words == **known).unwrap_or_default();
    let target = Grantable { prefix: &Sql::new(), words: known, name, column: None, style: name.style(), owner };
    statements::statements(&target, before, after)
        .context(ErrorKind::Incomplete, || format!("compare the privileges of {words} {name}", name = name.as_bstr()))
}

/// The statements that make the privileges on something that is in no database, of `owner`'s, what they are. `words` are those of
/// GRANT, and `name` is its quoted name.
///
/// # Errors
/// A privilege is not known.
pub fn of_shared(words: &'static str, name: &Sql, owner: &BStr, privileges: &Privileges) -> Result<Sql> {
    let Some(items) = &privileges.items else { return Ok(Sql::new()) };
    let target = Grantable { prefix: &Sql::new(), words, name, column: None, owner, style: name.style() };
    statements::statements(&target, &privileges.default, items)
        .context(ErrorKind::Incomplete, || format!("dump the privileges on {words} {name}", name = name.as_bstr()))
}

/// The words for the type of objects that default privileges are for, by its letter in `pg_default_acl`; `None` for one that a
/// newer server has.
pub fn type_of_default(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'r' => "TABLES",
        b'S' => "SEQUENCES",
        b'f' => "FUNCTIONS",
        b'T' => "TYPES",
        b'n' => "SCHEMAS",
        b'L' => "LARGE OBJECTS",
        _ => return None,
    })
}

/// The statements that lead from `before` to `after` for objects that `role` will make, in `schema` or anywhere.
///
/// # Errors
/// A privilege is not known.
pub fn default_privileges(
    role: &BStr,
    schema: Option<&BStr>,
    words: &'static str,
    (before, after): (&[BString], &[BString]),
    style: Style,
) -> Result<Sql> {
    let mut prefix = Sql::styled(style);
    prefix.kw("ALTER DEFAULT PRIVILEGES FOR ROLE ").ident(role).kw(" ");
    if let Some(schema) = schema {
        prefix.kw("IN SCHEMA ").ident(schema).kw(" ");
    }
    let target = Grantable { prefix: &prefix, words, name: &Sql::new(), column: None, style, owner: role };
    statements::statements(&target, before, after)
        .context(ErrorKind::Incomplete, || format!("dump the default privileges of \"{role}\" on {words}"))
}
