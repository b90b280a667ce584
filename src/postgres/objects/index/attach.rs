//! Attaching partitions' indexes to the index of the whole table. Each part is made by itself first, as its table is.

use bstr::ByteSlice;

use super::{Index, Part};
use crate::error::Result;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, Model, NewObject, Object, Rank};
use crate::wire::Rows;

/// Adds what attaches indexes; comes after the indexes.
pub(in super::super) struct IndexAttaches;

/// Attaches a partition's index.
struct IndexAttach {
    parent: DumpId,
    part: DumpId,
}

impl Kind for IndexAttaches {
    fn collect(&self, _: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let parts: Vec<(DumpId, DumpId)> =
            model.of_kind::<Index>().filter_map(|(object, index)| Some((index.parent?, object.id))).collect();
        for (parent, part) in parts {
            let Some((object, table)) = model.get(part).and_then(|o| Some((o, o.body::<Index>()?.table.id))) else {
                continue;
            };
            let attach = NewObject::made(object.name.clone(), IndexAttach { parent, part })
                .schema(object.schema)
                .wanted(object.wanted.and(Components::DEFINITION));
            let attach = model.add(attach);
            let whole = model.body::<Index>(parent).map(|index| index.table.id);
            // The tables are needed as well, lest a parallel restore attaches while it does something else to them.
            for on in [Some(part), Some(parent), Some(table), whole].into_iter().flatten() {
                model.depend(attach, on);
            }
            if let Some(whole) = model.body_mut::<Index>(parent) {
                whole.parts.push(Part { index: part, attach });
            }
        }
        Ok(())
    }
}

impl Index {
    /// What attaches all parts of an index, and the parts of those: then the index is valid, and foreign keys can refer
    /// to it.
    pub(in super::super) fn attaches(model: &Model, index: DumpId) -> Vec<DumpId> {
        let mut attaches = Vec::new();
        let mut pending = vec![index];
        while let Some(index) = pending.pop().and_then(|id| model.body::<Index>(id)) {
            attaches.extend(index.parts.iter().map(|part| part.attach));
            pending.extend(index.parts.iter().map(|part| part.index));
        }
        attaches
    }
}

impl Body for IndexAttach {
    fn rank(&self) -> Rank {
        Rank::IndexAttach
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let (Some(parent), Some(part)) = (render.model.get(self.parent), render.model.get(self.part)) else {
            return Ok(());
        };
        let Some(index) = parent.body::<Index>() else { return Ok(()) };
        // Nobody owns this, but it must be run by a role that may.
        let mut entry = index.table.named(render)?.entry(object, "INDEX ATTACH", render);
        entry.schema = Some(render.schema(object).as_bstr().into());
        entry.definition.kw("ALTER INDEX ").sql(&render.qualified(parent)).kw(" ATTACH PARTITION ");
        entry.definition.sql(&render.qualified(part)).kw(";\n");
        out.entry(entry);
        Ok(())
    }
}
