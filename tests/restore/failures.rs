//! What cannot be restored is named, counted, and takes nothing along.

use lifeboat::ErrorKind;
use lifeboat::postgres::restore::{RestoreOptions, RestoreSummary};
use pgformat::{DumpId, Entry, Section};

use super::{archive_of, forced, restore_all, restore_as, restore_from_pipe, restore_into, sample, with_owners};
use crate::support::archive::{Rows, assert_same};
use crate::support::{Database, REFERENCE, Scene, Server, lifeboat, output};

/// The entries for which something failed, and the SQLSTATEs.
fn failed(summary: &RestoreSummary) -> Vec<(String, String)> {
    summary.errors.iter().map(|e| (e.entry.to_string(), e.sqlstate.clone().unwrap_or_default())).collect()
}

/// What is in a database, in a few words.
fn contents(database: &Database<'_>) -> String {
    database.sql(
        "SELECT string_agg(c.oid::regclass || ' ' || c.relfilenode, ',' ORDER BY c.oid) FROM pg_class c
         WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)",
    )
}

#[test]
fn without_force_it_is_refused_and_said_what_would_be_replaced() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let scene = Scene::of(&origin, &[]);
    let before = contents(&origin);
    let error = restore_into(&origin, &scene.archive(), &RestoreOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let said = error.to_string();
    assert!(said.contains("13 would be dropped and made anew"), "{said}");
    assert!(said.contains("Odd; DROP.DROP TABLE") && said.contains("app.customer"), "{said}");
    assert!(error.hint_text().unwrap().contains("give `force`"));
    assert_eq!(contents(&origin), before);

    let empty = server.database("empty");
    let error = restore_into(&empty, &scene.archive(), &RestoreOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("the database is empty"), "{error}");
    assert_eq!(empty.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'app'"), "0");
}

#[test]
fn what_others_depend_on_is_not_dropped_and_its_rows_are_left_out_by_name() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let scene = Scene::of(&origin, &[]);
    let target = server.database("target");
    restore_all(&target, &scene.archive(), &forced());
    target.sql(
        "DROP EVENT TRIGGER watch; CREATE TABLE mine (a app.word); CREATE VIEW one AS SELECT * FROM app.one_column",
    );
    let summary = restore_into(&target, &scene.archive(), &forced()).unwrap();
    assert!(!summary.is_complete());
    assert!(!summary.stopped);
    let failed = failed(&summary);
    for (entry, sqlstate) in [
        ("TABLE app.one_column", "2BP01"),
        ("TABLE app.one_column", "42P07"),
        ("TYPE app.word", ""),
        ("TYPE app.word", "42710"),
    ] {
        assert!(failed.contains(&(entry.to_owned(), sqlstate.to_owned())), "{entry} {sqlstate} is not in {failed:#?}");
    }
    // The schema stays, which is no loss.
    assert!(!failed.iter().any(|(entry, _)| entry == "SCHEMA app"), "{failed:#?}");
    assert_eq!(summary.skipped.iter().map(|s| s.to_string()).collect::<Vec<_>>(), ["TABLE DATA app.one_column"]);
    let refused = summary.errors.iter().find(|e| e.entry.desc == "TYPE").unwrap();
    assert!(refused.message.contains("column a of table public.mine"), "{}", refused.message);
    // Nothing of what is not in the archive was lost, nothing was put on top of what was there, the rest was restored.
    assert_eq!(target.sql("SELECT count(*) FROM mine"), "0");
    assert_eq!(target.sql("SELECT count(*) FROM one"), "6");
    assert_eq!(target.sql("SELECT count(*) FROM app.customer"), "504");
}

#[test]
fn schemas_and_extensions_that_hold_other_things_stay_and_all_else_is_restored() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let scene = Scene::of(&origin, &[]);
    let target = server.database("target");
    for single_transaction in [false, true] {
        target.sql(
            "DROP EVENT TRIGGER IF EXISTS watch; CREATE SCHEMA IF NOT EXISTS app;
             CREATE TABLE IF NOT EXISTS app.mine AS SELECT 7 AS a",
        );
        restore_all(&target, &scene.archive(), &with_owners().single_transaction(single_transaction));
        assert_eq!(target.sql("SELECT a FROM app.mine"), "7");
        assert_eq!(target.sql("SELECT count(*) FROM app.customer"), "504");
        assert_eq!(target.sql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'app'"), "alice");
    }
}

