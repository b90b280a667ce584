//! Where the statements of a plan go, and what is known of it beforehand.

use crate::postgres::restore::non_superuser::foreign_objects::ForeignObjects;
use crate::postgres::version::ServerVersion;

/// Where the statements of a plan go: a server or a script. What a server understands is known by its version, and what belongs
/// to others there was asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// The setting `transaction_timeout`.
    pub transaction_timeout: bool,
    /// Table access methods.
    pub table_access_methods: bool,
    /// The option `streaming` of subscriptions.
    pub subscription_streaming: bool,
    /// The option `run_as_owner` of subscriptions.
    pub subscription_run_as_owner: bool,
    /// String literals that are read as they were before SQL's standard, and a warning about them.
    pub nonstandard_strings: bool,
    /// `ALTER VIEW` and the like, where other scripts have `ALTER TABLE` for all relations.
    pub owners_by_kind: bool,
    /// It is a script. Nobody can look what a drop would take along, or try it again, when psql runs it: drops are what
    /// pg_restore writes.
    pub is_script: bool,
    /// What belongs to others, where the role is no superuser.
    pub foreign: Option<ForeignObjects>,
}

impl Destination {
    /// A server that knows everything.
    pub const NEWEST: Self = Self {
        transaction_timeout: true,
        table_access_methods: true,
        subscription_streaming: true,
        subscription_run_as_owner: true,
        nonstandard_strings: true,
        owners_by_kind: true,
        is_script: false,
        foreign: None,
    };
    /// A script, whose reader may be any server.
    pub const SCRIPT: Self = Self { is_script: true, ..Self::NEWEST };

    /// What a server of this version understands.
    pub fn of(version: ServerVersion) -> Self {
        Self {
            transaction_timeout: version.transaction_timeout(),
            table_access_methods: version.table_access_methods(),
            subscription_streaming: version.subscription_binary(),
            subscription_run_as_owner: version.subscription_origin(),
            nonstandard_strings: !version.only_standard_strings(),
            owners_by_kind: true,
            is_script: false,
            foreign: None,
        }
    }
}
