//! The model of a database: every object that may go into a dump, and what depends on what.
//!
//! What all objects share is in [`Object`]; what is peculiar to a kind is in its [`Body`], which the kind's own file
//! under `objects/` defines.

mod annotations;
mod loop_role;
mod object;
mod rank;

use std::any::Any;
use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
pub use pgformat::DumpId;

use super::catalogs::{Catalog, CatalogId, FIRST_USER_OID};
pub use super::components::Components;
use super::select::Selected;
use crate::error::{Error, ErrorKind, Result};
pub use annotations::{Comment, InitialPrivileges, SecurityLabel};
pub use loop_role::LoopRole;
pub use object::{Body, NewObject, Object, SelectedBy};
pub use rank::{Rank, Side};

/// The model of a database.
#[derive(Default)]
pub struct Model {
    objects: Vec<Object>,
    by_catalog_id: HashMap<CatalogId, DumpId>,
    /// Catalog rows that are part of an object without being one; see [`Model::account`].
    accounted: HashSet<CatalogId>,
    /// The extension that a catalog row is a member of.
    pub extension_members: HashMap<CatalogId, DumpId>,
    /// Roles' names by OID.
    pub roles: HashMap<u32, BString>,
    /// Comments by object.
    pub comments: HashMap<CatalogId, Vec<Comment>>,
    /// Security labels by object.
    pub labels: HashMap<CatalogId, Vec<SecurityLabel>>,
    /// Initial privileges by object and column number.
    pub initial_privileges: HashMap<(CatalogId, i32), InitialPrivileges>,
    /// What of the database is being dumped.
    pub selected: Selected,
}

impl Model {
    /// An empty model, for a dump of what is selected.
    pub fn new(selected: Selected) -> Self {
        Self { selected, ..Self::default() }
    }

    /// Adds an object, decides what is wanted of it and links it to its extension, and returns its number.
    pub fn add<B: Body>(&mut self, new: NewObject<B>) -> DumpId {
        let id = DumpId(i32::try_from(self.objects.len() + 1).unwrap_or(i32::MAX));
        let mut wanted = match new.selected_by {
            SelectedBy::Schema => new
                .schema
                .map_or(Components::NONE, |schema| self.get(schema).map_or(Components::NONE, |s| s.contents_wanted)),
            SelectedBy::Origin => match new.catalog_id {
                Some(id) if id.oid < FIRST_USER_OID => Components::NONE,
                _ => self.selected.in_no_schema(),
            },
            SelectedBy::Kind(parts) => parts,
        };
        let extension = new.catalog_id.and_then(|id| self.extension_members.get(&id).copied());
        let mut dependencies = Vec::new();
        if let Some(extension) = extension {
            // Members come with CREATE EXTENSION; only privileges that were changed afterwards are dumped.
            wanted = self.get(extension).map_or(Components::NONE, |e| e.contents_wanted.and(Components::PRIVILEGES));
            dependencies.push(extension);
        }
        let mut has = new.has;
        if let Some(catalog_id) = new.catalog_id {
            self.by_catalog_id.insert(catalog_id, id);
            if self.comments.contains_key(&catalog_id) {
                has = has.or(Components::COMMENT);
            }
            if self.labels.contains_key(&catalog_id) {
                has = has.or(Components::LABEL);
            }
            if self.initial_privileges.contains_key(&(catalog_id, 0)) {
                has = has.or(Components::PRIVILEGES);
            }
        }
        self.objects.push(Object {
            id,
            catalog_id: new.catalog_id,
            name: new.name,
            schema: new.schema,
            wanted,
            has,
            contents_wanted: wanted,
            depends_on_extension: false,
            dependencies,
            body: Box::new(new.body),
        });
        id
    }

    /// Notes that another catalog row is the object `id`, too, and has the comments and labels that it has.
    pub fn also(&mut self, catalog_id: CatalogId, id: DumpId) {
        self.by_catalog_id.insert(catalog_id, id);
        let comment = if self.comments.contains_key(&catalog_id) { Components::COMMENT } else { Components::NONE };
        let label = if self.labels.contains_key(&catalog_id) { Components::LABEL } else { Components::NONE };
        if let Some(object) = self.get_mut(id) {
            object.has = object.has.or(comment).or(label);
        }
    }

