//! Subscriptions: what an older server does not understand of one, and how one goes without its publisher.

use std::collections::HashMap;

use bstr::{BString, ByteSlice};

use crate::Result;
use crate::postgres::archive::kinds::{self, text};
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::plan::Step;
use crate::postgres::restore::plan::settings::Target;
use crate::printable;
use crate::progress::Level;

/// The options of a subscription that pg_dump 16 and later write out for servers of every version, and the value that
/// they have, unsaid, on a server that does not know them. Without them a subscription could not even go back to where
/// it was dumped.
pub(in crate::postgres::restore) fn without_unknown_options(mut statement: BString, target: &Target) -> BString {
    let Some(options) = statement.rfind(b" WITH (") else { return statement };
    let unsaid: [(bool, &[u8]); 2] = [
        (target.subscription_streaming, b", streaming = off"),
        (target.subscription_run_as_owner, b", run_as_owner = true"),
    ];
    for (_, option) in unsaid.into_iter().filter(|(is_known, _)| !is_known) {
        if let Some(at) = statement[options..].find(option) {
            let begin = options + at;
            let end = begin + option.len();
            // The whole option, and not the beginning of another one.
            if statement[end..].starts_with(b",") || statement[end..].starts_with(b")") {
                statement.drain(begin..end);
            }
        }
    }
    statement
}

/// The drop of a subscription with what parts it from its replication slot before. The slot is on another server, where it
/// may be in use; and where that server is gone, a drop with the slot fails for ever. Without a slot it can also be dropped
/// in a transaction. `statement` is `DROP SUBSCRIPTION …;`, and stays as it is if it is not.
pub(in crate::postgres::restore) fn drop_here_alone(statement: BString) -> BString {
    let Some(rest) = statement.strip_prefix(b"DROP SUBSCRIPTION ") else { return statement };
    let name = rest.strip_prefix(b"IF EXISTS ").unwrap_or(rest).trim_ascii_end();
    let Some(name) = name.strip_suffix(b";").map(<[u8]>::to_vec) else { return statement };
    let mut parted = Vec::new();
    for change in [" DISABLE; ", " SET (slot_name = NONE); "] {
        parted.extend_from_slice(b"ALTER SUBSCRIPTION ");
        parted.extend_from_slice(&name);
        parted.extend_from_slice(change.as_bytes());
    }
    [parted, statement.into()].concat().into()
}

/// The replication slots of the subscriptions that `drops` drop, by the subscriptions' names.
pub(in crate::postgres::restore) fn slots(run: &mut Run<'_>, drops: &[Step]) -> Result<HashMap<BString, BString>> {
    if !drops.iter().any(|step| kinds::is(&run.entries[step.entry], "SUBSCRIPTION")) {
        return Ok(HashMap::new());
    }
    let rows = run.target.query(
        "SELECT s.subname::pg_catalog.text AS name, s.subslotname::pg_catalog.text AS slot \
         FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid \
         WHERE d.datname = pg_catalog.current_database() AND s.subslotname IS NOT NULL",
        &[],
    )?;
    rows.iter().map(|row| Ok((row.string("name")?, row.string("slot")?))).collect()
}

impl Run<'_> {
    /// Puts down that the subscriptions among these entries were dropped, to say which slots they left on their publishers as soon
    /// as it is for good.
    pub(in crate::postgres::restore) fn leave_slots(&mut self, dropped: impl Iterator<Item = usize>) {
        if self.slots.is_empty() {
            return;
        }
        for at in dropped {
            let entry = &self.entries[at];
            if kinds::is(entry, "SUBSCRIPTION")
                && let Some(slot) = self.slots.remove(text(&entry.tag))
            {
                self.left_slots.push((at, slot));
            }
        }
        if !self.is_block {
            self.tell_slots();
        }
    }

    /// Says which slots are left.
    pub(in crate::postgres::restore) fn tell_slots(&mut self) {
        for (entry, slot) in std::mem::take(&mut self.left_slots) {
            let slot = printable::name(slot.as_bstr());
            self.say(
                Level::Warning,
                entry,
                format!(
                    "it was dropped here alone: its replication slot \"{slot}\" stays on the publisher, which keeps its WAL \
                     for it; where nothing is to use it again, drop it there with pg_drop_replication_slot"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_parted_from_its_slot_before_it_goes() {
        assert_eq!(
            drop_here_alone("DROP SUBSCRIPTION IF EXISTS \"a;b\";\n".into()),
            "ALTER SUBSCRIPTION \"a;b\" DISABLE; ALTER SUBSCRIPTION \"a;b\" SET (slot_name = NONE); \
             DROP SUBSCRIPTION IF EXISTS \"a;b\";\n"
        );
        assert_eq!(drop_here_alone("DROP TABLE t;\n".into()), "DROP TABLE t;\n");
    }

    const BEGINNING: &str =
        "CREATE SUBSCRIPTION s CONNECTION 'x WITH (, streaming = off)' PUBLICATION p WITH (connect = false";

    fn on(target: Target, options: &str) -> String {
        let statement = format!("{BEGINNING}{options});\n");
        let result = without_unknown_options(statement.into(), &target).to_string();
        result.strip_prefix(BEGINNING).unwrap().to_owned()
    }

    #[test]
    fn options_are_left_out_where_they_are_not_known() {
        let both = ", slot_name = NONE, streaming = off, run_as_owner = true, synchronous_commit = on";
        let newest = Target::NEWEST;
        let of_15 = Target { subscription_run_as_owner: false, ..newest };
        let of_13 = Target { subscription_streaming: false, ..of_15 };
        assert_eq!(on(newest, both), format!("{both});\n"));
        assert_eq!(on(of_15, both), ", slot_name = NONE, streaming = off, synchronous_commit = on);\n");
        assert_eq!(on(of_13, both), ", slot_name = NONE, synchronous_commit = on);\n");
        assert_eq!(on(of_13, ", run_as_owner = true"), ");\n");
        // What means something else there is left, for the server to refuse.
        assert_eq!(on(of_13, ", streaming = offer"), ", streaming = offer);\n");
        assert_eq!(on(of_13, ", streaming = on"), ", streaming = on);\n");
    }
}
