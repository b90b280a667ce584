//! A restore that is ended by a signal: the server does not go on with it, and what is left is said.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use lifeboat::postgres::dump::{DumpOptions, Sink, backup};
use lifeboat::postgres::restore::restore;
use lifeboat::wire::Begin;
use lifeboat::{Cancellation, ErrorKind, Existing, OutputFile};
use pgformat::{DumpId, Entry, Reader};

use super::again::sample_with_many_rows;
use super::{archive_of, connection, forced};
use crate::support::wait::{wait_for_statement, wait_for_waiting, wait_until, wait_until_left};
use crate::support::{Database, Output, REFERENCE, Running, Scene, Server, Session, run, verbs};

/// Begins a restore, sends it a signal when the server runs a statement like `like`, and gives what it said.
fn interrupted(archive: &Path, database: &Database<'_>, options: &[&str], like: &str, signal: &str) -> Output {
    let restore = Running::start(&mut verbs::restore(&database.url(), archive, options));
    wait_for_statement(database, like);
    restore.ended_by(signal)
}

/// An archive with two tables, and between them a statement that would take an hour.
fn sleeper(path: &Path) {
    let object = |id, definition: &str, drop: &str| {
        Entry::new(DumpId(id), "TABLE")
            .tag(format!("t{id}"))
            .schema("public")
            .definition(definition)
            .drop_statement(drop)
    };
    let entries = vec![
        object(1, "CREATE TABLE public.t1 ();\n", "DROP TABLE public.t1;\n"),
        object(2, "SELECT pg_sleep(3600);\n", ""),
        object(3, "CREATE TABLE public.t3 ();\n", "DROP TABLE public.t3;\n"),
    ];
    fs::write(path, archive_of(entries)).unwrap();
}

#[test]
fn a_signal_cancels_what_the_server_is_doing_and_says_what_is_left() {
    let server = needed!(Server::get(REFERENCE));
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
        assert_eq!(database.sql(tables), left);
    }
}

#[test]
fn rows_are_not_half_there_after_a_signal_and_the_restore_can_be_made_again() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample_with_many_rows(server);
    let scene = Scene::of(&origin, &[]);
    let database = server.database("interrupted");
    for _ in 0..3 {
        let out = interrupted(&scene.archive(), &database, &["--owner", "--acl"], "COPY app.filled%", "INT");
        assert_eq!(out.code(), 130, "{out}");
        assert!(out.stderr().contains("entries had been restored, and remain"), "{out}");
        wait_until_left(&database);
        assert_eq!(database.sql("SELECT count(*) FROM app.filled"), "0");
    }
    database.restore(&scene.archive(), &["--owner", "--acl"]);
    database.assert_is("after interrupted restores", &scene.archive());
}

#[test]
fn a_signal_ends_the_writing_of_large_objects_and_is_no_error_of_theirs() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("interrupted");
    origin.sql("SELECT lo_from_bytea(0, 'content') FROM generate_series(1, 50)");
    let scene = Scene::of(&origin, &[]);
    for options in [&[][..], &["-1"], &["--jobs", "2"]] {
        let database = server.database("interrupted");
        let mut holder = Session::open(&database);
        holder.run("BEGIN; LOCK TABLE pg_largeobject IN EXCLUSIVE MODE");
        let out = interrupted(&scene.archive(), &database, options, "SELECT pg_catalog.lo_put%", "TERM");
        assert_eq!(out.code(), 143, "{out}");
        assert_eq!(out.stderr().lines().count(), 2, "{out}");
        drop(holder);
        wait_until_left(&database);
    }
}

#[test]
fn signals_that_come_together_are_one() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    sleeper(&archive);
    let database = server.database("interrupted");
    let restore = Running::start(&mut verbs::restore(&database.url(), &archive, &[]));
    wait_for_statement(&database, "SELECT pg_sleep%");
    // As from `timeout`, which tells the process and then its group. The later ones may find it gone.
    let several = "for i in 1 2 3 4 5; do kill -s TERM \"$0\" 2>/dev/null; sleep 0.01; done; true";
    run(Command::new("sh").args(["-c", several, &restore.pid().to_string()]));
    let out = restore.end();
    assert_eq!(out.code(), 143, "{out}");
    assert!(out.stderr().contains("SIGTERM asked for the end"), "{out}");
    wait_until_left(&database);
}

#[test]
fn a_signal_ends_all_connections_of_a_parallel_restore() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("interrupted");
    // Keys of indexes that take for ever in the target, two at a time.
    origin.sql(
        "CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
           'BEGIN IF current_database() LIKE ''interrupted_slow%'' THEN PERFORM pg_sleep(3600); END IF; RETURN $1; END';
         CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE b AS SELECT 1 AS id; CREATE TABLE c AS SELECT 1 AS id;
         CREATE INDEX ON a (slow(id)); CREATE INDEX ON b (slow(id))",
    );
    let scene = Scene::of(&origin, &[]);
    let database = server.database("interrupted_slow");
    let out = interrupted(&scene.archive(), &database, &["--jobs", "3"], "CREATE INDEX%", "TERM");
    assert_eq!(out.code(), 143, "{out}");
    assert!(out.stderr().contains("entries had been restored, and remain"), "{out}");
    wait_until_left(&database);
    assert_eq!(database.sql("SELECT count(*) FROM c"), "1");
}

