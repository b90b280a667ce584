//! Where a restore is to stop at the first error, it stops in every phase, and what is replaced is there in its old state or in
//! its new one.

use std::fs;

use pgformat::{DumpId, Entry};

use super::{archive_of, sample};
use crate::support::wait::{wait_for_statement, wait_until_left};
use crate::support::{Database, Options, REFERENCE, Running, Scene, Server, Session, verbs};

/// Every relation, with what it is made of: what was made anew has another file.
fn contents(database: &Database<'_>) -> String {
    database.sql("SELECT string_agg(oid || ' ' || relname || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class WHERE oid > 16384")
}

const WITH_OWNERS: [&str; 3] = ["--owner", "--acl", "--json"];

#[test]
fn an_error_in_the_drops_or_in_what_replaces_them_leaves_the_old_state() {
    for server in Server::each([13, REFERENCE]) {
        let database = sample(server);
        database.sql("ALTER EVENT TRIGGER watch DISABLE");
        let scene = Scene::of(&database, &[]);
        for options in [&["-e"][..], &["-e", "--jobs", "3"], &["-1"]] {
            let options = [options, &WITH_OWNERS].concat();
            // Something that is not in the archive holds a table.
            database.sql("CREATE VIEW app.mine AS SELECT * FROM app.one_column");
            let before = contents(&database);
            let out = scene.restore(&database.url(), &options);
            assert_eq!((out.code(), out.json()["rolled_back"].as_bool()), (1, Some(true)), "{options:?}: {out}");
            assert_eq!(out.json()["errors"][0]["entry"], "TABLE app.one_column", "{out}");
            assert_eq!(contents(&database), before, "{options:?}");
            database.sql("DROP VIEW app.mine");
            // All can be dropped, and one cannot be made.
            database.sql(
                "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS
                     $$ BEGIN IF current_query() LIKE '%CREATE TABLE app.log%' THEN RAISE 'no log here'; END IF; END $$;
                 CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.no()",
            );
            let before = contents(&database);
            let out = scene.restore(&database.url(), &options);
            assert_eq!((out.code(), out.json()["rolled_back"].as_bool()), (1, Some(true)), "{options:?}: {out}");
            assert_eq!(out.json()["errors"][0]["entry"], "TABLE app.log", "{out}");
            assert_eq!(contents(&database), before, "{options:?}");
            database.sql("DROP EVENT TRIGGER no; DROP FUNCTION public.no()");
            // And when nothing is in the way, it is done.
            let out = scene.restore(&database.url(), &options);
            assert_eq!(out.code(), 0, "{options:?}: {out}");
            database.sql("ALTER EVENT TRIGGER watch DISABLE");
            database.assert_is("restored", &scene.archive());
        }
    }
}

#[test]
fn with_transactions_of_so_many_nothing_is_dropped_after_the_first_error() {
    for server in Server::each([13, REFERENCE]) {
        let database = server.database("sized");
        for n in 1..=9 {
            database.sql(&format!("CREATE TABLE t{n} AS SELECT {n} AS n"));
        }
        let scene = Scene::of(&database, &[]);
        database.sql("CREATE VIEW mine AS SELECT * FROM t5");
        let there =
            "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relname LIKE 't_'";
        // The last come first: those that were dropped in the same transaction as the one that failed are back.
        for (size, left) in [("100", "t1 t2 t3 t4 t5 t6 t7 t8 t9"), ("4", "t1 t2 t3 t4 t5"), ("2", "t1 t2 t3 t4 t5")] {
            let out = scene.restore(&database.url(), &["--transaction-size", size, "--json"]);
            assert_eq!(out.code(), 1, "{size}: {out}");
            assert_eq!(out.json()["errors"][0]["entry"], "TABLE public.t5", "{out}");
            assert_eq!(out.json()["rolled_back"], size == "100", "{out}");
            assert_eq!(out.json()["stopped"], true, "{out}");
            assert_eq!(out.json()["dropped"], if size == "100" { 0 } else { 4 }, "{size}: {out}");
            assert_eq!(database.sql(there), left, "{size}");
        }
        database.sql("DROP VIEW mine");
        let out = scene.restore(&database.url(), &["--transaction-size", "2"]);
        assert_eq!(out.code(), 0, "{out}");
        database.assert_is("restored", &scene.archive());

        // What can only be dropped when other things are gone is not taken for an error.
        let database = sample(server);
        database.sql("ALTER EVENT TRIGGER watch DISABLE");
        let scene = Scene::of(&database, &[]);
        for size in ["1", "3", "50"] {
            let out = scene.restore(&database.url(), &["--owner", "--acl", "--transaction-size", size]);
            assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{size}: {out}");
            database.sql("ALTER EVENT TRIGGER watch DISABLE");
            database.assert_is("restored", &scene.archive());
        }
    }
}

