//! ATTACH PARTITION. Partitions are made by themselves, so that each keeps its own order of columns and can be restored
//! without its parent, and are attached afterwards.

use bstr::BString;

use super::Relation;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, Model, NewObject, Object, Rank};
use crate::wire::Rows;

/// Adds an object for each partition's place in its parent; comes after relations' details.
pub(in super::super) struct Attaches;

/// A partition's place in its parent.
pub struct Attach {
    parent: DumpId,
    partition: DumpId,
}

impl Kind for Attaches {
    fn collect(&self, _: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let mut partitions: Vec<(DumpId, DumpId, BString, Option<DumpId>)> = Vec::new();
        let of_interest = |(object, relation): &(&Object, &Relation)| {
            object.wanted.has(Components::DEFINITION) && relation.is_partition
        };
        for (object, relation) in model.of_kind::<Relation>().filter(of_interest) {
            let [parent] = relation.parents.as_slice() else {
                return Err(Error::new(ErrorKind::Incomplete, format!("dump the partition \"{}\"", object.name))
                    .why(format!("it has {} parents instead of one", relation.parents.len()))
                    .hint("the catalog is damaged, or the partition was detached a moment ago: try again"));
            };
            partitions.push((*parent, object.id, object.name.clone(), object.schema));
        }
        for (parent, partition, name, schema) in partitions {
            let id = model.add(NewObject::made(name, Attach { parent, partition }).schema(schema));
            model.depend(id, partition);
            model.depend(id, parent);
        }
        Ok(())
    }
}

impl Body for Attach {
    fn rank(&self) -> Rank {
        Rank::TableAttach
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let (Some(parent), Some(partition)) = (render.model.get(self.parent), render.model.get(self.partition)) else {
            return Ok(());
        };
        let relation = partition.body::<Relation>();
        let Some((relation, bound)) = relation.and_then(|r| Some((r, r.details.partition_bound.as_ref()?))) else {
            return Err(Error::new(ErrorKind::Incomplete, format!("attach the partition \"{}\"", partition.name))
                .why("the catalog has no bound for it"));
        };
        let mut entry = NewEntry::of(object, render, "TABLE ATTACH", object.name.clone());
        // The statement must be run by a role that may.
        entry.owner = Some(relation.owner.clone());
        entry.definition.kw("ALTER TABLE ONLY ").sql(&render.qualified(parent)).kw(" ATTACH PARTITION ");
        entry.definition.sql(&render.qualified(partition)).kw(" ").deparsed(bound).kw(";\n");
        out.entry(entry);
        Ok(())
    }
}
