//! The ranks: which kinds of object come before which, where nothing else decides.

/// A kind's place in the order, first to last. The ranks are those of `pg_dump`, since archives are compared with its.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// The database: nothing else can be restored before it.
    Database,
    Schema,
    Language,
    Collation,
    Transform,
    Extension,
    /// Types and shell types.
    Type,
    /// Before functions, although a cast needs one: views that use a cast depend on the cast's function, so that the
    /// function moves up to the cast, and what the function needs moves up with it.
    Cast,
    Function,
    Aggregate,
    AccessMethod,
    Operator,
    /// Operator families and classes.
    OperatorFamily,
    Conversion,
    TextSearchParser,
    TextSearchTemplate,
    TextSearchDictionary,
    TextSearchConfiguration,
    ForeignDataWrapper,
    ForeignServer,
    Table,
    TableAttach,
    /// Row types of tables and other types that have no definition of their own.
    DummyType,
    ColumnDefault,
    PreDataBoundary,
    TableData,
    SequenceSet,
    LargeObject,
    LargeObjectData,
    StatisticsData,
    PostDataBoundary,
    Constraint,
    Index,
    IndexAttach,
    ExtendedStatistics,
    Rule,
    Trigger,
    ForeignKey,
    Policy,
    Publication,
    PublicationTable,
    PublicationSchema,
    Subscription,
    DefaultPrivileges,
    /// Late, so that they do not fire while the rest is made.
    EventTrigger,
    /// Last, since a query may look at anything.
    MaterializedViewRefresh,
}

/// On which side of the data an object belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the data.
    PreData,
    /// With the data.
    Data,
    /// After the data.
    PostData,
    /// Wherever the object that it is part of is.
    WithOwner,
}

impl Rank {
    /// The side of the data that the kind belongs to by nature.
    pub fn side(self) -> Side {
        match self {
            Rank::PreDataBoundary | Rank::PostDataBoundary => Side::WithOwner,
            rank if rank < Rank::PreDataBoundary => Side::PreData,
            rank if rank < Rank::PostDataBoundary => Side::Data,
            _ => Side::PostData,
        }
    }
}
