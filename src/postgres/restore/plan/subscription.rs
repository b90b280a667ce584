//! Subscriptions: what an older server does not understand of one, and how one goes without its publisher.

use bstr::{BString, ByteSlice};

use crate::postgres::restore::plan::Destination;

/// The options of a subscription that pg_dump 16 and later write out for servers of every version, and the value that
/// they have, unsaid, on a server that does not know them. Without them a subscription could not even go back to where
/// it was dumped.
pub fn without_unknown_options(mut statement: BString, destination: &Destination) -> BString {
    let Some(options) = statement.rfind(b" WITH (") else { return statement };
    let unsaid: [(bool, &[u8]); 2] = [
        (destination.subscription_streaming, b", streaming = off"),
        (destination.subscription_run_as_owner, b", run_as_owner = true"),
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
pub fn drop_here_alone(statement: BString) -> BString {
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

    fn on(destination: &Destination, options: &str) -> String {
        let statement = format!("{BEGINNING}{options});\n");
        let result = without_unknown_options(statement.into(), destination).to_string();
        result.strip_prefix(BEGINNING).unwrap().to_owned()
    }

    #[test]
    fn options_are_left_out_where_they_are_not_known() {
        let both = ", slot_name = NONE, streaming = off, run_as_owner = true, synchronous_commit = on";
        let of_15 = Destination { subscription_run_as_owner: false, ..Destination::NEWEST };
        let of_13 = Destination { subscription_streaming: false, ..of_15.clone() };
        assert_eq!(on(&Destination::NEWEST, both), format!("{both});\n"));
        assert_eq!(on(&of_15, both), ", slot_name = NONE, streaming = off, synchronous_commit = on);\n");
        assert_eq!(on(&of_13, both), ", slot_name = NONE, synchronous_commit = on);\n");
        assert_eq!(on(&of_13, ", run_as_owner = true"), ");\n");
        // What means something else there is left, for the server to refuse.
        assert_eq!(on(&of_13, ", streaming = offer"), ", streaming = offer);\n");
        assert_eq!(on(&of_13, ", streaming = on"), ", streaming = on);\n");
    }
}
