//! What can be asked for of an archive: what of its objects, which sections, which names.

use bstr::BString;

use crate::options::options;

options! {
    /// What of the objects goes into an archive, or comes out of it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Included {
        /// Definitions.
        pub schema: bool = true,
        /// Rows, large objects and sequences' values.
        pub data: bool = true,
        /// Sequences' values even without `data`.
        pub sequence_data: bool = false,
        /// The planner's statistics.
        pub statistics: bool = true,
        /// With them, the data of extended statistics.
        pub extended_statistics: bool = true,
        /// The sections of the archive.
        pub sections: Sections = Sections::default(),
        /// Privileges, default privileges included.
        pub acl: bool = true,
        /// Comments.
        pub comments: bool = true,
        /// Security labels.
        pub security_labels: bool = true,
        /// Publications, and what they publish.
        pub publications: bool = true,
        /// Subscriptions.
        pub subscriptions: bool = true,
        /// Row security and its policies.
        pub policies: bool = true,
    }
}

options! {
    /// The sections of an archive that are wanted.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Sections {
        /// Definitions that data needs.
        pub pre_data: bool = true,
        /// Rows, large objects, sequences' values.
        pub data: bool = true,
        /// Definitions that want the data to be there.
        pub post_data: bool = true,
    }
}

options! {
    /// Objects asked for by name. Names are compared as they are, without patterns.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Selection {
        /// Only objects in these schemas.
        pub schemas: Vec<BString> = Vec::new(),
        /// No objects in these schemas.
        pub exclude_schemas: Vec<BString> = Vec::new(),
        /// These tables, views, sequences, foreign tables and materialized views.
        pub tables: Vec<BString> = Vec::new(),
        /// These indexes.
        pub indexes: Vec<BString> = Vec::new(),
        /// These functions, procedures and aggregates, written with their arguments as a list of contents shows them.
        pub functions: Vec<BString> = Vec::new(),
        /// These triggers.
        pub triggers: Vec<BString> = Vec::new(),
    }
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
