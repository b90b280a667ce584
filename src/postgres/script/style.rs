//! How a script is to look, beside what is in it.

use crate::options::options;
use crate::postgres::ServerVersion;
use crate::postgres::restore::Destination;

options! {
    /// How a script is to look, beside what is in it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Style {
        /// The version of PostgreSQL whose tools write scripts of this look: before 17, nothing is set that servers before 17 do
        /// not have.
        pub version: ServerVersion = ServerVersion::NEWEST,
        /// Above each entry, its number and those of what it depends on; when the script was begun, and when it was complete.
        pub verbose: bool = false,
    }
}

impl Style {
    /// For whom such a script is.
    pub(super) fn destination(&self) -> Destination {
        Destination {
            transaction_timeout: self.version.transaction_timeout(),
            owners_by_kind: self.version.owners_by_kind(),
            ..Destination::SCRIPT
        }
    }
}
