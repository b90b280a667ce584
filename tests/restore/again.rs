//! Restoring again: over itself, over what a killed restore left behind, and as somebody who may not do everything.

use std::collections::BTreeSet;
use std::path::Path;

use super::{forced, restore_all, restore_into, sample, with_owners};
use crate::support::wait::wait_for_statement;
use crate::support::{Database, Output, REFERENCE, Running, Scene, Server, output, verbs};

#[test]
fn ten_times_over_itself_gives_the_same_database_each_time() {
    for server in Server::each([13, REFERENCE]) {
        let dir = tempfile::tempdir().unwrap();
        let archive = dir.path().join("archive");
        sample(server).pg_dump(REFERENCE, &[], &archive);
        let database = server.database("again");
        for n in 0..10 {
            let options = with_owners()
                .single_transaction(n % 3 == 1)
                .transaction_size((n % 3 == 2).then_some(n * 5))
                .exit_on_error(n == 3);
            let summary = restore_all(&database, &archive, &options);
            assert_eq!((summary.skipped.len(), summary.rows), (0, 912), "{summary:#?}");
        }
        database.assert_is("after ten restores", &archive);
    }
}

/// A range and the function that makes it canonical need each other, so that neither can be dropped alone.
#[test]
fn types_that_are_held_by_their_own_functions_are_dropped_with_them_and_with_nothing_else() {
    for server in Server::all() {
        let origin = server.database("circle");
        origin.sql(
            "CREATE TYPE r; CREATE FUNCTION canonical(r) RETURNS r LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
             CREATE TYPE r AS RANGE (SUBTYPE = integer, CANONICAL = canonical);
             CREATE TABLE t (a r, b r[]); INSERT INTO t VALUES ('[1,2]', ARRAY['(1,5)'::r])",
        );
        let scene = Scene::of(&origin, &[]);
        let options = [forced(), forced().single_transaction(true)];
        for options in options.iter().chain(&options) {
            let summary = restore_all(&origin, &scene.archive(), options);
            // The function is gone with its type, and is no drop of its own.
            assert_eq!((summary.dropped, summary.rows), (3, 1), "{summary:#?}");
        }
        origin.assert_is("after four restores", &scene.archive());

        origin.sql("CREATE VIEW mine AS SELECT r(1, 3) AS a");
        let summary = restore_into(&origin, &scene.archive(), &forced()).unwrap();
        assert!(!summary.is_complete());
        assert_eq!(origin.sql("SELECT a FROM mine"), "[1,3)");
        let failed: Vec<String> = summary.errors.iter().map(|error| error.entry.to_string()).collect();
        assert!(failed.contains(&"TYPE public.r".to_owned()), "{summary:#?}");
        assert_eq!(origin.sql("SELECT count(*) FROM t"), "1");
    }
}

/// A sample with a table whose rows take a while.
pub fn sample_with_many_rows(server: &Server) -> Database<'_> {
    let origin = sample(server);
    origin.sql(
        "ALTER EVENT TRIGGER watch DISABLE; CREATE TABLE app.filled AS SELECT g AS id, md5(g::text) FROM generate_series(1, 400000) g;
         ALTER TABLE app.filled ADD PRIMARY KEY (id)",
    );
    origin
}

#[test]
fn what_a_killed_restore_left_behind_is_no_hindrance() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample_with_many_rows(server);
    let scene = Scene::of(&origin, &[]);
    let database = server.database("killed");
    let command = |options: &[&str]| {
        verbs::restore(&database.url(), &scene.archive(), &[&["--owner", "--acl"], options].concat())
    };
    for (options, statement) in [
        (&[][..], "COPY app.filled%"),
        (&["--transaction-size", "10"], "COPY app.filled%"),
        (&[], "ALTER TABLE%filled_pkey%"),
        (&["--single-transaction"], "COPY app.filled%"),
    ] {
        let restore = Running::start(&mut command(options));
        wait_for_statement(&database, statement);
        restore.kill();
        let out = output(&mut command(options));
        assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{options:?} {statement}: {out}");
        database.assert_is("after a restore that was killed", &scene.archive());
    }
}

/// The numbers of the entries for which pg_restore reports an error.
pub fn failed_in_pg_restore(out: &Output) -> BTreeSet<i64> {
    let text = out.stderr();
    let number = |line: &str| line.split_once("from TOC entry ")?.1.split(';').next()?.parse().ok();
    text.lines().filter_map(number).collect()
}

/// The numbers of the entries that lifeboat's report of a restore, in JSON, says failed or are left to a superuser.
pub fn failed_in_lifeboat(out: &Output) -> BTreeSet<i64> {
    let said = out.json();
    let entries = ["errors", "left_to_superuser"].into_iter().flat_map(|key| said[key].as_array().unwrap());
    entries.map(|error| error["id"].as_i64().unwrap()).collect()
}

/// Restores `archive` into `theirs` with pg_restore and into `ours` with lifeboat, as `user`, and fails the test if
/// lifeboat reports an error for an entry for which pg_restore has none.
pub fn no_more_errors_than_pg_restore(
    archive: &Path,
    theirs: &Database<'_>,
    ours: &Database<'_>,
    user: &str,
) -> Output {
    let out = theirs.pg_restore(REFERENCE, &["-v", "--clean", "--if-exists", "-O", "-x", "-U", user], archive);
    let usual = failed_in_pg_restore(&out);
    let out = output(&mut verbs::restore(&ours.url_as(user), archive, &["--json"]));
    let more: Vec<_> = failed_in_lifeboat(&out).difference(&usual).copied().collect();
    assert!(more.is_empty(), "entries {more:?} as {user}: {out}");
    out
}

#[test]
fn a_plain_owner_gets_no_error_that_pg_restore_would_not_give() {
    for server in Server::all() {
        let dir = tempfile::tempdir().unwrap();
        let archive = dir.path().join("archive");
        sample(server).pg_dump(server.major().max(14), &[], &archive);
        let (theirs, ours) =
            (server.database_with("plain", "OWNER alice"), server.database_with("plain", "OWNER alice"));
        for _ in 0..2 {
            let out = no_more_errors_than_pg_restore(&archive, &theirs, &ours, "alice");
            assert_eq!(out.code(), 3, "{out}");
            // The entry, the server's words, its advice and the statement.
            let said = out.json();
            let left = said["left_to_superuser"].as_array().unwrap();
            let watch = left.iter().find(|error| error["entry"] == "EVENT TRIGGER watch").unwrap();
            assert_eq!(watch["sqlstate"], "42501");
            assert!(watch["message"].as_str().unwrap().contains("permission denied"), "{watch}");
            assert!(watch["hint"].as_str().unwrap().contains("superuser"), "{watch}");
            assert!(watch["statement"].as_str().unwrap().starts_with("CREATE EVENT TRIGGER watch"), "{watch}");
            // What depends on a type that only a superuser may make is named, and its rows with it.
            assert!(
                said["skipped"].as_array().unwrap().iter().any(|s| s["entry"] == "TABLE DATA app.customer"),
                "{out}"
            );
        }
        // What alice may do is there.
        assert_eq!(ours.sql("SELECT count(*) FROM app.one_column"), theirs.sql("SELECT 6"), "{server:?}");
    }
}
