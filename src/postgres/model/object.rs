//! An object of the model: what all kinds have in common, and the [`Body`] that is peculiar to one.

use std::any::Any;
use std::cmp::Ordering;

use bstr::BString;
use pgformat::DumpId;

use super::{LoopRole, Model, Rank, Side};
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::components::Components;
use crate::postgres::emit::{Emitter, Render};

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
    fn side(&self) -> Side {
        self.rank().side()
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
    /// The components of it that are to be dumped.
    pub wanted: Components,
    /// The components that it has; see [`Object::dumped`].
    pub has: Components,
    /// What is wanted of the objects inside it (of a schema, an extension), where that differs from `wanted`.
    pub contents_wanted: Components,
    /// Whether it depends on an extension (`ALTER … DEPENDS ON EXTENSION`).
    pub depends_on_extension: bool,
    /// What must come before it; may name an object more than once.
    pub dependencies: Vec<DumpId>,
    /// What is peculiar to its kind.
    pub body: Box<dyn Body>,
}

impl Object {
    /// The components that will be dumped: wanted, and there.
    pub fn dumped(&self) -> Components {
        self.wanted.and(self.has)
    }

    /// The body as the kind that it is.
    pub fn body<T: Body>(&self) -> Option<&T> {
        self.body.downcast()
    }
}

/// What decides which components of a new object are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectedBy {
    /// Its schema: whatever is wanted of the contents of that.
    Schema,
    /// Its origin: all of it if it was made by a user and everything is being dumped, nothing if it came with the cluster.
    Origin,
    /// Its kind, which has decided: these.
    Kind(Components),
}

/// What a kind says of an object that it adds.
pub struct NewObject<B> {
    /// Its row in the catalog.
    pub catalog_id: Option<CatalogId>,
    /// The name it is sorted by.
    pub name: BString,
    /// The schema it is in.
    pub schema: Option<DumpId>,
    /// What decides which components are wanted, unless it is a member of an extension, which overrides this.
    pub selected_by: SelectedBy,
    /// The components that it has. Comments and security labels are added by the model where there are any.
    pub has: Components,
    /// What is peculiar to its kind.
    pub body: B,
}

impl<B> NewObject<B> {
    /// One that is in no schema, is wanted by its origin, and consists of its definition.
    pub fn of(catalog: Catalog, oid: u32, name: BString, body: B) -> Self {
        let catalog_id = Some(CatalogId { catalog, oid });
        Self { catalog_id, selected_by: SelectedBy::Origin, ..Self::made(name, body) }
    }

    /// One that is wanted as its schema is, and consists of its definition.
    pub fn in_schema(catalog: Catalog, oid: u32, name: BString, schema: Option<DumpId>, body: B) -> Self {
        Self { schema, selected_by: SelectedBy::Schema, ..Self::of(catalog, oid, name, body) }
    }

    /// One of the dump's own making, which is wanted.
    pub fn made(name: BString, body: B) -> Self {
        let selected_by = SelectedBy::Kind(Components::ALL);
        Self { catalog_id: None, name, schema: None, selected_by, has: Components::DEFINITION, body }
    }

    /// This, in a schema, by which it is sorted.
    pub fn schema(self, schema: Option<DumpId>) -> Self {
        Self { schema, ..self }
    }

    /// This, of which that decides which components are wanted.
    pub fn selected_by(self, selected_by: SelectedBy) -> Self {
        Self { selected_by, ..self }
    }

    /// This, of which its kind wants these components.
    pub fn wanted(self, components: Components) -> Self {
        self.selected_by(SelectedBy::Kind(components))
    }

    /// This, consisting of these components.
    pub fn has(self, has: Components) -> Self {
        Self { has, ..self }
    }
}
