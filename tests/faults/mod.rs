//! What becomes of a backup or a restore of PostgreSQL when something goes wrong in the middle: the process is killed, the
//! disk is full, the server goes away, the archive is damaged, somebody changes a table, the database holds what lifeboat
//! has never heard of.

mod archives;
mod broken_off;
mod changes;
mod gate;
mod memory;
mod moment;
mod newer_server;
mod pgbench;
mod silence;
mod standby;
mod swap;
mod temporary;
mod threads;
mod unknown;

use crate::support::wait::wait_for;
use crate::support::{Database, Output, Running, Scene, unfinished, verbs};

/// Rows that compress badly, about 33 bytes each.
fn fill(database: &Database<'_>, rows: u32) {
    database
        .sql(&format!("CREATE TABLE filled AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, {rows}) g"));
}

/// A backup that is under way.
fn start(scene: &Scene, database: &Database<'_>, more: &[&str]) -> Running {
    Running::start(&mut verbs::backup(&database.url(), &scene.path("out.dump"), more))
}

/// A backup that was stopped when its unfinished file had begun to grow.
fn halted(scene: &Scene, database: &Database<'_>, more: &[&str]) -> Running {
    let mut running = start(scene, database, more);
    wait_for("data in the unfinished file", || {
        assert!(!running.has_ended(), "the backup ended before it could be disturbed");
        let size = unfinished(running.pid(), scene.folder())?;
        (size > 100_000).then_some(())
    });
    running.signal("STOP");
    assert!(!scene.path("out.dump").exists(), "the final name is there before the end");
    running
}

/// Asserts that a backup failed as it should: exit code 1, this said, and nothing left. That it began again before, because
/// another test changed a role of the same server, may have been said first.
fn assert_failed(scene: &Scene, out: &Output, says: &str) {
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().lines().any(|line| line.starts_with("lifeboat: error: ")), "{out}");
    assert!(out.stderr().contains(says), "does not say {says:?}: {out}");
    assert_eq!(scene.names(), Vec::<String>::new(), "something was left: {out}");
}
