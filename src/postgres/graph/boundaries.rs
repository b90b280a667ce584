//! The boundaries between what comes before the data, the data, and what comes after it.

use crate::error::Result;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank, Side};

/// The two objects that hold the parts of the dump apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boundaries {
    /// After all definitions that data needs.
    pub pre_data: DumpId,
    /// After all data.
    pub post_data: DumpId,
}

struct Boundary(Rank);

impl Body for Boundary {
    fn rank(&self) -> Rank {
        self.0
    }

    fn loop_role(&self) -> LoopRole {
        if self.0 == Rank::PreDataBoundary { LoopRole::PreDataBoundary } else { LoopRole::PostDataBoundary }
    }

    fn emit(&self, _: &Object, _: &Render<'_>, _: &mut Emitter) -> Result<()> {
        Ok(())
    }
}

/// Adds the boundaries to the model, and makes every object depend on those around its side.
pub(super) fn add(model: &mut Model) -> Boundaries {
    let mut add = |rank, name: &str| {
        model.add(NewObject::made(name.into(), Boundary(rank)).wanted(Components::NONE).has(Components::NONE))
    };
    let boundaries = Boundaries {
        pre_data: add(Rank::PreDataBoundary, "PRE-DATA BOUNDARY"),
        post_data: add(Rank::PostDataBoundary, "POST-DATA BOUNDARY"),
    };
    let sides: Vec<(DumpId, Side)> = model.objects().map(|o| (o.id, o.body.side())).collect();
    for (id, side) in sides {
        match side {
            Side::PreData => model.depend(boundaries.pre_data, id),
            Side::Data => {
                model.depend(id, boundaries.pre_data);
                model.depend(boundaries.post_data, id);
            }
            Side::PostData => model.depend(id, boundaries.post_data),
            Side::WithOwner => {}
        }
    }
    model.depend(boundaries.post_data, boundaries.pre_data);
    boundaries
}
