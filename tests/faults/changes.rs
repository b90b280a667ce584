//! Others who change a table while a backup waits for its lock.

use super::{Running, Session, assert_failed, fill, restore, wait_for_waiting};
use crate::sqlite::Scene;
use crate::support::{Database, Output, REFERENCE, Server};

const TABLE: &str =
    "CREATE TABLE t (a integer, b varchar(10)); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n";

/// Backs up while `change` is not yet committed; it is committed when the backup waits for the table's lock.
fn backup_during(scene: &Scene, database: &Database<'_>, change: &str) -> Output {
    let mut session = Session::open(database);
    session.run("BEGIN");
    session.run(change);
    let running = Running::start(scene, database, &[]);
    wait_for_waiting(database);
    session.run("COMMIT");
    running.end()
}

#[test]
fn lock_that_does_not_come_in_time_is_an_error() {
    for server in Server::all() {
        let database = server.database("locked");
        database.psql(TABLE);
        let mut session = Session::open(&database);
        session.run("BEGIN");
        session.run("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let scene = Scene::new();
        let running = Running::start(&scene, &database, &["--lock-wait-timeout", "300"]);
        assert_failed(&scene, &running.end(), "canceling statement due to lock timeout");
        session.run("ROLLBACK");
        scene.run(&["backup", "--url", &database.url(), "--output", "out.dump", "--lock-wait-timeout", "300"]);
    }
}

#[test]
fn table_that_is_dropped_meanwhile_is_not_in_the_backup() {
    for server in Server::all() {
        let database = server.database("dropped");
        database.psql(TABLE);
        database.psql("CREATE TABLE other AS TABLE t");
        let scene = Scene::new();
        let out = backup_during(&scene, &database, "DROP TABLE t");
        assert!(out.success() && out.stderr().contains("beginning again"), "{out}");
        let restored = server.database("dropped");
        let out = restore(&scene, "out.dump", &restored, &[]);
        assert!(out.success(), "{out}");
        assert_eq!(restored.psql("SELECT to_regclass('t') IS NULL, count(*) FROM other"), "t|100");
    }
}

#[test]
fn column_that_is_added_meanwhile_is_not_in_the_snapshot() {
    for server in Server::all() {
        let database = server.database("added");
        database.psql(TABLE);
        let scene = Scene::new();
        let out = backup_during(&scene, &database, "ALTER TABLE t ADD COLUMN c integer; UPDATE t SET b = 'new'");
        assert!(out.success(), "{out}");
        let restored = server.database("added");
        let out = restore(&scene, "out.dump", &restored, &[]);
        assert!(out.success(), "{out}");
        assert_eq!(restored.psql("SELECT count(*), sum(a), sum(b::integer) FROM t"), "100|5050|5050");
    }
}

#[test]
fn column_that_is_dropped_meanwhile_is_an_error() {
    for server in Server::all() {
        let database = server.database("column");
        database.psql(TABLE);
        let scene = Scene::new();
        assert_failed(&scene, &backup_during(&scene, &database, "ALTER TABLE t DROP COLUMN b"), "\"b\"");
    }
}

/// A table that has been truncated, or written anew, is empty for the transactions that began before: an archive without
/// its rows would look complete. The backup notices, and begins again.
#[test]
fn table_that_is_written_anew_meanwhile_is_never_backed_up_empty() {
    for server in Server::all() {
        for change in ["ALTER TABLE t ALTER a TYPE bigint", "TRUNCATE t; INSERT INTO t VALUES (1, '2')"] {
            let database = server.database("anew");
            database.psql(TABLE);
            let scene = Scene::new();
            let out = backup_during(&scene, &database, change);
            assert!(out.success(), "{out}");
            assert!(out.stderr().contains("public.t") && out.stderr().contains("beginning again"), "{out}");
            let restored = server.database("anew");
            let out = restore(&scene, "out.dump", &restored, &[]);
            assert!(out.success(), "{out}");
            let rows = "SELECT count(*), sum(a), pg_typeof(sum(a)) FROM t";
            assert_eq!(restored.psql(rows), database.psql(rows));
        }
    }
}

/// A second connection must not wait behind somebody who waits for the first one.
#[test]
fn lock_that_somebody_waits_for_does_not_hold_up_parallel_backups_for_ever() {
    let Some(server) = Server::get(REFERENCE) else { return };
    let database = server.database("behind");
    fill(&database, 400_000);
    database.psql("CREATE TABLE filled_too AS TABLE filled; CREATE TABLE last AS SELECT 1 AS a");
    let scene = Scene::new();
    let running = Running::halted(&scene, &database, &["--jobs", "2"]);
    let mut session = Session::open(&database);
    session.send("BEGIN; LOCK TABLE last IN ACCESS EXCLUSIVE MODE");
    wait_for_waiting(&database);
    running.signal("CONT");
    let out = running.end();
    // The connection that has the lock already may come by first.
    if !out.success() {
        assert_failed(&scene, &out, "use --jobs 1");
    }
}
