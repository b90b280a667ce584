//! Others who change a table while a backup waits for its lock.

use std::sync::atomic::{AtomicBool, Ordering};

use super::gate::{Gate, Held};
use super::{assert_failed, start};
use crate::support::wait::wait_for_waiting;
use crate::support::{Database, Output, REFERENCE, Scene, Server, Session};

const TABLE: &str =
    "CREATE TABLE t (a integer, b varchar(10)); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n";

/// Backs up while `change` is not yet committed; it is committed when the backup waits for the table's lock.
fn backup_during(scene: &Scene, database: &Database<'_>, change: &str) -> Output {
    let mut session = Session::open(database);
    session.run("BEGIN");
    session.run(change);
    let running = start(scene, database, &[]);
    wait_for_waiting(database);
    session.run("COMMIT");
    running.end()
}

#[test]
fn lock_that_does_not_come_in_time_is_an_error() {
    for server in Server::all() {
        let database = server.database("locked");
        database.sql(TABLE);
        let mut session = Session::open(&database);
        session.run("BEGIN");
        session.run("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let scene = Scene::new();
        let running = start(&scene, &database, &["--lock-wait-timeout", "300"]);
        assert_failed(&scene, &running.end(), "canceling statement due to lock timeout");
        session.run("ROLLBACK");
        scene.run(&["backup", "--url", &database.url(), "--output", "out.dump", "--lock-wait-timeout", "300"]);
    }
}

#[test]
fn table_that_is_dropped_meanwhile_is_not_in_the_backup() {
    for server in Server::all() {
        let database = server.database("dropped");
        database.sql(TABLE);
        database.sql("CREATE TABLE other AS TABLE t");
        let scene = Scene::new();
        let out = backup_during(&scene, &database, "DROP TABLE t");
        assert!(out.success() && out.stderr().contains("beginning again"), "{out}");
        let restored = server.database("dropped");
        restored.restore(&scene.path("out.dump"), &[]);
        assert_eq!(restored.sql("SELECT to_regclass('t') IS NULL, count(*) FROM other"), "t|100");
    }
}

/// Tables are locked before there is a snapshot: what was committed until the lock came is in it.
#[test]
fn table_that_is_altered_meanwhile_is_backed_up_as_it_is_then() {
    let changes = [
        ("ALTER TABLE t ADD COLUMN c integer; UPDATE t SET b = 'new'", "count(*), sum(a), min(b), count(c)"),
        ("ALTER TABLE t DROP COLUMN b", "count(*), min(t::text)"),
        ("ALTER TABLE t RENAME b TO b_old; ALTER TABLE t ADD b varchar(10)", "count(*), count(b), sum(b_old::integer)"),
        ("ALTER TABLE t ALTER a TYPE bigint", "count(*), sum(a), pg_typeof(sum(a))"),
        ("TRUNCATE t; INSERT INTO t VALUES (1, '2')", "count(*), sum(a), pg_typeof(sum(a))"),
    ];
    for server in Server::all() {
        for (change, rows) in changes {
            let database = server.database("altered");
            database.sql(TABLE);
            let scene = Scene::new();
            let out = backup_during(&scene, &database, change);
            assert!(out.success(), "{change}: {out}");
            let restored = server.database("altered");
            let out = restored.try_restore(&scene.path("out.dump"), &[]);
            assert!(out.success(), "{change}: {out}");
            let rows = format!("SELECT {rows} FROM t");
            assert_eq!(restored.sql(&rows), database.sql(&rows), "{change}");
        }
    }
}

/// Of columns that swap their names, each keeps its values.
#[test]
fn columns_that_change_names_meanwhile_keep_their_values() {
    for server in Server::all() {
        let database = server.database("columns");
        database.sql("CREATE TABLE t AS SELECT 'of a' AS a, 'of b' AS b");
        let scene = Scene::new();
        let swap = "ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b";
        let out = backup_during(&scene, &database, swap);
        assert!(out.success(), "{out}");
        let restored = server.database("columns");
        restored.restore(&scene.path("out.dump"), &[]);
        assert_eq!(restored.sql("SELECT a, b FROM t"), "of b|of a");
    }
}

/// Tables are locked and copied by name: where another table gets the name meanwhile, its rows must not be taken for those
/// of the first one.
#[test]
fn tables_that_change_names_meanwhile_keep_their_rows() {
    for server in Server::all() {
        for options in [&[][..], &["--table", "t"]] {
            let database = server.database("swapped");
            database.sql(TABLE);
            database.sql("CREATE TABLE u AS SELECT * FROM t LIMIT 7; COMMENT ON TABLE u IS 'seven'");
            let scene = Scene::new();
            let mut session = Session::open(&database);
            session.run("BEGIN");
            session.run("ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u");
            let running = start(&scene, &database, options);
            wait_for_waiting(&database);
            session.run("COMMIT");
            let out = running.end();
            assert!(out.success(), "{out}");
            let restored = server.database("swapped");
            restored.restore(&scene.path("out.dump"), &[]);
            assert_eq!(restored.sql("SELECT count(*), obj_description('t'::regclass, 'pg_class') FROM t"), "7|seven");
        }
    }
}

/// Backs up two tables, one over each of two connections, while somebody waits for a stronger lock on the table that the
/// connection of this number copies.
fn backup_while_waiting_for(server: &Server, number: usize) -> (Scene, Output) {
    let database = server.database("behind");
    database.sql("CREATE TABLE one AS SELECT 1 AS a; CREATE TABLE two AS SELECT 2 AS a");
    let scene = Scene::new();
    // Of each connection, the first of these; the first connection's own lock is another matter.
    let is_held = [AtomicBool::new(false), AtomicBool::new(false)];
    let gate = Gate::before(&database, move |number, statement| {
        let is_it = ["COPY ", "LOCK "].get(number).is_some_and(|word| statement.starts_with(word));
        is_it && !is_held[number].swap(true, Ordering::Relaxed)
    });
    let running = start(&scene, &database, &["--jobs", "2", "--url", &gate.url]);
    let mut held = [gate.next(), gate.next()];
    held.sort_by_key(|held| held.connection);
    let statement = &held[number].statement;
    let table = ["one", "two"].into_iter().find(|table| statement.contains(&format!("public.{table} ")));
    let table = table.unwrap_or_else(|| panic!("{statement}"));
    let mut session = Session::open(&database);
    session.send(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
    wait_for_waiting(&database);
    held.into_iter().for_each(Held::let_go);
    (scene, running.end())
}

/// A second connection must not wait behind somebody who waits for the first one: all three would wait for ever.
#[test]
fn second_connection_does_not_wait_behind_somebody_who_waits_for_the_first() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, out) = backup_while_waiting_for(server, 1);
    assert_failed(&scene, &out, "use --jobs 1");
}

#[test]
fn first_connection_copies_what_somebody_waits_for() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, out) = backup_while_waiting_for(server, 0);
    assert!(out.success(), "{out}");
    assert_eq!(scene.names(), ["out.dump"]);
}
