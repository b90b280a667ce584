//! The components of an object: what of it can be dumped without the rest.

/// A set of the components of an object, each of which can be dumped without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Components(u16);

impl Components {
    /// Nothing of it.
    pub const NONE: Components = Components(0);
    /// The statements that create it.
    pub const DEFINITION: Components = Components(1);
    /// Its rows.
    pub const DATA: Components = Components(2);
    /// Its comments.
    pub const COMMENT: Components = Components(4);
    /// Its security labels.
    pub const LABEL: Components = Components(8);
    /// Its privileges.
    pub const PRIVILEGES: Components = Components(16);
    /// Its row security policies.
    pub const POLICY: Components = Components(32);
    /// Its user mappings.
    pub const USER_MAPPING: Components = Components(64);
    /// Its statistics.
    pub const STATISTICS: Components = Components(128);
    /// All of it.
    pub const ALL: Components = Components(0xff);

    /// Whether any of `other` is in it.
    pub fn has(self, other: Components) -> bool {
        self.0 & other.0 != 0
    }

    /// What both have.
    #[must_use]
    pub fn and(self, other: Components) -> Components {
        Components(self.0 & other.0)
    }

    /// What either has.
    #[must_use]
    pub fn or(self, other: Components) -> Components {
        Components(self.0 | other.0)
    }

    /// What this has and `other` has not.
    #[must_use]
    pub fn without(self, other: Components) -> Components {
        Components(self.0 & !other.0)
    }

    /// Whether there is nothing in it.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}
