//! Default privileges: those that objects made in the future will have.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank, SelectedBy};
use crate::postgres::privileges::{self, Privileges};
use crate::wire::{Query, Row};

/// Those for a schema can only add to what holds everywhere: they start from nothing. Those for all schemas replace what
/// the server has built in: they start from that. `acldefault` has another letter for sequences.
const DEFAULT_PRIVILEGES: &str = "\
    SELECT oid, defaclrole, defaclnamespace, defaclobjtype, defaclacl::pg_catalog.text[] AS acl, \
           CASE WHEN defaclnamespace <> 0 THEN '{}' \
                ELSE pg_catalog.acldefault(CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END, defaclrole) \
           END::pg_catalog.text[] AS acl_default \
    FROM pg_catalog.pg_default_acl ORDER BY oid";

pub(super) struct AllDefaultPrivileges;

/// What a role's objects of one type get.
struct DefaultPrivileges {
    role: BString,
    /// The words for the type of object.
    words: &'static str,
    privileges: Privileges,
}

impl Kind for AllDefaultPrivileges {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::DEFAULT_ACL)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![Query::new("default privileges", DEFAULT_PRIVILEGES)]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let letter = row.char("defaclobjtype")?;
        let Some(words) = privileges::type_of_default(letter) else {
            return Err(Error::new(ErrorKind::Incomplete, "dump default privileges")
                .why(format!("those for the type '{}' of objects are not known", char::from(letter))));
        };
        let schema = match row.oid("defaclnamespace")? {
            0 => None,
            oid => Some(model.schema(oid, "default privileges".into())?),
        };
        let body = DefaultPrivileges {
            role: model.role(row.oid("defaclrole")?, "default privileges".into())?.into(),
            words,
            privileges: Privileges::from_row(row, "acl", "acl_default")?,
        };
        let everywhere = SelectedBy::Kind(model.selected.in_no_schema());
        let new = NewObject::of(Catalog::DEFAULT_ACL, row.oid("oid")?, [letter].as_bstr().into(), body);
        model.add(
            new.schema(schema)
                .selected_by(if schema.is_some() { SelectedBy::Schema } else { everywhere })
                .has(Components::PRIVILEGES),
        );
        Ok(())
    }
}

impl Body for DefaultPrivileges {
    fn rank(&self) -> Rank {
        Rank::DefaultPrivileges
    }

    fn tie_break(&self, other: &dyn Body, _: &Model) -> Ordering {
        other.downcast::<Self>().map_or(Ordering::Equal, |other| self.role.cmp(&other.role))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !object.dumped().has(Components::PRIVILEGES) || !render.options.privileges {
            return Ok(());
        }
        let mut tag = b"DEFAULT PRIVILEGES FOR ".to_vec();
        tag.extend_from_slice(self.words.as_bytes());
        let mut entry = NewEntry::of(object, render, "DEFAULT ACL", tag);
        entry.owner = Some(self.role.clone());
        let schema = render.model.schema_name(object);
        let items = self.privileges.items.as_deref().unwrap_or_default();
        entry.definition = privileges::default_privileges(
            self.role.as_bstr(),
            schema,
            self.words,
            (&self.privileges.default, items),
            render.style,
        )?;
        out.entry(entry);
        Ok(())
    }
}
