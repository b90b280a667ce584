//! The model of a database: every object that may go into a dump, and what depends on what.
//!
//! What all objects share is in [`Object`]; what is peculiar to a kind is in its [`Body`], which the kind's own file
//! under `objects/` defines.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
pub use pgformat::DumpId;

use super::catalogs::{Catalog, CatalogId};
use super::emit::{Emitter, Render};
use super::graph::{LoopRole, Rank};
use super::privileges::InitialPrivileges;
use super::select::Selected;
use crate::error::{Error, ErrorKind, Result};

/// The parts of an object that can be dumped one without the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts(u16);

impl Parts {
    /// Nothing of it.
    pub const NONE: Parts = Parts(0);
    /// The statements that create it.
    pub const DEFINITION: Parts = Parts(1);
    /// Its rows.
    pub const DATA: Parts = Parts(2);
    /// Its comments.
    pub const COMMENT: Parts = Parts(4);
    /// Its security labels.
    pub const LABEL: Parts = Parts(8);
    /// Its privileges.
    pub const PRIVILEGES: Parts = Parts(16);
    /// Its row security policies.
    pub const POLICY: Parts = Parts(32);
    /// Its user mappings.
    pub const USER_MAPPING: Parts = Parts(64);
    /// Its statistics.
    pub const STATISTICS: Parts = Parts(128);
    /// All of it.
    pub const ALL: Parts = Parts(0xff);

    /// Whether any of `other` is in it.
    pub fn has(self, other: Parts) -> bool {
        self.0 & other.0 != 0
    }

    /// What both have.
    #[must_use]
    pub fn and(self, other: Parts) -> Parts {
        Parts(self.0 & other.0)
    }

    /// What either has.
    #[must_use]
    pub fn or(self, other: Parts) -> Parts {
        Parts(self.0 | other.0)
    }

    /// What this has and `other` has not.
    #[must_use]
    pub fn without(self, other: Parts) -> Parts {
        Parts(self.0 & !other.0)
    }

    /// Whether there is nothing in it.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What is peculiar to one kind of object.
pub trait Body: Any + Send + Sync {
    /// The kind's place in the order of the archive.
    fn rank(&self) -> Rank;

    /// What the order goes by between two objects of this kind that have the same schema and name.
    fn tie_break(&self, _other: &dyn Body, _model: &Model) -> Ordering {
        Ordering::Equal
    }

    /// On which side of the data it belongs, and so the section of its entry, for what belongs to another part than its
    /// rank says.
    fn place(&self) -> super::graph::Place {
        self.rank().place()
    }

    /// What the object is in a loop of dependencies.
    fn loop_role(&self) -> LoopRole {
        LoopRole::Other
    }

    /// Gives the object an entry of its own, or a stand-in, to break a loop.
    fn separate(&mut self) {}

    /// Writes the object's entries.
    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()>;
}

impl dyn Body {
    /// The body as the kind that it is.
    pub fn downcast<T: Body>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// An object of the database, or of the dump's own making.
pub struct Object {
    /// Its number in the dump.
    pub id: DumpId,
    /// Its row in the catalog; none for what exists in a dump only.
    pub catalog_id: Option<CatalogId>,
    /// The name it is sorted by.
    pub name: BString,
    /// The schema it is in.
    pub schema: Option<DumpId>,
    /// The parts of it that are to be dumped.
    pub wanted: Parts,
    /// The parts that it has; see [`Object::dumped`].
    pub has: Parts,
    /// What is wanted of the objects inside it (of a schema, an extension), where that differs from `wanted`.
    pub contents_wanted: Parts,
    /// Whether it is a member of an extension.
    pub extension_member: bool,
    /// Whether it depends on an extension (`ALTER … DEPENDS ON EXTENSION`).
    pub depends_on_extension: bool,
    /// What must come before it; may name an object more than once.
    pub dependencies: Vec<DumpId>,
    /// What is peculiar to its kind.
    pub body: Box<dyn Body>,
}

impl Object {
    /// The parts that will be dumped: wanted, and there.
    pub fn dumped(&self) -> Parts {
        self.wanted.and(self.has)
    }

