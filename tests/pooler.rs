//! Through a pooler: a backup is the same and leaves nothing behind; a restore goes through one that keeps a session
//! together, and is refused, before anything is changed, by one that does not.

use crate::support::archive::{self, Rows};
use crate::support::pgbouncer::Pool;
use crate::support::{REFERENCE, Scene, Server};

/// What every database here has: rows that only their owner sees, and names in two schemas.
const CONTENT: &str = "CREATE SCHEMA s; CREATE TABLE s.t (a integer PRIMARY KEY, b text);
    INSERT INTO s.t SELECT g, 'row ' || g FROM generate_series(1, 100) g; CREATE VIEW v AS SELECT * FROM s.t;
    CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM s.t'";
/// What a session shows of what a restore would leave in it.
const LEFT: &str = "SELECT coalesce(current_setting('lifeboat.session', true), '') || current_setting('search_path')
    || current_setting('statement_timeout') || current_setting('check_function_bodies')
    || current_setting('extra_float_digits') || current_setting('role')";
const NOTHING_LEFT: &str = "\"$user\", public0on1none";

/// A pool before `server`, or a note that there is none.
#[test]
fn backup_through_a_pool_of_transactions_is_the_same_and_leaves_nothing() {
    for server in Server::each([14, REFERENCE]) {
        let pool = needed!(Pool::start(server, "transaction", "default_pool_size = 3"));
        let database = server.database("pooled");
        database.sql(CONTENT);
        let scene = Scene::new();
        scene.run(&["backup", "--url", &database.url(), "--output", "direct"]);
        for (n, more) in [&[][..], &["--jobs", "2"], &["--table", "s.t", "--table", "v"]].into_iter().enumerate() {
            let out = format!("pooled{n}");
            scene.run(&[&["backup", "--url", &pool.url(database.name()), "--output", &out], more].concat());
            if n < 2 {
                archive::assert_same("through a pool", &scene.path("direct"), &scene.path(&out), Rows::InOrder);
            }
        }
        let restored = server.database("pooled");
        let url = pool.url(restored.name());
        let out = scene.run(&["restore", "direct", "--url", &url, "--dry-run"]);
        assert!(out.stdout().contains("the database is empty"), "{out}");
        assert_eq!(pool.psql(server, database.name(), LEFT), NOTHING_LEFT);
        assert_eq!(pool.psql(server, restored.name(), LEFT), NOTHING_LEFT);
    }
}

#[test]
fn restore_through_a_pool_of_transactions_is_refused_before_anything_is_changed() {
    for server in Server::each([14, REFERENCE]) {
        let scene = Scene::new();
        let source = server.database("pooled");
        source.sql(CONTENT);
        scene.run(&["backup", "--url", &source.url(), "--output", "out.dump"]);
        for more in ["", "server_round_robin = 1", "server_reset_query_always = 1", "default_pool_size = 1"] {
            let pool = needed!(Pool::start(server, "transaction", more));
            let database = server.database("pooled");
            database.sql("CREATE SCHEMA s; CREATE TABLE s.t (a integer); INSERT INTO s.t VALUES (-1)");
            let url = pool.url(database.name());
            // Connections that take turns, and have been used by others before.
            let mut two = pool.psql_command(server, database.name());
            two.args(["-c", "BEGIN", "-c", &format!("\\! psql -XAtqc 'SELECT 1' '{url}' >/dev/null"), "-c", "COMMIT"]);
            if !more.contains("default_pool_size") {
                crate::support::run(&mut two);
            }
            for options in [&[][..], &["-1"], &["--jobs", "2"]] {
                let says = "gives each transaction to another session";
                let out = scene.fails(4, says, &[&["restore", "out.dump", "--url", &url, "--force"], options].concat());
                assert!(out.stderr().contains("pool_mode = session"), "{out}");
                assert_eq!(database.sql("SELECT a FROM s.t"), "-1", "{more}");
            }
            for _ in 0..3 {
                assert_eq!(pool.psql(server, database.name(), LEFT), NOTHING_LEFT, "{more}");
            }
        }
    }
}

#[test]
fn restore_through_a_pool_of_sessions_succeeds_and_leaves_the_session_as_it_was() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let source = server.database("pooled");
    source.sql(CONTENT);
    scene.run(&["backup", "--url", &source.url(), "--output", "out.dump"]);
    for options in [&[][..], &["-1"], &["--jobs", "2"], &["--transaction-size", "2"]] {
        // The pool itself cleans nothing up.
        let pool = needed!(Pool::start(server, "session", "server_reset_query =\ndefault_pool_size = 5"));
        let database = server.database("pooled");
        let url = pool.url(database.name());
        scene.run(&[&["restore", "out.dump", "--url", &url, "--force"], options].concat());
        assert_eq!(database.sql("SELECT f()"), "100");
        assert_eq!(pool.psql(server, database.name(), LEFT), NOTHING_LEFT, "{options:?}");
    }
    // The second connection of the restore waits for the first, and is given up.
    let pool = needed!(Pool::start(server, "session", "server_reset_query =\ndefault_pool_size = 1"));
    let database = server.database("pooled");
    let url = format!("{}?connect_timeout=2", pool.url(database.name()));
    scene.run(&["restore", "out.dump", "--url", &url, "--force"]);
    assert_eq!(database.sql("SELECT f()"), "100");
    assert_eq!(pool.psql(server, database.name(), LEFT), NOTHING_LEFT);
}

#[test]
fn drill_through_a_pool_of_transactions_is_refused_and_makes_no_database() {
    let server = needed!(Server::get(REFERENCE));
    let pool = needed!(Pool::start(server, "transaction", ""));
    let database = server.database("pooled");
    database.sql(CONTENT);
    let scene = Scene::new();
    let url = pool.url(database.name());
    let out = scene.lifeboat(&["drill", "--url", &url, "--scratch", "."]);
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("gives each transaction to another session"), "{out}");
    let mine = "SELECT count(*) FROM pg_database WHERE datname LIKE 'lifeboat\\_drill\\_%'
        AND datname IN (SELECT datname FROM pg_stat_activity)";
    assert_eq!(server.sql("postgres", mine), "0");
    assert_eq!(pool.psql(server, database.name(), LEFT), NOTHING_LEFT);
}

/// The settings of others who had the pool's connection before, and the role that they have taken, are not taken over.
#[test]
fn backup_through_a_pool_of_transactions_does_not_take_over_what_others_left() {
    for server in Server::each([14, REFERENCE]) {
        let pool = needed!(Pool::start(server, "transaction", "default_pool_size = 1"));
        let database = server.database("pooled");
        database.sql(CONTENT);
        database.sql(
            "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON s.t USING (a < 10);
             GRANT USAGE ON SCHEMA s TO alice; GRANT SELECT ON ALL TABLES IN SCHEMA s TO alice; GRANT SELECT ON v TO alice",
        );
        let scene = Scene::new();
        scene.run(&["backup", "--url", &database.url(), "--output", "direct"]);
        let others =
            "SET search_path = s; SET row_security = on; SET extra_float_digits = -10; SET DateStyle = 'German';
            SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET statement_timeout = '1h'; SET ROLE alice";
        pool.psql(server, database.name(), others);
        assert!(pool.psql(server, database.name(), LEFT).ends_with("alice"), "the pool has another connection");
        scene.run(&["backup", "--url", &pool.url(database.name()), "--output", "pooled"]);
        archive::assert_same("what others left", &scene.path("direct"), &scene.path("pooled"), Rows::InOrder);
        assert!(pool.psql(server, database.name(), LEFT).ends_with("alice"), "what others left is theirs");
    }
}
