//! `--dry-run`: what would be restored is what a restore then restores, and nothing is done.

use std::fs;
use std::path::Path;

use pgformat::{Compression, DumpId, Entry, Header, Version, Writer, kinds};

use super::sample;
use crate::support::{Database, Output, REFERENCE, Scene, Server, lifeboat, lifeboat_reading, output, pg_tool, run};

fn dry_run(archive: &Path, database: &Database<'_>, options: &[&str]) -> Output {
    output(lifeboat().arg("restore").arg(archive).args(["--url", &database.url(), "--dry-run"]).args(options))
}

/// The lines of entries among those of a list or a report.
fn entries(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect()
}

/// What is in a database, files of tables included.
fn contents(database: &Database<'_>) -> String {
    database.sql("SELECT string_agg(oid || ' ' || relname || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class")
}

#[test]
fn it_lists_what_pg_restore_lists_with_the_same_options() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    origin.pg_dump(REFERENCE, &[], &archive);
    let before = contents(&origin);
    for options in [
        &["--acl"][..],
        &["-n", "app", "--acl"],
        &["-N", "app", "--acl"],
        &["-t", "customer", "--acl"],
        &["--data-only"],
        &["--schema-only", "--acl"],
        &["--section", "post-data"],
        &["--section", "pre-data", "--no-comments"],
    ] {
        let out = dry_run(&archive, &origin, options);
        assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
        let theirs = options.iter().filter(|option| **option != "--acl");
        let mut command = pg_tool(REFERENCE, "pg_restore");
        command.arg("-l").args(theirs).args((!options.contains(&"--acl")).then_some("-x"));
        let expected = run(command.arg(&archive)).stdout();
        let mut expected = entries(&expected);
        let text = out.stdout();
        let mut found = entries(&text);
        assert!(!found.is_empty(), "{options:?}");
        // pg_restore lists in the archive's order, not in that of a restore.
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{options:?}");
    }
    assert_eq!(contents(&origin), before);

    let empty = server.database("empty");
    let text = dry_run(&archive, &empty, &[]).stdout();
    assert!(text.contains("the database is empty"), "{text}");
    // It is a list for --use-list.
    let list = dir.path().join("list");
    let chosen: Vec<&str> = entries(&text).into_iter().filter(|line| !line.contains(" VIEW ")).collect();
    fs::write(&list, chosen.join("\n")).unwrap();
    let text = dry_run(&archive, &empty, &["--use-list", list.to_str().unwrap()]).stdout();
    assert_eq!(entries(&text), chosen);
    assert_eq!(empty.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'app'"), "0");
}

#[test]
fn it_says_what_would_become_of_what_is_there() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("origin");
    origin.sql("CREATE TABLE a (n int); CREATE TABLE b (n int); CREATE VIEW v AS SELECT 1; INSERT INTO a VALUES (1)");
    let scene = Scene::of(&origin, &[]);
    let archive = scene.archive();
    origin.sql("CREATE TABLE mine (n int)");
    let there = |options: &[&str]| {
        let text = dry_run(&archive, &origin, options).stdout();
        text.lines().find_map(|line| line.strip_prefix("what is there: ")).unwrap().to_owned()
    };
    let of = "of its 4 tables, views and sequences, ";
    assert_eq!(there(&[]), format!("{of}3 would be dropped and made anew: public.a, public.b, public.v"));
    assert_eq!(
        there(&["-a"]),
        format!("{of}2 would get data from the archive on top of their own: public.a, public.b")
    );
    assert_eq!(
        there(&["-t", "a", "--no-clean"]),
        format!("{of}1 would be in the way of those of the archive: public.a")
    );
    assert!(there(&["--section", "post-data"]).contains("none of which would be touched"));

    let answer = dry_run(&archive, &origin, &["-t", "a", "--json"]).json();
    assert_eq!(answer["would_replace"], serde_json::json!(["public.a"]), "{answer}");
    let named: Vec<_> = answer["entries"].as_array().unwrap().iter().map(|e| e["entry"].as_str().unwrap()).collect();
    assert_eq!(named, ["TABLE public.a", "TABLE DATA public.a"]);

    // What a restore would refuse is refused, and so are two ways of not restoring.
    let out =
        output(lifeboat_reading(&archive, true).args(["restore", "-", "--dry-run", "-j2", "--url", &origin.url()]));
    assert_eq!(out.code(), 2, "{out}");
    assert!(out.stderr().contains("comes from a pipe"), "{out}");
    let out = dry_run(&archive, &origin, &["--create"]);
    assert_eq!(out.code(), 2, "{out}");
    assert_eq!(dry_run(&archive, &origin, &["--script", "-"]).code(), 2);
    let elsewhere = server.database("elsewhere");
    let text = dry_run(&archive, &elsewhere, &["--create"]).stdout();
    assert!(text.contains("what is there: it would be dropped, with all that is in it"), "{text}");
}

/// An archive that says everywhere that a table is to be made.
fn hostile(settings: &str) -> Vec<u8> {
    let statement = "CREATE TABLE public.pwned (n integer);\n";
    let mut entries: Vec<Entry> = kinds::ALL
        .iter()
        .filter(|kind| !["ENCODING", "STDSTRINGS", "SEARCHPATH"].contains(&kind.desc))
        .zip(1..)
        .map(|(kind, id)| {
            let entry = Entry::new(DumpId(id), kind.desc).tag("pwned\nCREATE TABLE public.pwned (n integer);");
            let entry = entry.definition(statement).drop_statement(statement).copy_statement(statement);
            let entry = entry.schema("public'; CREATE TABLE public.pwned (n integer); --");
            entry.owner("postgres\"; CREATE TABLE public.pwned (n integer); --")
        })
        .collect();
    entries.push(Entry::new(DumpId(1_000), "ENCODING").definition(settings));
    let header = Header::new(Version::V1_16, Compression::None);
    Writer::new(Vec::new(), header, entries).unwrap().finish().unwrap()
}

#[test]
fn nothing_of_an_archive_is_run() {
    let server = needed!(Server::get(REFERENCE));
    let target = server.database("target");
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let sound = "SET client_encoding = 'UTF8';\n";
    let injected = "SET client_encoding = 'UTF8''; CREATE TABLE public.pwned (n integer); --';\n";
    let followed = "SET client_encoding = 'UTF8'; CREATE TABLE public.pwned (n integer);\n";
    for settings in [sound, injected, followed] {
        fs::write(&archive, hostile(settings)).unwrap();
        let before = contents(&target);
        for command in [
            lifeboat().args(["restore", "--dry-run", "--url", &target.url(), "--owner", "--acl"]).arg(&archive),
            lifeboat().args(["restore", "--dry-run", "--force", "--url", &target.url()]).arg(&archive),
        ] {
            let out = output(command);
            // Of a setting, the first text in quotes is taken, as pg_restore does.
            assert_eq!(out.code(), 0, "{settings} {out}");
            assert!(!out.stdout().contains("\nCREATE"), "{out}");
        }
        for verb in ["list", "verify"] {
            // Without a database to do anything in, and with none that they could find.
            let out = output(lifeboat().env("DATABASE_URL", target.url()).arg(verb).arg(&archive));
            assert!(!out.stdout().contains("\nCREATE"), "{out}");
        }
        assert_eq!(contents(&target), before, "{settings}");
    }
    // A restore would run it: the archive is what this test believes.
    fs::write(&archive, hostile(sound)).unwrap();
    let out = target.try_restore(&archive, &[]);
    assert_eq!(out.code(), 1, "{out}");
    assert_eq!(target.sql("SELECT count(*) FROM pg_class WHERE relname = 'pwned'"), "1");
}
