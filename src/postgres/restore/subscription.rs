//! What an older server does not understand of a subscription.

use bstr::{BString, ByteSlice};

use super::session::Target;

/// The options of a subscription that pg_dump 16 and later write out for servers of every version, and the value that
/// they have, unsaid, on a server that does not know them. Without them a subscription could not even go back to where
/// it was dumped.
pub(super) fn without_unknown_options(mut statement: BString, target: &Target) -> BString {
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

#[cfg(test)]
mod tests {
    use super::*;

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
