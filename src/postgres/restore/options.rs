//! What a restore is asked to do.

use std::time::Duration;

use bstr::{BString, ByteSlice};
use pgformat::DumpId;

use crate::options::options;
use crate::postgres::archive::{Included, Request, Sections, Selection};
use crate::postgres::version::ServerVersion;
use crate::sql::quote::{quoted, quoted_ident};

options! {
    /// Everything a restore can be told. The defaults are `pg_restore --clean --if-exists --no-owner --no-acl`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RestoreOptions {
        /// Replace what is in the target; without it a restore into a server is refused.
        pub force: bool = false,
        /// Carry out what the archive says as it stands, statement by statement, as pg_restore does, whatever is in the target:
        /// nothing is refused or left alone for its sake, or for that of the role; what fails is an error, and the next
        /// statement is run. Drops take along what their statements say.
        pub literal: bool = false,
        /// Read the data that is to be restored through before anything is changed for its sake, where the archive's input
        /// can seek.
        pub verify: bool = true,
        /// Drop what is not in the archive along with what it replaces, where it cannot be without that: partitions made later,
        /// for one, with their rows. Without it, a restore that would is refused.
        pub drop_dependents: bool = false,
        /// Drop the archive's objects before they are created.
        pub clean: bool = true,
        /// Let a drop of an object that is not there pass.
        pub if_exists: bool = true,
        /// Make the database itself, under the name that it has in the archive, and restore into that.
        pub create: bool = false,
        /// Give the objects to the owners that the archive names.
        pub owner: bool = false,
        /// Let each owner make its objects itself, instead of giving them away with ALTER … OWNER.
        pub session_authorization: bool = false,
        /// Restore privileges, default privileges included.
        pub acl: bool = false,
        /// Let default privileges that the target has (ALTER DEFAULT PRIVILEGES) count for what is made. Without it, objects
        /// have the privileges that the archive means, or with no privileges restored those that PostgreSQL gives by itself.
        pub target_defaults: bool = false,
        /// Restore comments.
        pub comments: bool = true,
        /// Restore security labels.
        pub security_labels: bool = true,
        /// Restore publications and what they publish.
        pub publications: bool = true,
        /// Restore subscriptions.
        pub subscriptions: bool = true,
        /// Restore row security and its policies.
        pub policies: bool = true,
        /// Put objects into the tablespaces that the archive names.
        pub tablespaces: bool = true,
        /// Use the table access methods that the archive names.
        pub table_access_methods: bool = true,
        /// Restore definitions.
        pub schema: bool = true,
        /// Restore rows, large objects and sequences' values.
        pub data: bool = true,
        /// Sequences' values even without `data`.
        pub sequence_data: bool = false,
        /// Restore the planner's statistics, where the archive has them.
        pub statistics: bool = true,
        /// With them, the data of extended statistics.
        pub extended_statistics: bool = true,
        /// The sections to restore.
        pub sections: Sections = Sections::default(),
        /// The objects to restore; everything where nothing is named.
        pub only: Selection = Selection::default(),
        /// The entries to restore, in this order, and no others.
        pub list: Option<Vec<DumpId>> = None,
        /// Fail when a name in `only` matches nothing.
        pub strict_names: bool = false,
        /// Switch a table's triggers off while its rows are loaded, in a restore of data only.
        pub disable_triggers: bool = false,
        /// The superuser who switches triggers off; without one, the user who restores.
        pub superuser: Option<BString> = None,
        /// Load rows under row security.
        pub row_security: bool = false,
        /// Take this role before anything is restored.
        pub role: Option<BString> = None,
        /// All or nothing: one transaction, which the first error ends. An event trigger, publication or subscription that the
        /// role may not make is left out of it.
        pub single_transaction: bool = false,
        /// Commit after this many objects or statements, and stop at the first error.
        pub transaction_size: Option<u32> = None,
        /// How long a lock is waited for; without it, as long as it takes. Where something is to be dropped, it is tried before
        /// that whether the tables can be locked, and nothing is changed if one cannot.
        pub lock_wait: Option<Duration> = None,
        /// Stop at the first error.
        pub exit_on_error: bool = false,
        /// How many connections restore the data and what comes after it; at least 1.
        pub jobs: usize = 1,
        /// Put double quotes around names that need none, too, in what is not the archive's own text.
        pub quote_all_identifiers: bool = false,
        /// The version of PostgreSQL whose pg_restore the statements are like, where these send the same in different words. A
        /// script has one in its style.
        pub dialect: ServerVersion = ServerVersion::NEWEST,
        /// Load a table's rows even if its creation failed, into whatever table of that name is there.
        pub data_for_failed_tables: bool = false,
    }
}

impl RestoreOptions {
    /// What is asked for of the archive's entries.
    pub fn request(&self) -> Request<'_> {
        Request {
            included: Included {
                acl: self.acl,
                comments: self.comments,
                security_labels: self.security_labels,
                publications: self.publications,
                subscriptions: self.subscriptions,
                policies: self.policies,
                schema: self.schema,
                data: self.data,
                sequence_data: self.sequence_data,
                statistics: self.statistics,
                extended_statistics: self.extended_statistics,
                sections: self.sections,
            },
            create: self.create,
            only: Some(&self.only),
            list: self.list.as_deref(),
            strict_names: self.strict_names,
        }
    }

    /// A name as statements have it that are not the archive's own.
    pub fn quoted(&self, name: &[u8]) -> Vec<u8> {
        if !self.quote_all_identifiers {
            return quoted(name);
        }
        let mut out = Vec::with_capacity(name.len() + 2);
        quoted_ident(&mut out, name.as_bstr());
        out
    }

    /// Whether the first error is the end of it: transactions of several objects cannot go on after one.
    pub fn stops_at_first_error(&self) -> bool {
        self.exit_on_error || self.in_transactions()
    }

    /// Whether objects share transactions.
    pub fn in_transactions(&self) -> bool {
        self.single_transaction || self.transaction_size.is_some()
    }
}
