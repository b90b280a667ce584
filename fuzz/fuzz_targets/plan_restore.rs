//! From an archive's table of contents to the plan of a restore, and to a script. Whatever the entries say and whatever is
//! asked for: no panic, no endless loop; and a script is the same when it is written again.
//!
//! The first bytes choose the options, the rest is an archive: `cargo fuzz run plan_restore`, after
//! `cargo run -p pgformat --example fuzz_seeds fuzz/corpus`.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use lifeboat::postgres::restore::{RestoreOptions, RestrictKey, Sections, Selection, Target, parse_list, plan, script};
use lifeboat::postgres::version::ServerVersion;
use lifeboat::progress::Silent;
use pgformat::{Limits, Reader};

const LIMITS: Limits =
    Limits { entries: 10_000, text: 1 << 20, dependencies: 10_000, contents: 1 << 22, chunk: 1 << 22, objects: 10_000 };
/// How many bytes choose the options.
const CHOICE: usize = 6;
/// Names that the seeds have, and one that they have not.
const NAMES: [&str; 4] = ["public", "t", "f(integer)", "nowhere"];

fn options(choice: &[u8], archive: &[u8]) -> RestoreOptions {
    let bit = |n: usize| choice[n / 8] & (1 << (n % 8)) != 0;
    let names = |n: usize| if bit(n) { vec![NAMES[usize::from(choice[5]) % NAMES.len()].into()] } else { Vec::new() };
    RestoreOptions {
        force: true,
        clean: bit(0),
        if_exists: bit(1),
        create: bit(2),
        owner: bit(3),
        session_authorization: bit(4),
        acl: bit(5),
        comments: bit(6),
        security_labels: bit(7),
        publications: bit(8),
        subscriptions: bit(9),
        policies: bit(10),
        tablespaces: bit(11),
        table_access_methods: bit(12),
        schema: bit(13),
        data: bit(14),
        statistics: bit(15),
        sections: Sections { pre_data: bit(16), data: bit(17), post_data: bit(18) },
        only: Selection {
            schemas: names(19),
            exclude_schemas: names(20),
            tables: names(21),
            indexes: names(22),
            functions: names(23),
            triggers: names(24),
        },
        // Any text may be a list; the archive is one as good as others.
        list: bit(25).then(|| {
            Reader::with_limits(archive, LIMITS)
                .map_or(Vec::new(), |reader| parse_list(archive, reader.entries(), |_, _| {}))
        }),
        strict_names: bit(26),
        disable_triggers: bit(27),
        superuser: bit(28).then(|| "su'per\\".into()),
        row_security: bit(29),
        role: bit(30).then(|| "role\"s".into()),
        single_transaction: bit(31),
        transaction_size: bit(32).then_some(3),
        exit_on_error: bit(33),
        jobs: if bit(34) { 4 } else { 1 },
        data_for_failed_tables: bit(35),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, archive)) = bytes.split_at_checked(CHOICE) else { return };
    let Ok(reader) = Reader::with_limits(archive, LIMITS) else { return };
    let options = options(choice, archive);
    let entries = reader.shared_entries();
    let version = (reader.header().version.major, reader.header().version.minor);
    for target in [Target::of(ServerVersion(130_000)), Target::of(ServerVersion(180_000)), Target::SCRIPT] {
        let Ok(made) = plan(&entries, version, &options, &target) else { continue };
        assert!(made.steps.iter().chain(&made.drops).all(|step| step.entry < entries.len()));
        assert!(made.steps.iter().all(|step| made.is_wanted(step.entry)));
    }
    let Ok(key) = "key".parse::<RestrictKey>() else { return };
    let write = || {
        let mut reader = Reader::seekable_with_limits(Cursor::new(archive), LIMITS).ok()?;
        let mut out = Vec::new();
        script(&mut reader, &options, &key, &mut out, &Silent).ok().map(|_| out)
    };
    assert_eq!(write(), write());
});