#[test]
fn a_transaction_that_needs_more_locks_than_there_are_changes_nothing_and_says_what_to_do() {
    let config = "max_locks_per_transaction = 10\nmax_connections = 10".to_owned();
    let server = needed!(Server::with(REFERENCE, &Options { config, ..Options::default() }));
    let database = server.database("locks");
    for begin in [1, 101, 201, 301] {
        let tables: Vec<String> = (begin..begin + 100).map(|n| format!("CREATE TABLE t{n} (id integer)")).collect();
        database.sql(&tables[..50].join(";"));
        database.sql(&tables[50..].join(";"));
    }
    // pg_dump needs a lock for each table, too; so the archive is made up.
    let scene = Scene::new();
    let entries = (1..=400)
        .map(|n| {
            Entry::new(DumpId(n), "TABLE")
                .tag(format!("t{n}"))
                .schema("public")
                .definition(format!("CREATE TABLE public.t{n} (id integer);\n"))
                .drop_statement(format!("DROP TABLE public.t{n};\n"))
        })
        .collect();
    fs::write(scene.archive(), archive_of(entries)).unwrap();
    let before = contents(&database);
    for options in [["-e"], ["-1"]] {
        let out = scene.restore(&database.url(), &options);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("max_locks_per_transaction"), "{out}");
        assert!(out.stderr().contains("--transaction-size"), "{out}");
        assert_eq!(contents(&database), before);
    }
    let out = scene.restore(&database.url(), &["--transaction-size", "20"]);
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_ne!(contents(&database), before);
    assert_eq!(
        database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 't%' AND relnamespace = 'public'::regnamespace"),
        "400"
    );
}

#[test]
fn a_signal_or_a_lost_connection_while_it_is_dropped_leaves_the_old_state() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("signalled");
    database.sql("CREATE TABLE a AS SELECT 1 AS n; CREATE TABLE b AS SELECT 2 AS n");
    // A drop that takes for ever.
    let slow = "CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN IF current_query() LIKE '%DROP TABLE%public.a%' THEN PERFORM pg_sleep(3600); END IF; END $$;
        CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION slow()";
    let scene = Scene::of(&database, &[]);
    database.sql(slow);
    let before = contents(&database);
    for (options, is_signal) in
        [(&["-e"][..], true), (&["-1"], true), (&["--transaction-size", "5"], true), (&["-e"], false)]
    {
        let restore = Running::start(&mut verbs::restore(&database.url(), &scene.archive(), options));
        wait_for_statement(&database, "SAVEPOINT lifeboat; DROP TABLE%");
        if is_signal {
            restore.signal("TERM");
        } else {
            database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SAVEPOINT lifeboat; DROP TABLE%' AND pid <> pg_backend_pid() AND datname = current_database()");
        }
        let out = restore.end();
        assert_eq!(out.code(), if is_signal { 143 } else { 1 }, "{options:?}: {out}");
        assert!(out.stderr().contains("nothing was changed"), "{options:?}: {out}");
        // The next one must not be taken for this one.
        wait_until_left(&database);
        assert_eq!(contents(&database), before, "{options:?}");
    }
}

#[test]
fn a_database_is_dropped_only_when_another_can_take_its_place() {
    // A server of its own: other tests make databases in the same way.
    let server = needed!(Server::with(REFERENCE, &Options::default()));
    let (database, maintenance) = (server.database("in its place"), server.database("maintenance"));
    database.sql("CREATE TABLE kept AS SELECT 1 AS n");
    let name = database.name();
    let scene = Scene::new();
    let restore = |options: &str, more: &[&str]| {
        let entries = vec![
            Entry::new(DumpId(1), "DATABASE")
                .tag(name)
                .definition(format!("CREATE DATABASE \"{name}\" WITH TEMPLATE = template0{options};\n"))
                .drop_statement(format!("DROP DATABASE \"{name}\";\n")),
            Entry::new(DumpId(2), "TABLE")
                .tag("kept")
                .schema("public")
                .definition("CREATE TABLE public.kept (n integer);\n")
                .drop_statement("DROP TABLE public.kept;\n"),
        ];
        fs::write(scene.archive(), archive_of(entries)).unwrap();
        scene.restore(&maintenance.url(), &[&["--create", "--drop-dependents"], more].concat())
    };
    let aside = "SELECT count(*) FROM pg_database WHERE datname LIKE 'lifeboat%restore%'";
    for options in [" TABLESPACE = nowhere", " LOCALE = 'xx_XX.none'", " ENCODING = 'none'"] {
        for more in [&[][..], &["-e"]] {
            let out = restore(options, more);
            assert_eq!(out.code(), 1, "{options}: {out}");
            assert!(out.stderr().contains(&format!("DATABASE {name}")), "{out}");
            assert_eq!(database.sql("SELECT n FROM kept"), "1", "{options}");
            assert_eq!(maintenance.sql(aside), "0");
        }
    }
    // Somebody is connected.
    let mut holder = Session::open(&database);
    holder.send("SELECT pg_sleep(3600)");
    wait_for_statement(&database, "SELECT pg_sleep%");
    let out = restore("", &[]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("being accessed"), "{out}");
    assert_eq!(database.sql("SELECT n FROM kept"), "1");
    assert_eq!(maintenance.sql(aside), "0");
    drop(holder);
    database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database() AND pid <> pg_backend_pid()");
    // One that a restore left which was killed is named, and no other.
    maintenance.sql("CREATE DATABASE lifeboat_restore_12_0012abcd");
    let out = restore("", &[]);
    assert_eq!(out.code(), 0, "{out}");
    assert!(out.stderr().contains("DROP DATABASE lifeboat_restore_12_0012abcd"), "{out}");
    assert_eq!(database.sql("SELECT count(*) FROM kept"), "0");
    assert_eq!(maintenance.sql(aside), "1");
    maintenance.sql("DROP DATABASE lifeboat_restore_12_0012abcd");
    assert!(!restore("", &[]).stderr().contains("DROP DATABASE"));
}
