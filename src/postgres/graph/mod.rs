//! The dependency graph: in which order the objects go into the archive.
//!
//! Objects are first laid out by rank, schema and name, so that the same database always gives the same archive; then a
//! topological sort moves only what its dependencies force it to move. Loops are broken by rules that know what kinds of
//! object stand in them (`repair`).

mod order;
mod rank;
mod repair;
mod sort;

use super::model::{Body, DumpId, Model, NewObject, Object, Parts, Wanted};
use crate::error::Result;
use crate::progress::Reporter;
pub use rank::{Place, Rank};

/// What an object is in a loop of dependencies. The numbers are those of the objects it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopRole {
    /// A data type, and its shell if it has one.
    Type {
        /// The shell type.
        shell: Option<DumpId>,
    },
    /// A function.
    Function,
    /// A table or another relation that is none of the following.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// The rule that makes a relation a view.
    SelectRule {
        /// The view.
        of: DumpId,
    },
    /// A CHECK constraint of a table.
    TableCheck {
        /// The table.
        table: DumpId,
    },
    /// A CHECK or NOT NULL constraint of a domain.
    DomainConstraint {
        /// The domain.
        domain: DumpId,
    },
    /// A column's default.
    ColumnDefault {
        /// The table.
        table: DumpId,
    },
    /// An index, and the partitioned index it is attached to.
    Index {
        /// The partitioned index.
        parent: Option<DumpId>,
    },
    /// A table's rows.
    TableData,
    /// Statistics of a materialized view.
    MaterializedViewStatistics,
    /// The end of what comes before the data.
    PreDataBoundary,
    /// The end of the data.
    PostDataBoundary,
    /// Anything else.
    Other,
}

impl LoopRole {
    /// Whether it is a relation of any kind.
    pub fn is_relation(self) -> bool {
        matches!(self, LoopRole::Table | LoopRole::View | LoopRole::MaterializedView)
    }
}

/// The two objects that hold the parts of the dump apart.
#[derive(Debug, Clone, Copy)]
pub struct Boundaries {
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

    fn emit(&self, _: &Object, _: &super::emit::Render<'_>, _: &mut super::emit::Emitter) -> Result<()> {
        Ok(())
    }
}

/// Adds the boundaries between the parts and returns the numbers of all objects in the order of the archive. Loops are
/// broken in the model; one that no rule knows is reported as a warning that names its members.
pub fn arrange(model: &mut Model, reporter: &dyn Reporter) -> Vec<DumpId> {
    let boundaries = add_boundaries(model);
    let ordered = order::by_rank_and_name(model);
    sort::sort(model, &ordered, boundaries, reporter)
}

fn add_boundaries(model: &mut Model) -> Boundaries {
    let mut add = |rank, name: &str| {
        model.add(NewObject {
            catalog_id: None,
            name: name.into(),
            schema: None,
            wanted: Wanted::These(Parts::NONE),
            has: Parts::NONE,
            body: Boundary(rank),
        })
    };
    let boundaries = Boundaries {
        pre_data: add(Rank::PreDataBoundary, "PRE-DATA BOUNDARY"),
        post_data: add(Rank::PostDataBoundary, "POST-DATA BOUNDARY"),
    };
    let places: Vec<(DumpId, Place)> = model.objects().map(|o| (o.id, o.body.place())).collect();
    for (id, place) in places {
        match place {
            Place::PreData => model.depend(boundaries.pre_data, id),
            Place::Data => {
                model.depend(id, boundaries.pre_data);
                model.depend(boundaries.post_data, id);
            }
            Place::PostData => model.depend(id, boundaries.post_data),
            Place::WithOwner => {}
        }
    }
    model.depend(boundaries.post_data, boundaries.pre_data);
    boundaries
}
