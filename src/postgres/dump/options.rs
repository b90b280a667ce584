//! What can be asked of a dump.

use std::time::Duration;

use pgformat::{Compression, Version};

/// What can be asked of a dump. `Default` is what `pg_dump -Fc` does without options, in the lowest archive version that
/// carries it.
#[derive(Debug, Clone)]
pub struct DumpOptions {
    /// Privileges (GRANT, REVOKE) and default privileges.
    pub privileges: bool,
    /// Comments.
    pub comments: bool,
    /// Security labels.
    pub security_labels: bool,
    /// How data is compressed.
    pub compression: Compression,
    /// The version of the archive; without one, the lowest that carries what is in it.
    pub archive_version: Option<Version>,
    /// The number of connections that read data; at least 1.
    pub jobs: usize,
    /// How long to wait for a lock on a table; without it, as long as it takes.
    pub lock_wait: Option<Duration>,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self {
            privileges: true,
            comments: true,
            security_labels: true,
            compression: Compression::Gzip(Some(6)),
            archive_version: None,
            jobs: 1,
            lock_wait: None,
        }
    }
}

impl DumpOptions {
    /// The version that the archive will have.
    pub fn version(&self) -> Version {
        self.archive_version.unwrap_or_else(|| self.compression.lowest_version().max(Version::V1_14))
    }

    /// Whether large objects are written in batches with their metadata, as from 1.16 on, instead of one by one.
    pub fn large_objects_in_batches(&self) -> bool {
        self.version() >= Version::V1_16
    }
}
