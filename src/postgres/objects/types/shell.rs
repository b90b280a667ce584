//! Shell types: a name that stands for a type while the functions that the type is made of are not there yet.

use std::cmp::Ordering;

use bstr::ByteSlice;

use super::Type;
use crate::error::Result;
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::model::{Body, Components, DumpId, Model, NewObject, Object, Rank};

/// The shell of a base or range type. It is in the dump only where a function has to come before the type; that is
/// found out when the loop between the two is broken.
pub struct ShellType {
    /// The type.
    of: DumpId,
}

impl ShellType {
    /// Adds the shell of the type `of`. It has no catalog row of its own: that is the type's.
    pub(super) fn add(model: &mut Model, of: DumpId) -> Option<DumpId> {
        let (name, schema) = model.get(of).map(|o| (o.name.clone(), o.schema))?;
        Some(model.add(NewObject::made(name, ShellType { of }).schema(schema).wanted(Components::NONE)))
    }
}

impl Body for ShellType {
    fn rank(&self) -> Rank {
        Rank::Type
    }

    fn tie_break(&self, other: &dyn Body, _: &Model) -> Ordering {
        if other.downcast::<Type>().is_some() { Ordering::Greater } else { Ordering::Equal }
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut entry = NewEntry::of(object, render, "SHELL TYPE", object.name.clone());
        entry.owner = Some(render.model.body::<Type>(self.of).map(|t| t.owner.clone()).unwrap_or_default());
        // No drop statement: dropping the type drops it, and a restore that sees none leaves the owner alone until the
        // type is complete.
        entry.definition.kw("CREATE TYPE ").qualified(render.schema(object), object.name.as_bstr()).kw(";\n");
        out.entry(entry);
        Ok(())
    }
}