    /// The body as the kind that it is.
    pub fn body<T: Body>(&self) -> Option<&T> {
        self.body.downcast()
    }
}

/// How it is decided what is wanted of a new object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Whatever is wanted of the contents of its schema.
    LikeSchema,
    /// All of it if it was made by a user and everything is being dumped, nothing if it came with the cluster.
    IfUsers,
    /// Just these parts.
    These(Parts),
}

/// What a kind says of an object that it adds.
pub struct NewObject<B> {
    /// Its row in the catalog.
    pub catalog_id: Option<CatalogId>,
    /// The name it is sorted by.
    pub name: BString,
    /// The schema it is in.
    pub schema: Option<DumpId>,
    /// How it is decided what is wanted of it, unless it is a member of an extension, which overrides this.
    pub wanted: Wanted,
    /// The parts that it has. Comments and security labels are added by the model where there are any.
    pub has: Parts,
    /// What is peculiar to its kind.
    pub body: B,
}

/// A comment on an object (`sub_id` 0) or on a column of it.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The column's number, or 0.
    pub sub_id: i32,
    /// What it says.
    pub text: BString,
}

/// A security label of an object (`sub_id` 0) or of a column of it.
#[derive(Debug, Clone)]
pub struct SecurityLabel {
    /// The column's number, or 0.
    pub sub_id: i32,
    /// Who interprets it.
    pub provider: BString,
    /// What it says.
    pub label: BString,
}

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
        let mut wanted = match new.wanted {
            Wanted::LikeSchema => {
                new.schema.map_or(Parts::NONE, |schema| self.get(schema).map_or(Parts::NONE, |s| s.contents_wanted))
            }
            Wanted::IfUsers => match new.catalog_id {
                Some(id) if id.oid < super::catalogs::FIRST_USER_OID => Parts::NONE,
                _ => self.selected.in_no_schema(),
            },
            Wanted::These(parts) => parts,
        };
        let extension = new.catalog_id.and_then(|id| self.extension_members.get(&id).copied());
        let mut dependencies = Vec::new();
        if let Some(extension) = extension {
            // Members come with CREATE EXTENSION; only privileges that were changed afterwards are dumped.
            wanted = self.get(extension).map_or(Parts::NONE, |e| e.contents_wanted.and(Parts::PRIVILEGES));
            dependencies.push(extension);
        }
        let mut has = new.has;
        if let Some(catalog_id) = new.catalog_id {
            self.by_catalog_id.insert(catalog_id, id);
            if self.comments.contains_key(&catalog_id) {
                has = has.or(Parts::COMMENT);
            }
            if self.labels.contains_key(&catalog_id) {
                has = has.or(Parts::LABEL);
            }
            if self.initial_privileges.contains_key(&(catalog_id, 0)) {
                has = has.or(Parts::PRIVILEGES);
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
            extension_member: extension.is_some(),
            depends_on_extension: false,
            dependencies,
            body: Box::new(new.body),
        });
        id
    }

    /// Notes that another catalog row is the object `id`, too, and has the comments and labels that it has.
    pub fn also(&mut self, catalog_id: CatalogId, id: DumpId) {
        self.by_catalog_id.insert(catalog_id, id);
        let comment = if self.comments.contains_key(&catalog_id) { Parts::COMMENT } else { Parts::NONE };
        let label = if self.labels.contains_key(&catalog_id) { Parts::LABEL } else { Parts::NONE };
        if let Some(object) = self.get_mut(id) {
            object.has = object.has.or(comment).or(label);
        }
    }

    /// The number of objects; their numbers run from 1 to it.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
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

    /// All objects in the order of their numbers, to be changed.
    pub fn objects_mut(&mut self) -> impl Iterator<Item = &mut Object> {
        self.objects.iter_mut()
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
