//! What can be asked of a dump.

use std::time::Duration;

use bstr::BString;
use pgformat::{Compression, Version};

use super::super::archive::{Included, Sections};
use super::super::select::Selection;
use super::super::version::ServerVersion;
use super::RowForm;
use crate::options::options;

options! {
    /// What can be asked of a dump. `Default` is what `pg_dump -Fc` does without options, in the lowest archive version
    /// that carries it.
    #[derive(Debug, Clone)]
    pub struct DumpOptions {
        /// Which objects.
        pub selection: Selection = Selection::default(),
        /// The definitions of objects.
        pub definitions: bool = true,
        /// Rows, large objects and sequences' values.
        pub data: bool = true,
        /// The planner's statistics.
        pub statistics: bool = false,
        /// Sequences' values even without `data`.
        pub sequence_data: bool = false,
        /// Large objects: always, never, or, without a word on it, where no selection is made.
        pub large_objects: Option<bool> = None,
        /// The rows of unlogged tables. A standby server cannot read them, so that they are left out there.
        pub unlogged_table_data: bool = true,
        /// In which form rows are written.
        pub rows: RowForm = RowForm::Copy,
        /// Load partitions' rows by way of the topmost table, which puts each where it belongs in the target.
        pub load_via_partition_root: bool = false,
        /// The sections of the archive.
        pub sections: Sections = Sections::default(),
        /// Privileges (GRANT, REVOKE) and default privileges.
        pub privileges: bool = true,
        /// Comments.
        pub comments: bool = true,
        /// Security labels.
        pub security_labels: bool = true,
        /// Row security and its policies.
        pub policies: bool = true,
        /// Publications, and what they publish.
        pub publications: bool = true,
        /// Subscriptions.
        pub subscriptions: bool = true,
        /// User mappings, which may hold passwords, and which only their users and superusers may read.
        pub user_mappings: bool = true,
        /// The methods by which columns are compressed.
        pub toast_compression: bool = true,
        /// Dump the rows that row security lets the role see, instead of failing where it hides some.
        pub row_security: bool = false,
        /// The encoding of everything in the archive, by any of its names; without one, the database's own.
        pub encoding: Option<BString> = None,
        /// Put double quotes around names that need none, too: another server may have reserved the word.
        pub quote_all_identifiers: bool = false,
        /// Put the bodies of functions between dollar signs, and not into literals.
        pub dollar_quoting: bool = true,
        /// How many more digits than are certain floating-point numbers are written with; without one, as many as it takes to
        /// get the same number back.
        pub extra_float_digits: Option<i32> = None,
        /// The name of a snapshot that another session has exported: what it shows is backed up. Tables are locked after it was
        /// taken, so the dump fails if something of them has changed since.
        pub snapshot: Option<BString> = None,
        /// Wait for a moment at which all that is seen could be seen by transactions that run one after the other.
        pub serializable_deferrable: bool = false,
        /// The role to take before anything is read.
        pub role: Option<BString> = None,
        /// How data is compressed.
        pub compression: Compression = Compression::Gzip(Some(6)),
        /// The version of the archive; without one, the lowest that carries what is in it.
        pub archive_version: Option<Version> = None,
        /// What is said to have made it, after the words "Dumped by pg_dump version".
        pub dumped_by: BString = concat!("lifeboat ", env!("CARGO_PKG_VERSION")).into(),
        /// The version of PostgreSQL whose pg_dump the output is like, where these write the same in different words.
        pub dialect: ServerVersion = ServerVersion::NEWEST,
        /// The number of connections that read data; at least 1.
        pub jobs: usize = 1,
        /// Go on, with a warning, where the server's catalog says something of the database's objects that is not
        /// understood.
        pub accept_unknown: bool = false,
        /// How long to wait for a lock on a table; without it, as long as it takes.
        pub lock_wait: Option<Duration> = None,
    }
}

impl DumpOptions {
    /// What of the objects goes into the archive.
    pub fn included(&self) -> Included {
        Included {
            schema: self.definitions,
            data: self.data,
            sequence_data: self.sequence_data,
            statistics: self.statistics,
            extended_statistics: true,
            sections: self.sections,
            acl: self.privileges,
            comments: self.comments,
            security_labels: self.security_labels,
            publications: self.publications,
            subscriptions: self.subscriptions,
            policies: self.policies,
        }
    }

    /// The version that the archive will have.
    pub fn version(&self) -> Version {
        self.archive_version.unwrap_or_else(|| self.compression.lowest_version().max(Version::V1_14))
    }

    /// Whether large objects are written in batches with their metadata, as from 1.16 on, instead of one by one.
    pub fn large_objects_in_batches(&self) -> bool {
        self.version() >= Version::V1_16
    }

    /// Whether large objects are dumped.
    pub fn with_large_objects(&self) -> bool {
        self.large_objects.unwrap_or(self.data && self.selection.is_everything())
    }
}
