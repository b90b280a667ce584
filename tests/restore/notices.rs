//! What the server only warns of although it means that something was not done.

use std::fs;

use pgformat::{DumpId, Entry, Section};
use serde_json::Value;

use super::archive_of;
use crate::support::{Database, Output, REFERENCE, Scene, Server};

fn restore(scene: &Scene, url: &str, options: &[&str]) -> Output {
    scene.restore(url, &[&["--json"], options].concat())
}

/// The entries under a heading of a report, with the SQLSTATE.
fn entries(out: &Output, heading: &str) -> Vec<(String, String)> {
    let said = out.json();
    let all = said[heading].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.map(|entry| (text(&entry["entry"]), text(&entry["sqlstate"]))).collect()
}

#[test]
fn privileges_that_were_not_granted_are_left_and_named() {
    for server in Server::each([14, REFERENCE]) {
        let origin = server.database("origin");
        // The extension's functions belong to a superuser, and alice may run them, but not let others.
        origin.sql(
            "CREATE EXTENSION hstore; GRANT EXECUTE ON FUNCTION hstore(text, text) TO bob WITH GRANT OPTION;
             CREATE TABLE t (a integer); GRANT SELECT ON t TO bob; CREATE TABLE u (a integer); GRANT INSERT (a) ON u TO bob",
        );
        let scene = Scene::of(&origin, &[]);
        let database = server.database_with("target", "OWNER alice");
        database.sql("CREATE EXTENSION hstore; GRANT ALL ON SCHEMA public TO alice");
        for way in [&[][..], &["-1"], &["--jobs", "3"], &["-e"]] {
            let out = restore(&scene, &database.url_as("alice"), &[way, &["--acl"]].concat());
            assert_eq!(out.code(), 3, "{way:?}: {out}");
            let of_hstore = ("ACL public.FUNCTION hstore(text, text)".to_owned(), "01007".to_owned());
            assert_eq!(entries(&out, "left_to_superuser"), [of_hstore], "{way:?}: {out}");
            assert_eq!(entries(&out, "errors"), [], "{out}");
            let privileges =
                "SELECT has_table_privilege('bob', 't', 'SELECT'), has_column_privilege('bob', 'u', 'a', 'INSERT')";
            assert_eq!(database.sql(privileges), "t|t", "{out}");
        }
        let out = restore(&scene, &database.url(), &["--acl"]);
        assert_eq!(out.code(), 0, "{out}");
    }
}

fn entry(id: i32, desc: &str, section: Section, definition: &str) -> Entry {
    Entry::new(DumpId(id), desc).tag(format!("t{id}")).schema("public").section(section).definition(definition)
}

#[test]
fn what_a_server_takes_in_part_is_named() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let statistics = "SELECT * FROM pg_catalog.pg_restore_relation_stats('version', '180000'::integer,
        'schemaname', 'public', 'relname', 't1', 'relpages', '7'::integer, 'of_the_future', 1::real);";
    let entries_of_all = vec![
        entry(1, "TABLE", Section::PreData, "CREATE TABLE public.t1 (a integer);\n"),
        entry(
            2,
            "AGGREGATE",
            Section::PreData,
            "CREATE AGGREGATE public.t2(integer) (SFUNC = int4pl, STYPE = integer, OF_THE_FUTURE = 1);\n",
        ),
        entry(3, "STATISTICS DATA", Section::Data, statistics),
        entry(
            4,
            "TABLE",
            Section::PreData,
            "DO $$ BEGIN RAISE WARNING 'only words'; END $$; CREATE TABLE public.t4 ();\n",
        ),
    ];
    fs::write(scene.archive(), archive_of(entries_of_all)).unwrap();
    for way in [&[][..], &["-1"], &["--jobs", "2"]] {
        let target: Database<'_> = server.database("target");
        let out = restore(&scene, &target.url(), way);
        assert_eq!(out.code(), 3, "{way:?}: {out}");
        let named: Vec<String> = entries(&out, "errors").into_iter().map(|(entry, _)| entry).collect();
        assert_eq!(named, ["AGGREGATE public.t2"], "{out}");
        // Of statistics it is said, and no more: they are no content.
        assert!(out.stderr().contains("STATISTICS DATA public.t3"), "{out}");
        assert!(out.stderr().contains("TABLE public.t4: only words"), "{out}");
        assert_eq!(target.sql("SELECT count(*) FROM pg_class WHERE relname IN ('t1', 't4')"), "2");
    }
}
