//! The planner's statistics, beside what the cases of `objects::statistics_data` show: who may read them, and which
//! servers take them.

use std::path::Path;

use crate::support::archive::{Rows, assert_same};
use crate::support::{Database, Output, REFERENCE, Server, lifeboat, output, verbs};

const STATISTICS: &[&str] = &["--statistics"];

fn restore(database: &Database<'_>, path: &Path) -> Output {
    output(lifeboat().args(["restore", "--force", "--owner", "--acl", "--url"]).arg(database.url()).arg(path))
}

/// Statistics are read in batches; in the archives they must be those of their relations all the same.
#[test]
fn statistics_of_many_relations_are_each_one_s_own() {
    let dir = tempfile::tempdir().unwrap();
    let (reference, candidate) = (dir.path().join("reference"), dir.path().join("candidate"));
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("many");
    // More than a hundred relations, and a table that has more columns than a batch.
    database.sql(
        "DO $$ BEGIN
           FOR i IN 1..130 LOOP
             EXECUTE format('CREATE TABLE t%s (a integer, b text); INSERT INTO t%1$s SELECT n %% %1$s, %1$L FROM generate_series(1, 30) n', i);
             IF i % 3 = 0 THEN EXECUTE format('CREATE INDEX t%s_i ON t%1$s ((a * %1$s))', i); END IF;
           END LOOP;
           EXECUTE 'CREATE TABLE t50_wide (' || (SELECT string_agg(format('c%s integer', n), ',') FROM generate_series(1, 1200) n) || ')';
           EXECUTE 'INSERT INTO t50_wide (c1, c1200) VALUES (1, 2), (1, 3)';
         END $$",
    );
    database.sql("ANALYZE");
    database.pg_dump(REFERENCE, STATISTICS, &reference);
    let out = database.try_backup(&candidate, &["--owner", "--acl", "--archive-version", "1.16", "--statistics"]);
    assert!(out.success() && !out.stderr().contains("warning"), "{out}");
    assert_same("statistics of many relations", &reference, &candidate, Rows::InOrder);
}

/// `pg_stats` shows nobody what he may not read, and pg_dump does not notice.
#[test]
fn statistics_that_may_not_be_read_are_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = server.database("unreadable");
        database.sql(
            "CREATE TABLE readable (a integer, b text); CREATE TABLE hidden (a integer);
             INSERT INTO readable SELECT n, n::text FROM generate_series(1, 30) n;
             INSERT INTO hidden SELECT n FROM generate_series(1, 30) n;
             CREATE INDEX plain ON readable (a); CREATE INDEX on_expression ON readable (lower(b));
             GRANT SELECT ON readable, hidden TO carol; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
        );
        database.sql("ANALYZE");
        let path = dir.path().join(format!("{}.dump", server.major()));
        let backup =
            |user: &str, option: &str| output(&mut verbs::backup(&database.url_as(user), &path, &["--force", option]));
        let out = backup("carol", "--statistics-only");
        assert!(out.success(), "on {}: {out}", server.major());
        let warning = "warning: statistics: some are left out, because this role may not read them: \
                       those of public.hidden, public.on_expression; after";
        assert!(out.stderr().contains(warning), "on {}: {out}", server.major());
        // The owner, who may read all, is told nothing; neither is who did not ask.
        database.sql("ALTER TABLE readable OWNER TO carol; ALTER TABLE hidden OWNER TO carol");
        for option in ["--statistics-only", "--acl"] {
            let out = backup("carol", option);
            assert!(out.success() && !out.stderr().contains("warning"), "on {}: {out}", server.major());
        }
    }
}

#[test]
fn statistics_go_into_servers_that_take_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let new = needed!(Server::get(18));
    for server in Server::all() {
        let origin = server.database("origin");
        origin.sql(
            "CREATE TABLE t (a integer PRIMARY KEY, b text); INSERT INTO t SELECT n, n % 3 FROM generate_series(1, 90) n;
             CREATE INDEX i ON t ((a % 10)); CREATE MATERIALIZED VIEW m AS SELECT b FROM t",
        );
        origin.sql("ANALYZE");
        let archive = file("archive");
        origin.pg_dump(REFERENCE, STATISTICS, &archive);

        let (by_us, by_pg_restore) = (new.database("by_us"), new.database("by_pg_restore"));
        let out = restore(&by_us, &archive);
        assert!(out.success() && !out.stderr().contains("statistics"), "from {}: {out}", server.major());
        assert!(by_pg_restore.pg_restore(REFERENCE, &[], &archive).success());
        for (database, path) in [(&by_us, file("ours")), (&by_pg_restore, file("theirs"))] {
            database.pg_dump(REFERENCE, STATISTICS, &path);
        }
        let what = format!("statistics of {} in 18", server.major());
        assert_same(&what, &file("theirs"), &file("ours"), Rows::AnyOrder);
        assert_eq!(by_us.sql("SELECT count(*) FROM pg_stats WHERE tablename IN ('t', 'i', 'm')"), "4", "{what}");

        if server.major() < 18 {
            let same = server.database("same");
            let out = restore(&same, &archive);
            assert!(out.success(), "{out}");
            let said = out.stderr().lines().filter(|line| line.contains("statistics")).count();
            assert!(said == 1 && out.stderr().contains("statistics: those of 4 relations in the archive"), "{out}");
            assert_eq!(same.sql("SELECT count(*) FROM t"), "90");
        }
    }
}

/// PostgreSQL 19 takes the data of extended statistics, and shows it to their tables' owners.
#[test]
fn data_of_extended_statistics_is_kept_where_it_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let server = needed!(Server::get(19));
    let origin = server.database("extended");
    origin.sql(
        "CREATE TABLE t (a integer, b integer); INSERT INTO t SELECT n % 5, n % 5 FROM generate_series(1, 90) n;
         CREATE STATISTICS s ON a, b FROM t; GRANT SELECT ON t TO carol",
    );
    origin.sql("ANALYZE");
    let archive = dir.path().join("archive");
    let backup =
        |user: &str, option: &str| output(&mut verbs::backup(&origin.url_as(user), &archive, &["--force", option]));
    let out = backup("carol", "--statistics-only");
    assert!(out.success() && out.stderr().contains("may not read them: those of public.s; after"), "{out}");
    let out = backup("postgres", "--statistics");
    assert!(out.success() && out.stderr().is_empty(), "{out}");
    let data = "SELECT n_distinct, dependencies FROM pg_stats_ext";
    let restored = server.database("extended");
    let out = restore(&restored, &archive);
    assert!(out.success() && out.stderr().is_empty(), "{out}");
    assert_eq!(restored.sql(data), origin.sql(data));
    assert!(restored.sql(data).contains("degree"));

    let older = needed!(Server::get(18));
    let restored = older.database("extended");
    let out = restore(&restored, &archive);
    assert!(out.success() && out.stderr().lines().count() == 1, "{out}");
    assert!(out.stderr().contains("those of 1 extended statistics object in the archive are left out"), "{out}");
    assert_eq!(restored.sql("SELECT count(*) FROM pg_stats WHERE tablename = 't'"), "2");
}
