//! Backups of a standby that has to take over what its primary does: what is in the way of that is ended, told as such and begun
//! again; or it waits, on request, until the backup is done, whatever becomes of that.

use super::gate::Gate;
use super::start;
use crate::support::needs::Needed;
use crate::support::wait::{wait_for_true, wait_until};
use crate::support::{Database, Options, REFERENCE, Running, Scene, Server, lifeboat, output, verbs};

/// A primary and a standby that waits for no query.
fn pair() -> Needed<(Server, Server)> {
    let primary = Server::with(REFERENCE, &Options::default())?;
    let standby = primary.standby()?;
    standby.sql("postgres", "ALTER SYSTEM SET max_standby_streaming_delay = 0");
    standby.sql("postgres", "SELECT pg_reload_conf()");
    Ok((primary, standby))
}

/// Changes something so that the standby gets to know it at once: servers of tests do not wait for their disks.
fn change(database: &Database<'_>, sql: &str) {
    database.sql(&format!("SET synchronous_commit = on; {sql}"));
}

fn filled<'a>(primary: &'a Server, standby: &Server) -> Database<'a> {
    let database = primary.database("replayed");
    change(&database, "CREATE TABLE t AS SELECT a FROM generate_series(1, 1000) AS a");
    standby.catch_up(primary);
    database
}

/// Takes rows away that the backup sees, for good.
fn vacuum(database: &Database<'_>) {
    database.sql("DELETE FROM t WHERE a % 2 = 0");
    database.sql("VACUUM t");
}

fn url(database: &Database<'_>, standby: &Server) -> String {
    format!("postgresql://postgres@127.0.0.1:{}/{}", standby.port(), database.name())
}

/// The way to the standby, on which the first COPY is held.
fn gate(database: &Database<'_>, standby: &Server) -> Gate {
    let port = standby.port();
    let first = std::sync::atomic::AtomicBool::new(true);
    let is_held = move |_: usize, statement: &str| {
        statement.starts_with("COPY public.t") && first.swap(false, std::sync::atomic::Ordering::SeqCst)
    };
    Gate::to(database, move |_| port, is_held)
}

const PAUSED: &str = "SELECT pg_is_wal_replay_paused()";

#[test]
fn a_conflict_with_replay_is_told_as_one_and_the_backup_begins_again() {
    let (primary, standby) = &needed!(pair());
    let database = filled(primary, standby);
    for (to_stdout, code) in [(false, 0), (true, 1)] {
        let scene = Scene::new();
        let gate = gate(&database, standby);
        let more: &[&str] = if to_stdout { &["--output", "-"] } else { &[] };
        let running = start(&scene, &database, &[&["--url", &gate.url], more].concat());
        let held = gate.next();
        database.sql("INSERT INTO t SELECT 2 * a FROM generate_series(1, 500) AS a");
        vacuum(&database);
        // It is ended where it waits.
        wait_for_true(
            standby,
            "SELECT confl_snapshot + confl_lock + confl_bufferpin > 0 FROM pg_stat_database_conflicts WHERE datname LIKE 'replayed%'",
        );
        held.let_go();
        let out = running.end();
        assert_eq!(out.code(), code, "{out}");
        let said = out.stderr();
        assert!(said.contains("conflict with recovery (SQLSTATE 40001)"), "{out}");
        if to_stdout {
            assert!(said.contains("hint: ") && said.contains("(--pause-replay)"), "{out}");
            assert!(said.contains("max_standby_streaming_delay") && said.contains("hot_standby_feedback"), "{out}");
        } else {
            assert!(said.contains("beginning again"), "{out}");
            let restored = primary.database("restored");
            restored.restore(&scene.path("out.dump"), &[]);
            assert_eq!(restored.sql("SELECT count(*) FROM t"), "500");
        }
    }
}

#[test]
fn replay_is_paused_for_the_backup_and_goes_on_whatever_ends_it() {
    let (primary, standby) = &needed!(pair());
    let database = filled(primary, standby);
    for (signal, code) in [(None, Some(0)), (Some("KILL"), None), (Some("TERM"), Some(143)), (None, Some(0))] {
        let scene = Scene::new();
        let gate = gate(&database, standby);
        let running = start(&scene, &database, &["--url", &gate.url, "--pause-replay"]);
        let held = gate.next();
        assert_eq!(standby.sql("postgres", PAUSED), "t");
        vacuum(&database);
        database.sql("INSERT INTO t SELECT 2 * a FROM generate_series(1, 500) AS a");
        match signal {
            Some("KILL") => running.kill(),
            Some(signal) => assert_eq!(Some(running.ended_by(signal).code()), code),
            None => {
                held.let_go();
                let out = running.end();
                assert_eq!((Some(out.code()), out.stderr().as_str()), (code, ""), "{out}");
            }
        }
        wait_for_true(standby, "SELECT NOT pg_is_wal_replay_paused()");
        standby.catch_up(primary);
        wait_for_true(
            standby,
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%')",
        );
    }
}

#[test]
fn who_may_not_pause_or_finds_it_paused_is_told() {
    let (primary, standby) = &needed!(pair());
    let database = filled(primary, standby);
    let scene = Scene::new();
    let backup = |url: &str| output(&mut verbs::backup(url, &scene.path("out.dump"), &["--pause-replay", "--force"]));
    let out = backup(&database.url());
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("the server is none, and replays nothing"), "{out}");

    change(&database, "GRANT SELECT ON t TO alice");
    standby.catch_up(primary);
    let as_alice = url(&database, standby).replace("postgres@", "alice@");
    let out = backup(&as_alice);
    assert_eq!(out.code(), 4, "{out}");
    let grant = "GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() TO";
    assert!(out.stderr().contains(grant) && scene.names().is_empty(), "{out}");
    change(&database, &format!("{grant} alice"));
    standby.catch_up(primary);
    let out = backup(&as_alice);
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_eq!(standby.sql("postgres", PAUSED), "f");

    // Whoever has paused it has it go on.
    standby.sql("postgres", "SELECT pg_wal_replay_pause()");
    let out = backup(&url(&database, standby));
    assert_eq!(out.code(), 0, "{out}");
    assert!(out.stderr().contains("its replay was paused already, and stays so"), "{out}");
    assert_eq!(standby.sql("postgres", PAUSED), "t");
    standby.sql("postgres", "SELECT pg_wal_replay_resume()");

    // The session that is to have it go on is ended by somebody: the backup has it go on itself.
    let gate = gate(&database, standby);
    let running = Running::start(
        lifeboat()
            .args(["backup", "--pause-replay", "--force", "--url", &gate.url, "--output"])
            .arg(scene.path("out.dump")),
    );
    let held = gate.next();
    let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_wal_replay_resume%' AND wait_event = 'advisory'";
    wait_until("the end of the watcher", || standby.sql("postgres", ended) == "t");
    assert_eq!(standby.sql("postgres", PAUSED), "t");
    held.let_go();
    let out = running.end();
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_eq!(standby.sql("postgres", PAUSED), "f");
}