#[test]
fn one_transaction_changes_all_or_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let scene = Scene::of(&origin, &[]);
    let target = server.database("target");
    restore_all(&target, &scene.archive(), &forced());
    target.sql("DROP EVENT TRIGGER watch; CREATE TABLE mine (a app.word); UPDATE app.one_column SET a = 'mine'");
    let before = contents(&target);
    let options = forced().single_transaction(true);
    let summary = restore_into(&target, &scene.archive(), &options).unwrap();
    assert!(summary.stopped && summary.rolled_back && !summary.is_complete());
    assert_eq!((summary.rows, summary.entries), (0, 0));
    assert_eq!(failed(&summary), [("TYPE app.word".to_owned(), String::new())]);
    assert_eq!(contents(&target), before);
    assert_eq!(target.sql("SELECT DISTINCT a FROM app.one_column"), "mine");
}

#[test]
fn the_first_error_can_be_the_last() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let scene = Scene::of(&origin, &[]);
    let target = server.database("target");
    target.sql("CREATE TYPE public.other AS ENUM (); CREATE SCHEMA app; CREATE TYPE app.mood AS (a integer)");
    let options = forced().exit_on_error(true).clean(false);
    let summary = restore_into(&target, &scene.archive(), &options).unwrap();
    assert_eq!(failed(&summary).len(), 1, "{summary:#?}");
    assert!(summary.stopped && !summary.rolled_back);
    assert_eq!(
        target.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r'"),
        "0"
    );
}

#[test]
fn a_damaged_archive_is_an_error_that_says_where_and_one_transaction_undoes_it_all() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("origin");
    origin.sql(
        "CREATE TABLE a (t text); INSERT INTO a SELECT md5(n::text) FROM generate_series(1, 20000) n;
         CREATE TABLE b AS SELECT * FROM a; CREATE TABLE c AS SELECT * FROM a",
    );
    for args in [&["-Z0"][..], &["-Z6"]] {
        let scene = Scene::of(&origin, args);
        let whole = std::fs::read(scene.archive()).unwrap();
        std::fs::write(scene.archive(), &whole[..whole.len() / 2]).unwrap();
        let target = server.database("target");
        target.sql("CREATE TABLE a (mine integer)");
        for piped in [false, true] {
            let options = forced().single_transaction(true);
            let error = match piped {
                false => restore_into(&target, &scene.archive(), &options),
                true => restore_from_pipe(&target, &scene.archive(), &options),
            };
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Archive, "{error}");
            assert!(error.to_string().contains("TABLE DATA public."), "{error}");
            assert!(error.hint_text().unwrap().contains("nothing was changed"));
            assert_eq!(
                target.sql("SELECT attname FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum > 0"),
                "mine"
            );
            assert_eq!(target.sql("SELECT to_regclass('b') IS NULL"), "t");
        }
        // Even without the transaction: that a file is cut off is seen before anything is dropped.
        let error = restore_into(&target, &scene.archive(), &forced()).unwrap_err();
        assert!(error.hint_text().unwrap().contains("nothing was changed"), "{error}");
        assert_eq!(target.sql("SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NULL"), "t|t");
        // A pipe cannot be looked at beforehand. No table has a part of its rows: what was cut off is not there at all.
        restore_from_pipe(&target, &scene.archive(), &forced()).unwrap_err();
        assert_eq!(target.sql("SELECT count(*) FROM a"), "20000");
        assert_eq!(target.sql("SELECT count(*) FROM b"), "0");
    }
}

#[test]
fn a_lost_connection_is_an_error_that_says_what_was_being_restored() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("origin");
    origin.sql("CREATE TABLE a (n integer); INSERT INTO a SELECT generate_series(1, 100000)");
    let scene = Scene::of(&origin, &["--data-only"]);
    let target = server.database("target");
    target.sql(
        "CREATE TABLE a (n integer);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.n = 50000 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$;
         CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()",
    );
    let error = restore_into(&target, &scene.archive(), &forced()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    let said = error.to_string();
    assert!(said.contains("restore TABLE DATA public.a") && said.contains("administrator command"), "{said}");
    assert_eq!(target.sql("SELECT count(*) FROM a"), "0");
}

/// An archive of definitions that nobody's pg_dump wrote.
fn made_up(definitions: &[&str]) -> Scene {
    let entry = |(at, definition): (usize, &&str)| {
        Entry::new(DumpId(at as i32 + 1), "TABLE")
            .tag(format!("t{at}"))
            .section(Section::PreData)
            .definition(*definition)
            .drop_statement("")
            .schema("public")
            .owner("")
    };
    let scene = Scene::new();
    std::fs::write(scene.archive(), archive_of(definitions.iter().enumerate().map(entry).collect())).unwrap();
    scene
}

