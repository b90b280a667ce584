//! What must hold for the plan and the script of any archive, whatever is asked for.

use std::io::Read;

use lifeboat::Silent;
use lifeboat::postgres::ServerVersion;
use lifeboat::postgres::archive::EntryIndex;
use lifeboat::postgres::restore::{Destination, RestoreOptions, RestrictKey, plan, script};
use pgformat::{Entry, Reader};

/// Plans for the oldest server, the newest one, and a script.
pub fn check(entries: &[Entry], version: (u8, u8), options: &RestoreOptions) {
    let servers = [130_000, 180_000].map(|version| Destination::of(ServerVersion::new(version)));
    for destination in servers.into_iter().chain([Destination::SCRIPT]) {
        let Ok(made) = plan(entries, version, options, &destination) else { continue };
        assert!(made.steps.iter().chain(&made.drops).all(|step| step.entry.of(entries).is_some()));
        assert!(made.steps.iter().all(|step| made.is_wanted(step.entry)));
        let mut begun: Vec<EntryIndex> = made.steps.chunk_by(|a, b| a.entry == b.entry).map(|of| of[0].entry).collect();
        let all = begun.len();
        begun.sort_unstable();
        begun.dedup();
        assert_eq!(begun.len(), all, "the steps of an entry follow each other");
    }
}

/// Writes a script twice: it is the same.
pub fn check_script<R: Read>(options: &RestoreOptions, open: impl Fn() -> Option<Reader<R>>) {
    let Ok(key) = "key".parse::<RestrictKey>() else { return };
    let write = || {
        let mut reader = open()?;
        let mut out = Vec::new();
        script(&mut reader, options, &key, &mut out, &Silent).ok().map(|_| out)
    };
    assert_eq!(write(), write());
}
