//! What a plan leaves alone, because of the role that carries it out.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::summary::{EntryError, Stay};
use crate::progress::Message;

/// Why something is left that is not refused itself.
pub const ALONG: &str = "left along with ";

/// What a plan leaves alone, because of the role that carries it out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleLimits {
    /// The role, if it is not a superuser.
    pub role: Option<BString>,
    /// What belongs to others, and is as the archive wants it.
    pub stays: Vec<Stay>,
    /// What the role may not do.
    pub left: Vec<EntryError>,
    /// Owners that objects cannot be given to.
    pub not_given: BTreeMap<BString, NotGiven>,
    /// The entries that are not restored or not as they are.
    pub settled: BTreeSet<EntryIndex>,
    /// What is to be said about it before anything is changed.
    pub messages: Vec<Message>,
}

/// What is not given to an owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotGiven {
    /// Whether there is such a role.
    pub is_there: bool,
    /// The entries of the objects.
    pub entries: Vec<EntryIndex>,
}
