//! What can be asked for of an archive: what of its objects, which sections, which names.

use bstr::BString;

/// What of the objects goes into an archive, or comes out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Included {
    /// Definitions.
    pub schema: bool,
    /// Rows, large objects and sequences' values.
    pub data: bool,
    /// The planner's statistics.
    pub statistics: bool,
    /// With them, the data of extended statistics.
    pub extended_statistics: bool,
    /// The sections of the archive.
    pub sections: Sections,
    /// Privileges, default privileges included.
    pub acl: bool,
    /// Comments.
    pub comments: bool,
    /// Security labels.
    pub security_labels: bool,
    /// Publications, and what they publish.
    pub publications: bool,
    /// Subscriptions.
    pub subscriptions: bool,
    /// Row security and its policies.
    pub policies: bool,
}

impl Included {
    /// Everything.
    pub const ALL: Self = Self {
        schema: true,
        data: true,
        statistics: true,
        extended_statistics: true,
        sections: Sections::ALL,
        acl: true,
        comments: true,
        security_labels: true,
        publications: true,
        subscriptions: true,
        policies: true,
    };
}

/// The sections of an archive that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sections {
    /// Definitions that data needs.
    pub pre_data: bool,
    /// Rows, large objects, sequences' values.
    pub data: bool,
    /// Definitions that want the data to be there.
    pub post_data: bool,
}

impl Sections {
    /// All of them.
    pub const ALL: Self = Self { pre_data: true, data: true, post_data: true };
}

impl Default for Sections {
    fn default() -> Self {
        Self::ALL
    }
}

/// Objects asked for by name. Names are compared as they are, without patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only objects in these schemas.
    pub schemas: Vec<BString>,
    /// No objects in these schemas.
    pub exclude_schemas: Vec<BString>,
    /// These tables, views, sequences, foreign tables and materialized views.
    pub tables: Vec<BString>,
    /// These indexes.
    pub indexes: Vec<BString>,
    /// These functions, procedures and aggregates, written with their arguments as a list of contents shows them.
    pub functions: Vec<BString>,
    /// These triggers.
    pub triggers: Vec<BString>,
}

impl Selection {
    /// Whether objects of some kinds only are wanted.
    pub fn by_kind(&self) -> bool {
        [&self.tables, &self.indexes, &self.functions, &self.triggers].iter().any(|names| !names.is_empty())
    }

    /// Whether anything is selected at all.
    pub fn is_active(&self) -> bool {
        self.by_kind() || !self.schemas.is_empty() || !self.exclude_schemas.is_empty()
    }
}
