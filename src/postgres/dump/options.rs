//! What can be asked of a dump.

/// What can be asked of a dump. `Default` is what `pg_dump -Fc` does without options.
#[derive(Debug, Clone)]
pub struct DumpOptions {
    /// Privileges (GRANT, REVOKE) and default privileges.
    pub privileges: bool,
    /// Comments.
    pub comments: bool,
    /// Security labels.
    pub security_labels: bool,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self { privileges: true, comments: true, security_labels: true }
    }
}
