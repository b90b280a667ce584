//! Replication slots of subscriptions that are dropped: they stay on the publishers.

use std::collections::HashMap;

use bstr::{BString, ByteSlice};

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::execute::{Client, Ledger};
use crate::progress::Level;
use crate::{Result, printable};

/// The slots of the subscriptions that are to be dropped, by the subscriptions' names.
#[derive(Default)]
pub struct Slots(HashMap<BString, BString>);

impl Slots {
    /// Asks which there are, if the plan drops any subscription.
    pub fn ask(client: &mut Client<'_>) -> Result<Self> {
        let job = client.job;
        if !job.plan.drops.iter().any(|step| kinds::is(&job.entries[step.entry], "SUBSCRIPTION")) {
            return Ok(Self::default());
        }
        let rows = client.query(
            "SELECT s.subname::pg_catalog.text AS name, s.subslotname::pg_catalog.text AS slot \
             FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid \
             WHERE d.datname = pg_catalog.current_database() AND s.subslotname IS NOT NULL",
            &[],
        )?;
        rows.iter().map(|row| Ok((row.string("name")?, row.string("slot")?))).collect::<Result<_>>().map(Self)
    }

    /// Says which slots the subscriptions among these entries have left, as soon as it is for good that they are dropped.
    pub fn leave(&mut self, client: &Client<'_>, ledger: &mut Ledger<'_>, dropped: impl Iterator<Item = EntryIndex>) {
        let job = client.job;
        if self.0.is_empty() {
            return;
        }
        for at in dropped.filter(|at| kinds::is(&job.entries[*at], "SUBSCRIPTION")) {
            let Some(slot) = self.0.remove(text(&job.entries[at].tag)) else { continue };
            let slot = printable::name(slot.as_bstr());
            let text = format!(
                "it was dropped here alone: its replication slot \"{slot}\" stays on the publisher, which keeps its WAL \
                 for it; where nothing is to use it again, drop it there with pg_drop_replication_slot"
            );
            match client.in_transaction() {
                true => ledger.defer(at, text),
                false => job.say(Level::Warning, at, text),
            }
        }
    }
}
