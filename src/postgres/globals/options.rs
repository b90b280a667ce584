//! What can be asked of a dump of what is in no database.

use std::time::Duration;

use bstr::BString;

use crate::options::options;
use crate::postgres::dump::DumpOptions;

options! {
    /// What can be asked of a dump of roles and tablespaces. `Default` is what `pg_dumpall -g` does without other options.
    #[derive(Debug, Clone)]
    pub struct GlobalsOptions {
        /// Roles, who is a member of whom, their settings, and privileges on parameters.
        pub roles: bool = true,
        /// Tablespaces.
        pub tablespaces: bool = true,
        /// Roles' passwords, as the server stores them. Only superusers may read them.
        pub passwords: bool = true,
        /// Privileges (GRANT, REVOKE) on tablespaces and parameters.
        pub privileges: bool = true,
        /// Comments.
        pub comments: bool = true,
        /// Security labels.
        pub security_labels: bool = true,
        /// Also what `pg_dumpall` has no words for: the settings of all roles together (`ALTER ROLE ALL SET`), and what was
        /// changed of the server's own tablespaces.
        pub everything: bool = false,
        /// Begin with statements that drop what is made after them.
        pub clean: bool = false,
        /// Drop only what is there.
        pub if_exists: bool = false,
        /// The encoding of the script; without it, that of the database which is connected to.
        pub encoding: Option<BString> = None,
        /// Quote all names, and not only those that need it.
        pub quote_all_identifiers: bool = false,
        /// The role to take before anything is read.
        pub role: Option<BString> = None,
        /// The major version of the `pg_dumpall` whose form it has.
        pub form: u32 = 18,
        /// Go on where the server's catalogs of roles and tablespaces have columns that are not known.
        pub accept_unknown: bool = false,
        /// How long to wait for a lock; without it, as long as it takes.
        pub lock_wait: Option<Duration> = None,
    }
}

impl GlobalsOptions {
    /// What a session is told that reads them.
    pub(crate) fn session(&self) -> DumpOptions {
        DumpOptions::default()
            .role(self.role.clone())
            .lock_wait(self.lock_wait)
            .encoding(self.encoding.clone())
            .quote_all_identifiers(self.quote_all_identifiers)
    }
}