/// Many statements are on their way together.
#[test]
fn what_failed_before_the_connection_was_lost_is_told_and_the_loss_is_laid_to_its_own_statement() {
    let server = needed!(Server::get(REFERENCE));
    let scene = made_up(&[
        "CREATE TABLE public.t0 ();",
        "CREATE TABLE public.t1 (a nosuch);",
        "SELECT pg_terminate_backend(pg_backend_pid());",
        "CREATE TABLE public.t3 ();",
    ]);
    let target = server.database("target");
    let out = output(lifeboat().args(["restore", "-d", &target.url(), "--no-clean", "--force"]).arg(scene.archive()));
    assert_eq!(out.code(), 1, "{out}");
    let said = out.stderr();
    let (refused, lost) = (said.find("type \"nosuch\" does not exist"), said.find("could not restore TABLE public.t2"));
    assert!(refused.is_some() && refused < lost, "{out}");
    assert!(!said.contains("TABLE public.t0") && !said.contains("TABLE public.t3"), "{out}");
    assert_eq!(target.sql("SELECT to_regclass('t0') IS NOT NULL, to_regclass('t3') IS NULL"), "t|t");
}

#[test]
fn an_archive_that_meddles_with_transactions_is_an_error() {
    let server = needed!(Server::get(REFERENCE));
    let once = forced().single_transaction(true);
    for (definition, options, left) in [
        ("BEGIN; CREATE TABLE public.t1 ();", forced(), "t0"),
        ("COMMIT;", once.clone(), "t0,t2"),
        ("ROLLBACK;", once.clone(), "t2"),
        ("CREATE TABLE public.t1 (); COMMIT; BEGIN;", once.clone(), "t0,t1"),
        ("ROLLBACK; BEGIN;", once, ""),
    ] {
        let scene = made_up(&["CREATE TABLE public.t0 ();", definition, "CREATE TABLE public.t2 ();"]);
        let target = server.database("target");
        let error = restore_into(&target, &scene.archive(), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Archive, "{definition}: {error}");
        assert!(error.to_string().contains("transaction"), "{error}");
        // What is left of it is not claimed to be nothing.
        assert!(error.hint_text().is_none(), "{error}");
        let tables =
            "SELECT string_agg(relname, ',' ORDER BY 1) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
        assert_eq!(target.sql(tables), left, "{definition}");
    }
}

#[test]
fn an_archive_that_asks_for_data_where_none_is_does_not_hang() {
    let server = needed!(Server::get(REFERENCE));
    let definitions =
        ["CREATE TABLE public.t0 (a integer);", "COPY public.t0 FROM STDIN;", "CREATE TABLE public.t2 ();"];
    let scene = made_up(&definitions);
    let target = server.database("target");
    let error = restore_into(&target, &scene.archive(), &forced()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    let careful = forced().exit_on_error(true);
    target.sql("DROP TABLE IF EXISTS t0");
    let error = restore_into(&target, &scene.archive(), &careful).unwrap_err();
    assert!(error.to_string().contains("COPY"), "{error}");
}

#[test]
fn the_owner_of_a_database_needs_no_superuser() {
    for server in Server::all() {
        let origin = server.database_with("origin", "OWNER alice");
        origin.sql(
            "SET ROLE alice;
             CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a'); CREATE DOMAIN s.d AS text CHECK (VALUE <> '');
             CREATE TABLE s.p (id serial PRIMARY KEY, e s.e, d s.d); INSERT INTO s.p (e, d) VALUES ('a', 'x'), ('a', 'y');
             CREATE TABLE s.c (p integer REFERENCES s.p); INSERT INTO s.c VALUES (1), (2);
             CREATE VIEW s.v AS SELECT * FROM s.p; CREATE MATERIALIZED VIEW s.m AS SELECT * FROM s.v;
             CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER t BEFORE INSERT ON s.c FOR EACH ROW EXECUTE FUNCTION s.f();
             ALTER TABLE s.p ENABLE ROW LEVEL SECURITY; CREATE POLICY q ON s.p USING (true);
             COMMENT ON TABLE s.p IS 'x'; SELECT lo_from_bytea(77, 'x')",
        );
        let scene = Scene::of(&origin, &[]);
        let target = server.database_with("target", "OWNER alice");
        for options in [forced(), with_owners(), with_owners().single_transaction(true)] {
            let summary = restore_as(&target, "alice", &scene.archive(), &options).unwrap();
            assert!(summary.is_complete(), "on {}: {summary:#?}", server.major());
        }
        let again = scene.path("again");
        target.pg_dump(REFERENCE, &[], &again);
        assert_same("restored by the owner", &scene.archive(), &again, Rows::InOrder);
    }
}
