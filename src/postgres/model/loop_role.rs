//! What objects are in loops of dependencies.

use pgformat::DumpId;

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
