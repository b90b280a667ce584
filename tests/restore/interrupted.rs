//! A restore that is ended by a signal: the server does not go on with it, and what is left is said.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pgformat::{Compression, DumpId, Entry, Header, Version, Writer};

use super::again::{sample_with_many_rows, wait_for_statement};
use crate::support::archive::{Rows, assert_same};
use crate::support::{Database, Output, REFERENCE, Server, lifeboat, run};

/// Begins a restore, sends it a signal when the server runs a statement like `like`, and gives what it said.
fn interrupted(archive: &Path, database: &Database<'_>, options: &[&str], like: &str, signal: &str) -> Output {
    let mut command = lifeboat();
    command.arg("restore").arg(archive).args(["--force", "--url", &database.url()]).args(options);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_statement(database, like);
    run(Command::new("kill").args(["-s", signal, &child.id().to_string()]));
    Output::of("lifeboat restore", child.wait_with_output().unwrap())
}

/// Waits until nobody is connected to the database.
pub fn wait_until_left(database: &Database<'_>) {
    let begun = Instant::now();
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", database.name());
    while database.server().psql("postgres", &sql) != "0" {
        assert!(begun.elapsed() < Duration::from_secs(60), "the server goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An archive with two tables, and between them a statement that would take an hour.
fn sleeper(path: &Path) {
    let object = |id, definition: &str, drop: &str| Entry {
        tag: Some(format!("t{id}").into()),
        schema: Some("public".into()),
        definition: Some(definition.into()),
        drop_statement: Some(drop.into()),
        ..Entry::new(DumpId(id), "TABLE")
    };
    let entries = vec![
        object(1, "CREATE TABLE public.t1 ();\n", "DROP TABLE public.t1;\n"),
        object(2, "SELECT pg_sleep(3600);\n", ""),
        object(3, "CREATE TABLE public.t3 ();\n", "DROP TABLE public.t3;\n"),
    ];
    let writer = Writer::new(Vec::new(), Header::new(Version::V1_14, Compression::None), entries).unwrap();
    fs::write(path, writer.finish().unwrap()).unwrap();
}

#[test]
fn a_signal_cancels_what_the_server_is_doing_and_says_what_is_left() {
    let Some(server) = Server::get(REFERENCE) else { return };
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    sleeper(&archive);
    for (options, signal, code, words, left) in [
        (&["-e"][..], "INT", 130, "nothing was changed", ""),
        (&["-e", "--no-clean"], "INT", 130, "1 of 3 entries had been restored, and remain", "t1"),
        (&["-1"], "TERM", 143, "nothing was changed", ""),
        (&["--transaction-size", "1"], "HUP", 129, "1 of 3 entries had been restored, and remain", "t1"),
        (&["--transaction-size", "5"], "INT", 130, "few of 3 entries restored, if any", ""),
        (&[], "INT", 130, "few of 3 entries restored, if any", "t1,t3"),
        (&["-1", "--json"], "INT", 130, "nothing was changed", ""),
    ] {
        let database = server.database("interrupted");
        let out = interrupted(&archive, &database, options, "SELECT pg_sleep%", signal);
        assert_eq!(out.code(), code, "{out}");
        let said = if options.contains(&"--json") { out.stdout() } else { out.stderr() };
        assert!(said.contains(words), "{out}");
        assert_eq!(said.trim_end().lines().count(), if options.contains(&"--json") { 1 } else { 2 }, "{out}");
        wait_until_left(&database);
        let tables =
            "SELECT coalesce(string_agg(relname, ','), '') FROM pg_class WHERE relnamespace = 'public'::regnamespace";
        assert_eq!(database.psql(tables), left);
    }
}

#[test]
fn rows_are_not_half_there_after_a_signal_and_the_restore_can_be_made_again() {
    let Some(server) = Server::get(REFERENCE) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (archive, now) = (dir.path().join("archive"), dir.path().join("now"));
    let origin = sample_with_many_rows(server);
    origin.pg_dump(REFERENCE, &[], &archive);
    let database = server.database("interrupted");
    for _ in 0..3 {
        let out = interrupted(&archive, &database, &["--owner", "--acl"], "COPY app.filled%", "INT");
        assert_eq!(out.code(), 130, "{out}");
        assert!(out.stderr().contains("entries had been restored, and remain"), "{out}");
        wait_until_left(&database);
        assert_eq!(database.psql("SELECT count(*) FROM app.filled"), "0");
    }
    run(lifeboat().arg("restore").arg(&archive).args(["--force", "--owner", "--acl", "--url", &database.url()]));
    database.pg_dump(REFERENCE, &[], &now);
    assert_same("after interrupted restores", &archive, &now, Rows::AnyOrder);
}

#[test]
fn a_signal_ends_the_writing_of_large_objects_and_is_no_error_of_theirs() {
    let Some(server) = Server::get(REFERENCE) else { return };
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let origin = server.database("interrupted");
    origin.psql("SELECT lo_from_bytea(0, 'content') FROM generate_series(1, 50)");
    origin.pg_dump(REFERENCE, &[], &archive);
    for options in [&[][..], &["-1"], &["--jobs", "2"]] {
        let database = server.database("interrupted");
        let mut holder = server.psql_command(database.name());
        holder.args(["-c", "BEGIN; LOCK TABLE pg_largeobject IN EXCLUSIVE MODE; SELECT 'held', pg_sleep(3600)"]);
        let mut holder = holder.spawn().unwrap();
        wait_for_statement(&database, "BEGIN; LOCK%");
        let out = interrupted(&archive, &database, options, "SELECT pg_catalog.lo_put%", "TERM");
        assert_eq!(out.code(), 143, "{out}");
        assert_eq!(out.stderr().lines().count(), 2, "{out}");
        holder.kill().unwrap();
        holder.wait().unwrap();
        database.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%' AND pid <> pg_backend_pid()");
        wait_until_left(&database);
    }
}

#[test]
fn signals_that_come_together_are_one() {
    let Some(server) = Server::get(REFERENCE) else { return };
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    sleeper(&archive);
    let database = server.database("interrupted");
    let mut command = lifeboat();
    command.arg("restore").arg(&archive).args(["--force", "--url", &database.url()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_statement(&database, "SELECT pg_sleep%");
    // As from `timeout`, which tells the process and then its group. The later ones may find it gone.
    let several = "for i in 1 2 3 4 5; do kill -s TERM \"$0\" 2>/dev/null; sleep 0.01; done; true";
    run(Command::new("sh").args(["-c", several, &child.id().to_string()]));
    let out = Output::of("lifeboat restore", child.wait_with_output().unwrap());
    assert_eq!(out.code(), 143, "{out}");
    assert!(out.stderr().contains("SIGTERM asked for the end"), "{out}");
    wait_until_left(&database);
}

#[test]
fn a_signal_ends_all_connections_of_a_parallel_restore() {
    let Some(server) = Server::get(REFERENCE) else { return };
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let origin = server.database("interrupted");
    // Keys of indexes that take for ever in the target, two at a time.
    origin.psql(
        "CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
           'BEGIN IF current_database() LIKE ''interrupted_slow%'' THEN PERFORM pg_sleep(3600); END IF; RETURN $1; END';
         CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE b AS SELECT 1 AS id; CREATE TABLE c AS SELECT 1 AS id;
         CREATE INDEX ON a (slow(id)); CREATE INDEX ON b (slow(id))",
    );
    origin.pg_dump(REFERENCE, &[], &archive);
    let database = server.database("interrupted_slow");
    let out = interrupted(&archive, &database, &["--jobs", "3"], "CREATE INDEX%", "TERM");
    assert_eq!(out.code(), 143, "{out}");
    assert!(out.stderr().contains("entries had been restored, and remain"), "{out}");
    wait_until_left(&database);
    assert_eq!(database.psql("SELECT count(*) FROM c"), "1");
}
