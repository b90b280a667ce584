//! Definitions that PostgreSQL reserves for superusers, in a transaction that would be lost if the server refuses them.

use std::collections::{HashMap, HashSet};

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::archive::{EntryName, text};
use crate::postgres::restore::execute::Executor;
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::summary::EntryError;
use crate::{Result, Work};

const SUBSCRIPTION: &str = "subscription";

/// What the role turned out to be permitted, and not to be permitted, of what is reserved for superusers.
#[derive(Default)]
pub struct Reserved {
    permitted: HashSet<&'static str>,
    /// With the entry that was refused first.
    denied: HashMap<&'static str, EntryName>,
}

impl Executor<'_> {
    /// Whether a step is to be kept apart from the transaction that is open.
    pub fn is_reserved(&self, step: &Step) -> bool {
        self.client.in_transaction()
            && self.job.plan.role_limits.role.is_some()
            && matches!(step.action, Action::Define(_))
            && reservation(&self.job.entries[step.entry]).is_some_and(|kind| !self.reserved.permitted.contains(kind))
    }

    /// Carries out such a step. Where one of its sort was refused, so would be all others.
    pub fn attempt_reserved(&mut self, step: &Step, statement: &[u8]) -> Result<()> {
        let Self { job, client, ledger, reserved, .. } = self;
        let entry = &job.entries[step.entry];
        let Some(kind) = reservation(entry) else { return Ok(()) };
        if let Some(first) = reserved.denied.get(kind) {
            let message = format!("it was not tried, for {first} was refused");
            ledger.leave_refused(step.entry, EntryError::other(entry, statement, message));
            return Ok(());
        }
        match client.attempt(statement)? {
            // Each subscription has a connection string of its own to be checked.
            None if kind == SUBSCRIPTION => {}
            None => _ = reserved.permitted.insert(kind),
            Some(error) if ledger.is_refusal(step, &error) => {
                let error = EntryError::server(entry, statement, &error);
                reserved.denied.insert(kind, error.entry.clone());
                ledger.leave_refused(step.entry, error);
            }
            Some(error) => client.put_down(ledger, step.entry, Work::Definition(statement), error)?,
        }
        Ok(())
    }
}

/// What an entry needs that PostgreSQL reserves for superusers, and that no rows need.
fn reservation(entry: &Entry) -> Option<&'static str> {
    match text(&entry.desc).as_bytes() {
        b"EVENT TRIGGER" => Some("event trigger"),
        b"SUBSCRIPTION" => Some(SUBSCRIPTION),
        b"PUBLICATION TABLES IN SCHEMA" => Some("schemas in publications"),
        b"PUBLICATION" => {
            text(&entry.definition).contains_str(" FOR ALL TABLES ").then_some("publication of all tables")
        }
        _ => None,
    }
}
