//! What a restore is asked to do.

use bstr::BString;
use pgformat::DumpId;

use crate::postgres::archive::{Included, Request, Sections, Selection};

/// Everything a restore can be told. The defaults are `pg_restore --clean --if-exists --no-owner --no-acl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Replace what is in the target; without it a restore into a server is refused.
    pub force: bool,
    /// Read the data that is to be restored through before anything is changed for its sake, where the archive's input can
    /// seek.
    pub verify: bool,
    /// Drop what is not in the archive along with what it replaces, where it cannot be without that: partitions made later, for
    /// one, with their rows. Without it, a restore that would is refused.
    pub drop_dependents: bool,
    /// Drop the archive's objects before they are created.
    pub clean: bool,
    /// Let a drop of an object that is not there pass.
    pub if_exists: bool,
    /// Make the database itself, under the name that it has in the archive, and restore into that.
    pub create: bool,
    /// Give the objects to the owners that the archive names.
    pub owner: bool,
    /// Let each owner make its objects itself, instead of giving them away with ALTER … OWNER.
    pub session_authorization: bool,
    /// Restore privileges, default privileges included.
    pub acl: bool,
    /// Let default privileges that the target has (ALTER DEFAULT PRIVILEGES) count for what is made. Without it, objects have
    /// the privileges that the archive means, or with no privileges restored those that PostgreSQL gives by itself.
    pub target_defaults: bool,
    /// Restore comments.
    pub comments: bool,
    /// Restore security labels.
    pub security_labels: bool,
    /// Restore publications and what they publish.
    pub publications: bool,
    /// Restore subscriptions.
    pub subscriptions: bool,
    /// Restore row security and its policies.
    pub policies: bool,
    /// Put objects into the tablespaces that the archive names.
    pub tablespaces: bool,
    /// Use the table access methods that the archive names.
    pub table_access_methods: bool,
    /// Restore definitions.
    pub schema: bool,
    /// Restore rows, large objects and sequences' values.
    pub data: bool,
    /// Restore the planner's statistics, where the archive has them.
    pub statistics: bool,
    /// With them, the data of extended statistics.
    pub extended_statistics: bool,
    /// The sections to restore.
    pub sections: Sections,
    /// The objects to restore; everything where nothing is named.
    pub only: Selection,
    /// The entries to restore, in this order, and no others.
    pub list: Option<Vec<DumpId>>,
    /// Fail when a name in [`RestoreOptions::only`] matches nothing.
    pub strict_names: bool,
    /// Switch a table's triggers off while its rows are loaded, in a restore of data only.
    pub disable_triggers: bool,
    /// The superuser who switches triggers off; without one, the user who restores.
    pub superuser: Option<BString>,
    /// Load rows under row security.
    pub row_security: bool,
    /// Take this role before anything is restored.
    pub role: Option<BString>,
    /// All or nothing: one transaction, which the first error ends. An event trigger, publication or subscription that
    /// the role may not make is left out of it.
    pub single_transaction: bool,
    /// Commit after this many objects or statements, and stop at the first error.
    pub transaction_size: Option<u32>,
    /// Stop at the first error.
    pub exit_on_error: bool,
    /// How many connections restore the data and what comes after it; at least 1.
    pub jobs: usize,
    /// Load a table's rows even if its creation failed, into whatever table of that name is there.
    pub data_for_failed_tables: bool,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            force: false,
            verify: true,
            drop_dependents: false,
            clean: true,
            if_exists: true,
            create: false,
            owner: false,
            session_authorization: false,
            acl: false,
            target_defaults: false,
            comments: true,
            security_labels: true,
            publications: true,
            subscriptions: true,
            policies: true,
            tablespaces: true,
            table_access_methods: true,
            schema: true,
            data: true,
            statistics: true,
            extended_statistics: true,
            sections: Sections::default(),
            only: Selection::default(),
            list: None,
            strict_names: false,
            disable_triggers: false,
            superuser: None,
            row_security: false,
            role: None,
            single_transaction: false,
            transaction_size: None,
            exit_on_error: false,
            jobs: 1,
            data_for_failed_tables: false,
        }
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

    /// Whether the first error is the end of it: transactions of several objects cannot go on after one.
    pub fn stops_at_first_error(&self) -> bool {
        self.exit_on_error || self.in_transactions()
    }

    /// Whether objects share transactions.
    pub fn in_transactions(&self) -> bool {
        self.single_transaction || self.transaction_size.is_some()
    }
}