/// Restores in one transaction, in a thread of its own, a table whose rows are taken at COMMIT, when nobody holds the lock.
fn restore_that_waits(
    url: String,
    cancellation: &Cancellation,
) -> thread::JoinHandle<lifeboat::Result<lifeboat::postgres::restore::RestoreSummary>> {
    let table = Entry::new(DumpId(1), "TABLE").tag("waiting").definition(
        "CREATE TABLE public.waiting (a integer);
             CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS
               'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON public.waiting DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW EXECUTE FUNCTION public.wait();
             INSERT INTO public.waiting VALUES (1);\n",
    );
    let cancellation = cancellation.clone();
    thread::spawn(move || {
        let options = forced().single_transaction(true).clean(false);
        let mut archive = Reader::seekable(std::io::Cursor::new(archive_of(vec![table]))).unwrap();
        restore(&mut connection(&url), &mut archive, &options, &cancellation)
    })
}

#[test]
fn two_restores_in_one_process_are_ended_apart() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (server.database("interrupted"), server.database("interrupted"));
    let hold = |database: &Database<'_>| {
        let mut holder = connection(&database.url());
        holder.execute(b"SELECT pg_advisory_lock(1)").unwrap();
        holder
    };
    let (hold_one, hold_other) = (hold(&one), hold(&other));
    let (end_one, end_other) = (Cancellation::new(), Cancellation::new());
    let (restored_one, restored_other) =
        (restore_that_waits(one.url(), &end_one), restore_that_waits(other.url(), &end_other));
    // What the target is asked before is committed as well, but waits for no lock.
    wait_for_waiting(&one);
    wait_for_waiting(&other);

    // The first thing that goes; what the server answers to COMMIT is waited for then.
    let file = OutputFile::create_named(&dir.path().join("file"), Existing::Refuse, &end_one).unwrap();
    let ended_one = thread::spawn(move || end_one.cancel(Duration::from_secs(3600)));
    wait_until("the file to go", || !file.temporary_path().exists());
    drop(hold_other);
    assert!(restored_other.join().unwrap().unwrap().is_complete());
    assert!(!restored_one.is_finished() && !ended_one.is_finished());
    drop(hold_one);
    assert_eq!(ended_one.join().unwrap(), ["everything had been restored"]);
    assert!(restored_one.join().unwrap().unwrap().is_complete());
    assert!(end_other.cancel(Duration::ZERO).is_empty());
    for database in [one, other] {
        assert_eq!(database.sql("SELECT count(*) FROM waiting"), "1");
    }
}

#[test]
fn a_restore_that_a_program_ends_says_so() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    sleeper(&archive);
    let database = server.database("interrupted");
    let cancellation = Cancellation::new();
    let (end, url) = (cancellation.clone(), database.url());
    let restored = thread::spawn(move || {
        let mut archive = Reader::seekable(fs::File::open(archive).unwrap()).unwrap();
        restore(&mut connection(&url), &mut archive, &forced(), &cancellation)
    });
    wait_for_statement(&database, "SELECT pg_sleep%");
    let words = end.cancel(Duration::from_secs(3600));
    assert!(matches!(&words[..], [one] if one.contains("few of 3 entries restored, if any")), "{words:?}");
    assert_eq!(restored.join().unwrap().unwrap_err().kind(), ErrorKind::Interrupted);
    // Nothing is begun with it any more.
    let mut archive = Reader::seekable(fs::File::open(dir.path().join("archive")).unwrap()).unwrap();
    let again = restore(&mut connection(&database.url()), &mut archive, &forced(), &end);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Interrupted);
}

#[test]
fn a_backup_that_a_program_ends_does_not_wait_for_a_lock_any_more() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("interrupted");
    database.sql("CREATE TABLE t ()");
    let mut holder = connection(&database.url());
    holder.begin(&Begin::read_write()).unwrap();
    holder.execute(b"LOCK TABLE public.t").unwrap();
    let cancellation = Cancellation::new();
    let (end, url) = (cancellation.clone(), database.url());
    let ended = thread::spawn(move || {
        let connect = || Ok(connection(&url));
        backup(&connect, &DumpOptions::default(), Sink::Stream(&mut Vec::new()), &cancellation).map(drop)
    });
    wait_for_statement(&database, "LOCK TABLE ONLY%");
    assert!(end.cancel(Duration::from_secs(3600)).is_empty());
    assert_eq!(ended.join().unwrap().unwrap_err().kind(), ErrorKind::Interrupted);
    // Nor does it begin.
    let connect = || Ok(connection(&database.url()));
    let again = backup(&connect, &DumpOptions::default(), Sink::Stream(&mut Vec::new()), &end);
    assert_eq!(again.map(drop).unwrap_err().kind(), ErrorKind::Interrupted);
}