    /// The number of objects; their numbers run from 1 to it.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// The object of that number.
    pub fn get(&self, id: DumpId) -> Option<&Object> {
        self.objects.get(index(id)?)
    }

    /// The object of that number, to be changed.
    pub fn get_mut(&mut self, id: DumpId) -> Option<&mut Object> {
        self.objects.get_mut(index(id)?)
    }

    /// All objects in the order of their numbers.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }

    /// All objects of one kind.
    pub fn of_kind<T: Body>(&self) -> impl Iterator<Item = (&Object, &T)> {
        self.objects.iter().filter_map(|object| Some((object, object.body::<T>()?)))
    }

    /// The number of the object that a catalog row is.
    pub fn find(&self, catalog: Catalog, oid: u32) -> Option<DumpId> {
        self.by_catalog_id.get(&CatalogId { catalog, oid }).copied()
    }

    /// The object that a catalog row is.
    pub fn find_object(&self, catalog: Catalog, oid: u32) -> Option<&Object> {
        self.get(self.find(catalog, oid)?)
    }

    /// The object that a catalog row is, with its body, where it is of that kind.
    pub fn find_body<T: Body>(&self, catalog: Catalog, oid: u32) -> Option<(&Object, &T)> {
        let object = self.find_object(catalog, oid)?;
        Some((object, object.body::<T>()?))
    }

    /// The body of the object of that number, where it is of that kind.
    pub fn body<T: Body>(&self, id: DumpId) -> Option<&T> {
        self.get(id)?.body()
    }

    /// The body of the object of that number, to be changed, where it is of that kind.
    pub fn body_mut<T: Body>(&mut self, id: DumpId) -> Option<&mut T> {
        (self.get_mut(id)?.body.as_mut() as &mut dyn Any).downcast_mut()
    }

    /// Notes that `object` must come after `on`.
    pub fn depend(&mut self, object: DumpId, on: DumpId) {
        if let Some(object) = self.get_mut(object) {
            object.dependencies.push(on);
        }
    }

    /// Forgets every note that `object` must come after `on`.
    pub fn undepend(&mut self, object: DumpId, on: DumpId) {
        if let Some(object) = self.get_mut(object) {
            object.dependencies.retain(|d| *d != on);
        }
    }

    /// Notes that a catalog row was read and needs no object of its own: it is part of another's definition, or says
    /// nothing that would have to be dumped. What is neither an object nor accounted for fails the dump.
    pub fn account(&mut self, id: CatalogId) {
        self.accounted.insert(id);
    }

    /// Whether a catalog row is an object of the model, part of one, or a member of an extension.
    pub fn accounts_for(&self, id: CatalogId) -> bool {
        self.by_catalog_id.contains_key(&id) || self.accounted.contains(&id) || self.extension_members.contains_key(&id)
    }

    /// The name of the schema that an object is in.
    pub fn schema_name(&self, object: &Object) -> Option<&BStr> {
        Some(self.get(object.schema?)?.name.as_bstr())
    }

    /// The number of the schema with this OID.
    ///
    /// # Errors
    /// If there is none, which means that the catalog is damaged or was changed under our hands; `what` names the object
    /// that claims to be in it.
    pub fn schema(&self, oid: u32, what: &BStr) -> Result<DumpId> {
        self.find(Catalog::NAMESPACE, oid).ok_or_else(|| {
            Error::new(ErrorKind::Incomplete, format!("find the schema of \"{what}\""))
                .why(format!("the catalog has no schema with OID {oid}"))
        })
    }

    /// The name of a role.
    ///
    /// # Errors
    /// If there is no such role; `what` names the object that belongs to it.
    pub fn role(&self, oid: u32, what: &BStr) -> Result<&BStr> {
        self.roles.get(&oid).map(|name| name.as_bstr()).ok_or_else(|| {
            Error::new(ErrorKind::Incomplete, format!("find the owner of \"{what}\""))
                .why(format!("there is no role with OID {oid}"))
                .hint("give the object to a role that exists: ALTER … OWNER TO …")
        })
    }
}

fn index(id: DumpId) -> Option<usize> {
    usize::try_from(id.0).ok()?.checked_sub(1)
}
