//! What a restore is asked to do, chosen by some bytes.

use lifeboat::postgres::archive::{Sections, Selection, list};
use lifeboat::postgres::restore::RestoreOptions;
use pgformat::Entry;

/// How many bytes choose the options.
pub const CHOICE: usize = 6;
/// Names that the seeds have, and one that they have not.
pub const NAMES: [&str; 4] = ["public", "t", "f(integer)", "nowhere"];

/// The options for a choice. Any text may be a list of entries; `list` is one as good as others.
pub fn options(choice: [u8; CHOICE], list: &[u8], entries: &[Entry]) -> RestoreOptions {
    let bit = |n: usize| choice[n / 8] & (1 << (n % 8)) != 0;
    let names = |n: usize| if bit(n) { vec![NAMES[usize::from(choice[5]) % NAMES.len()].into()] } else { Vec::new() };
    RestoreOptions::default()
        .force(true)
        .clean(bit(0))
        .if_exists(bit(1))
        .create(bit(2))
        .owner(bit(3))
        .session_authorization(bit(4))
        .acl(bit(5))
        .target_defaults(bit(36))
        .comments(bit(6))
        .security_labels(bit(7))
        .publications(bit(8))
        .subscriptions(bit(9))
        .policies(bit(10))
        .tablespaces(bit(11))
        .table_access_methods(bit(12))
        .schema(bit(13))
        .data(bit(14))
        .statistics(bit(15))
        .extended_statistics(!bit(37))
        .sections(Sections::default().pre_data(bit(16)).data(bit(17)).post_data(bit(18)))
        .only(
            Selection::default()
                .schemas(names(19))
                .exclude_schemas(names(20))
                .tables(names(21))
                .indexes(names(22))
                .functions(names(23))
                .triggers(names(24)),
        )
        .list(bit(25).then(|| list::parse(list, entries, |_, _| {})))
        .strict_names(bit(26))
        .disable_triggers(bit(27))
        .superuser(bit(28).then(|| "su'per\\".into()))
        .row_security(bit(29))
        .role(bit(30).then(|| "role\"s".into()))
        .single_transaction(bit(31))
        .transaction_size(bit(32).then_some(3))
        .exit_on_error(bit(33))
        .jobs(if bit(34) { 4 } else { 1 })
        .data_for_failed_tables(bit(35))
}
