//! Backups of what a snapshot shows that another program has exported, and of moments that serializable transactions agree on.

use lifeboat::ErrorKind;

use super::{assert_same, ours, text};
use crate::support::wait::wait_for_session;
use crate::support::{Database, MAJORS, Server, Session, archive};

/// A session that has exported a snapshot, and its name.
fn exported(database: &Database<'_>) -> (Session, String) {
    let mut session = Session::open(database);
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("name");
    session.run(&format!("\\o {}\nSELECT pg_export_snapshot();\n\\o\nSELECT 1", path.display()));
    let name = std::fs::read_to_string(&path).unwrap().trim().to_owned();
    (session, name)
}

#[test]
fn what_a_snapshot_shows_is_backed_up() {
    for server in Server::each(MAJORS) {
        let database = server.database("snapshots");
        database.sql("CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT a FROM t; CREATE SEQUENCE s");
        let (_session, name) = exported(&database);
        database.sql("INSERT INTO t VALUES (2); CREATE TABLE later (b int); CREATE VIEW later_too AS SELECT 1 AS x");
        let argument = format!("--snapshot={name}");
        for jobs in [1, 3] {
            assert_same("a snapshot", &database, &[&argument], &|options| options.snapshot(text(&name)).jobs(jobs));
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        ours(&database, &|options| options.snapshot(text(&name)), &path).unwrap();
        let found = archive::read(&path).unwrap();
        assert!(found.data.values().any(|data| *data == archive::Data::Table(b"1\n\\.\n\n\n".to_vec())));
        assert!(!found.entries.iter().any(|entry| entry.tag.as_deref().is_some_and(|tag| tag.starts_with(b"later"))));
    }
}

/// pg_dump writes, of a table that was emptied or made anew since, no rows at all, and says nothing.
#[test]
fn what_a_snapshot_cannot_show_any_more_fails_the_backup() {
    for server in Server::each([13, 15, 18]) {
        for (change, named) in [
            ("TRUNCATE t", "table public.t"),
            ("ALTER TABLE t ALTER a TYPE bigint", "table public.t"),
            ("ALTER TABLE t RENAME a TO z", "column public.t.a"),
            ("ALTER TABLE t RENAME TO u", "\"public.t\" does not exist"),
            ("DROP VIEW v; DROP TABLE t; CREATE TABLE t (a int)", "public.t"),
            ("CREATE OR REPLACE VIEW v AS SELECT 2 AS a", "rule or view public.v"),
        ] {
            let database = server.database("snapshots");
            database.sql("CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT 1 AS a");
            let (_session, name) = exported(&database);
            database.sql(change);
            let dir = tempfile::tempdir().unwrap();
            let asked = |options: super::DumpOptions| options.snapshot(text(&name));
            let error = ours(&database, &asked, &dir.path().join("x")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Changed, "{change}: {error}");
            assert!(error.to_string().contains(named), "{change} on {}: {error}", server.major());
        }
    }
}

#[test]
fn snapshots_that_there_are_not_are_refused() {
    for server in Server::each(MAJORS) {
        let (database, other) = (server.database("snapshots"), server.database("snapshots"));
        let (_session, of_another) = exported(&other);
        let dir = tempfile::tempdir().unwrap();
        for name in ["nonsense", "00000003-0000001B-1", &of_another] {
            let asked = |options: super::DumpOptions| options.snapshot(text(name));
            let error = ours(&database, &asked, &dir.path().join("x")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{name} on {}: {error}", server.major());
            assert!(error.server().is_some(), "{error}");
        }
    }
}

#[test]
fn serializable_backups_wait_for_a_safe_moment() {
    for server in Server::each([13, 18]) {
        let database = server.database("snapshots");
        database.sql("CREATE TABLE t AS SELECT 1 AS a");
        let argument = ["--serializable-deferrable"];
        for jobs in [1, 2] {
            assert_same("a safe moment", &database, &argument, &|options| {
                options.serializable_deferrable(true).jobs(jobs)
            });
        }
        // It waits until a serializable transaction that writes is over.
        let mut writer = Session::open(&database);
        writer.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM t; INSERT INTO t VALUES (2)");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        std::thread::scope(|scope| {
            let backup =
                scope.spawn(|| ours(&database, &|options| options.serializable_deferrable(true), &path).unwrap());
            wait_for_session(&database, "wait_event = 'SafeSnapshot'");
            assert!(!backup.is_finished());
            writer.run("COMMIT");
        });
    }
}

/// What is no time for us is none for the server, and the other way round.
#[test]
fn times_are_those_that_the_server_takes() {
    for server in Server::each([13, 18]) {
        for text in [
            "0",
            "100",
            " 5s",
            "5 s ",
            "5  s",
            "1.5min",
            ".5s",
            "5.",
            "1e3",
            "1e1s",
            "1e",
            "0x10",
            "0x",
            "010",
            "08",
            "2h",
            "1d",
            "1499us",
            "1500us",
            "2500us",
            "400us",
            "+7",
            "-0",
            "-1",
            "-0.4",
            "2147483647",
            "2147483647.4",
            "2147483648",
            "100d",
            "",
            " ",
            "s",
            "5 s s",
            "5 minutes",
            "5m",
            "5S",
            "5sec",
            "1_000",
            "inf",
            "nan",
            "5.5.5",
            "5\ts",
            "\n5s",
        ] {
            let sql =
                format!("SET lock_timeout = '{text}'; SELECT setting FROM pg_settings WHERE name = 'lock_timeout'");
            let out = server.try_psql("postgres", &sql);
            let theirs = out.success().then(|| out.stdout().lines().last().unwrap().trim().parse::<u64>().unwrap());
            let ours = lifeboat::postgres::dump::lock_wait(text).ok();
            let ours = ours.map(|wait| wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap()));
            assert_eq!(ours, theirs, "{text:?} on {}: {out}", server.major());
        }
    }
}
