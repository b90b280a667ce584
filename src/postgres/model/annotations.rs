//! What the catalog says of objects of any kind: comments, security labels, initial privileges.

use bstr::BString;

/// A comment on an object (`sub_id` 0) or on a column of it.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The column's number, or 0.
    pub sub_id: i32,
    /// What it says.
    pub text: BString,
}

/// A security label of an object (`sub_id` 0) or of a column of it.
#[derive(Debug, Clone)]
pub struct SecurityLabel {
    /// The column's number, or 0.
    pub sub_id: i32,
    /// Who interprets it.
    pub provider: BString,
    /// What it says.
    pub label: BString,
}

/// The privileges that an object had when initdb or its extension had made it (`pg_init_privs`).
#[derive(Debug, Clone)]
pub struct InitialPrivileges {
    /// The items.
    pub items: Vec<BString>,
}
