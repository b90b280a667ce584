//! The dependency graph: in which order the objects go into the archive.
//!
//! Objects are first laid out by rank, schema and name, so that the same database always gives the same archive; then a
//! topological sort moves only what its dependencies force it to move. Loops are broken by rules that know what kinds of
//! object stand in them (`repair`).

mod boundaries;
mod order;
mod repair;
mod sort;

use super::model::{DumpId, Model};
use crate::progress::Reporter;

/// Adds the boundaries between the parts and returns the numbers of all objects in the order of the archive. Loops are
/// broken in the model; one that no rule knows is reported as a warning that names its members.
pub fn arrange(model: &mut Model, reporter: &dyn Reporter) -> Vec<DumpId> {
    let boundaries = boundaries::add(model);
    let ordered = order::by_rank_and_name(model);
    sort::sort(model, &ordered, boundaries, reporter)
}
