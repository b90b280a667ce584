//! Restores over several connections: the same database as over one, and the same answer to what goes wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::archive::Rows;
use crate::support::process::Output;
use crate::support::wait::wait_for_true;
use crate::support::{Database, REFERENCE, Running, Server, archive, output, run, verbs};

/// A database with something of each sort that comes with the data or after it.
fn origin(server: &Server) -> Database<'_> {
    let database = server.database("parallel");
    database.load("tests/selection/sample.sql");
    // Foreign tables' files are the server's, and a subscription's name is the cluster's.
    database.sql("ALTER SUBSCRIPTION away SET (slot_name = NONE)");
    database.sql("DROP SUBSCRIPTION away");
    // Which partition a row is in depends on OIDs here, and so differs from restore to restore.
    database.sql("DROP TABLE audit.hashed");
    database.sql(
        "CREATE TABLE wide AS SELECT a, a % 10 + 1 AS few, md5(a::text) AS m FROM generate_series(1, 20000) AS a;
         ALTER TABLE wide ADD PRIMARY KEY (a);
         CREATE INDEX ON wide (few); CREATE INDEX ON wide (m); CREATE INDEX ON wide (few, m);
         CREATE TABLE narrow AS SELECT a, a AS to_wide FROM generate_series(1, 5000) AS a;
         ALTER TABLE narrow ADD PRIMARY KEY (a), ADD FOREIGN KEY (to_wide) REFERENCES wide;
         ALTER TABLE wide ADD FOREIGN KEY (few) REFERENCES wide;
         CREATE MATERIALIZED VIEW first AS SELECT few, count(*) AS n FROM wide GROUP BY few;
         CREATE MATERIALIZED VIEW second AS SELECT sum(n) AS n FROM first;
         COMMENT ON INDEX wide_few_idx IS 'few'; COMMENT ON CONSTRAINT narrow_pkey ON narrow IS 'key';
         ALTER TABLE wide CLUSTER ON wide_m_idx; ANALYZE wide",
    );
    database
}

fn restore(database: &Database<'_>, path: &Path, options: &[&str]) -> Output {
    database.try_restore(path, &[&["--owner", "--acl"], options].concat())
}

#[test]
fn database_is_the_same_over_any_number_of_connections() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    for server in Server::each([13, REFERENCE]) {
        let origin = origin(server);
        let path = file("archive");
        origin.pg_dump(REFERENCE, &[], &path);
        let expected = file("expected");
        let alone = server.database("parallel");
        assert!(restore(&alone, &path, &[]).success());
        alone.pg_dump(REFERENCE, &[], &expected);
        for jobs in ["2", "4", "8"] {
            let restored = server.database("parallel");
            let out = restore(&restored, &path, &["--jobs", jobs]);
            assert!(out.success(), "{jobs} on {}: {out}", server.major());
            // Once more, over what is there.
            let out = restore(&restored, &path, &["--jobs", jobs]);
            assert!(out.success(), "again, {jobs} on {}: {out}", server.major());
            restored.assert_is(&format!("{jobs} jobs on {}", server.major()), &expected);
        }
    }
}

#[test]
fn every_format_is_read_over_several_connections() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let origin = origin(server);
    origin.pg_dump(REFERENCE, &[], &file("expected"));
    origin.backup(&file("lifeboat"), &["--acl", "--statistics"]);
    for (name, format) in [("directory", "-Fd"), ("tar", "-Ft"), ("lifeboat", "")] {
        if !format.is_empty() {
            run(origin.tool(REFERENCE, "pg_dump").arg(format).arg("-f").arg(file(name)));
        }
        let restored = server.database("parallel");
        let out = restore(&restored, &file(name), &["-j", "4"]);
        assert!(out.success(), "{name}: {out}");
        restored.assert_is(name, &file("expected"));
    }
}

#[test]
fn parts_and_options_work_as_over_one_connection() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let origin = origin(server);
    origin.pg_dump(REFERENCE, &[], &file("archive"));
    let sets: &[&[&[&str]]] = &[
        &[&["--section=pre-data"], &["--section=data"], &["--section=post-data"]],
        &[&["--schema-only"], &["--data-only", "--disable-triggers"]],
        &[&["--use-set-session-authorization"]],
        &[&["--transaction-size", "7"]],
    ];
    for parts in sets {
        let [alone, beside] = [1, 4].map(|jobs| {
            let restored = server.database("parallel");
            restored.sql(&format!("GRANT CREATE ON DATABASE {} TO alice", restored.name()));
            for options in *parts {
                let jobs = jobs.to_string();
                let out = restore(&restored, &file("archive"), &[&["--no-clean", "--jobs", &jobs], *options].concat());
                assert!(out.success(), "{jobs} jobs, {options:?}: {out}");
            }
            let path = file(&format!("{jobs}.dump"));
            restored.pg_dump(REFERENCE, &[], &path);
            path
        });
        archive::assert_same(&format!("{parts:?}"), &alone, &beside, Rows::AnyOrder);
    }
}

/// What pg_dump gives no dependency for, or one that leads from one part of the archive back to another.
#[test]
fn hidden_and_backward_dependencies_are_heeded() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let (path, now) = (dir.path().join("archive"), dir.path().join("now"));
    // What holds for the rows of partitions and children, and came when they were there.
    fs::write(
        dir.path().join("later.sql"),
        "CREATE TABLE whole (a integer, b text) PARTITION BY LIST (a); CREATE TABLE parent (a integer);
         SELECT format('CREATE TABLE part_%s PARTITION OF whole FOR VALUES IN (%s); CREATE TABLE child_%s () INHERITS (parent);
             INSERT INTO whole SELECT %s, g FROM generate_series(1, 3000) AS g; INSERT INTO child_%s VALUES (%s)', n, n, n, n, n, n)
           FROM generate_series(1, 12) AS n \\gexec
         CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.b := ''changed''; RETURN NEW; END';
         CREATE TRIGGER changing BEFORE INSERT ON whole FOR EACH ROW EXECUTE FUNCTION changed();
         ALTER TABLE whole ADD CHECK (a <> 7) NOT VALID; ALTER TABLE parent ADD CHECK (a <> 5) NOT VALID",
    )
    .unwrap();
    let cases =
        ["function/loops_of_bodies", "loops/views", "trigger/on_partitions", "type_domain/separate_constraints"];
    let cases = cases.map(|case| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/objects/{case}.sql")));
    for script in cases.into_iter().chain([dir.path().join("later.sql")]) {
        let case = script.display().to_string();
        let origin = server.database("parallel");
        origin.load_file(&script);
        origin.backup(&path, &["--force", "--acl"]);
        let restored = server.database("parallel");
        for jobs in ["2", "8"] {
            let out = restore(&restored, &path, &["--jobs", jobs]);
            assert!(out.success(), "{case}, {jobs} jobs: {out}");
        }
        restored.backup(&now, &["--force", "--acl"]);
        archive::assert_same(&case, &path, &now, Rows::AnyOrder);
    }
}

#[test]
fn archive_from_a_pipe_has_one_reader() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let database = server.database("parallel");
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let path = dir.path().join("archive");
    database.pg_dump(REFERENCE, &[], &path);
    let mut piped = Command::new("sh");
    piped.args(["-c", r#"cat "$1" | "$2" restore - --force -j 2 --url "$3""#, "sh"]).arg(&path);
    let out = output(piped.arg(env!("CARGO_BIN_EXE_lifeboat")).arg(database.url()));
    assert!(out.code() == 2 && out.stderr().contains("pipe"), "{out}");
    assert_eq!(database.sql("SELECT count(*) FROM t"), "1");
}

/// The archive of a database in which something depends on what the target refuses to make.
fn refused(server: &Server, dir: &Path) -> PathBuf {
    let origin = server.database("parallel");
    origin.sql(
        "CREATE EXTENSION hstore; CREATE TABLE tagged (id integer PRIMARY KEY, tags hstore);
         INSERT INTO tagged VALUES (1, 'a=>1'); CREATE INDEX ON tagged USING gin (tags);
         CREATE TABLE other (id integer REFERENCES tagged); INSERT INTO other VALUES (1);
         CREATE TABLE fine AS SELECT a FROM generate_series(1, 100) AS a; CREATE INDEX ON fine (a)",
    );
    let path = dir.join("refused");
    origin.pg_dump(REFERENCE, &[], &path);
    path
}

#[test]
fn what_depends_on_what_could_not_be_made_is_left_out_and_named() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let path = refused(server, dir.path());
    // Whoever may make tables need not be allowed to make this schema's extension.
    let target = server.database("parallel");
    target.sql(
        "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not here''; END';
        CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION no()",
    );
    for jobs in ["2", "4"] {
        let out = restore(&target, &path, &["--jobs", jobs]);
        assert_eq!(out.code(), 3, "{out}");
        let told = out.stderr();
        for entry in
            ["TABLE DATA public.tagged", "CONSTRAINT public.tagged tagged_pkey", "INDEX public.tagged_tags_idx"]
        {
            let line = told.lines().find(|line| line.contains(entry)).unwrap_or_else(|| panic!("no {entry}: {out}"));
            assert!(line.contains("left out"), "{line}");
        }
        assert_eq!(target.sql("SELECT count(*) FROM fine"), "100");
        assert_eq!(target.sql("SELECT count(*) FROM other"), "1");
        assert_eq!(target.sql("SELECT count(*) FROM pg_indexes WHERE tablename = 'fine'"), "1");
    }
    let out = restore(&target, &path, &["--jobs", "4", "--exit-on-error"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().matches("error:").count() == 1, "{out}");
}

#[test]
fn what_could_not_be_dropped_gets_its_keys_and_indexes_back() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    let origin = server.database("parallel");
    origin.sql(
        "CREATE TABLE held (id integer PRIMARY KEY, n integer); INSERT INTO held VALUES (1, 1); CREATE INDEX ON held (n);
         COMMENT ON CONSTRAINT held_pkey ON held IS 'key'; CREATE TABLE key (id integer PRIMARY KEY);
         CREATE TABLE user_of (id integer REFERENCES held, key integer REFERENCES key)",
    );
    origin.pg_dump(REFERENCE, &[], &path);
    // Of each, what is there already depends on it: the table, and the key.
    origin.sql("CREATE VIEW mine AS SELECT * FROM held; CREATE TABLE my_keys (key integer REFERENCES key)");
    let expected = dir.path().join("expected");
    origin.pg_dump(REFERENCE, &[], &expected);
    for jobs in ["1", "2", "4"] {
        let out = restore(&origin, &path, &["--jobs", jobs]);
        assert_eq!(out.code(), 3, "{out}");
        assert!(!out.stderr().contains("is not there"), "{out}");
        origin.assert_is(&format!("{jobs} jobs"), &expected);
        // What nobody tried to drop is there as well.
        origin.sql("DROP INDEX held_n_idx; ALTER TABLE user_of DROP CONSTRAINT user_of_key_fkey");
        let out = restore(&origin, &path, &["--no-clean", "--jobs", jobs]);
        assert_eq!(out.code(), 3, "{out}");
        origin.assert_is(&format!("{jobs} jobs, no drops"), &expected);
    }
}

#[test]
fn there_are_no_more_connections_than_there_is_something_to_do_for() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    let origin = server.database("parallel");
    origin.sql("CREATE TABLE a AS SELECT 1 AS n; CREATE TABLE b AS SELECT 2 AS n; CREATE INDEX i ON a (n)");
    origin.pg_dump(REFERENCE, &[], &path);
    // One that restores what comes before the data, and one for each of three things after that.
    let target = server.database("parallel");
    target.sql(&format!("ALTER DATABASE \"{}\" CONNECTION LIMIT 4", target.name()));
    let url = target.url_as("alice");
    target.sql("GRANT CREATE ON SCHEMA public TO alice");
    let out = output(&mut verbs::restore(&url, &path, &["--jobs", "64"]));
    assert!(out.success(), "{out}");
    assert_eq!(target.sql("SELECT (SELECT n FROM a), (SELECT n FROM b)"), "1|2");
}

#[test]
fn connection_that_is_lost_ends_the_restore_with_an_error() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let origin = server.database("parallel");
    // The second worker's rows end its own connection.
    origin.sql(
        "CREATE FUNCTION killed(integer) RETURNS boolean LANGUAGE sql AS
           'SELECT CASE WHEN $1 = 2 AND current_database() LIKE ''victim%'' THEN pg_terminate_backend(pg_backend_pid()) END';
         CREATE TABLE a (id integer); INSERT INTO a SELECT generate_series(1, 1000);
         CREATE TABLE b (id integer CHECK (killed(id))); INSERT INTO b VALUES (1), (2), (3)",
    );
    let path = dir.path().join("archive");
    origin.pg_dump(REFERENCE, &[], &path);
    let target = server.database("victim");
    let out = restore(&target, &path, &["--jobs", "3"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("TABLE DATA public.b"), "{out}");
    assert!(out.stderr().contains("entries had been restored, and remain"), "{out}");
}

/// A restore of three tables over as many connections, whose indexes take as long as `wait` does in the target.
fn slow_indexes(server: &Server, dir: &Path, wait: &str) -> PathBuf {
    let origin = server.database("parallel");
    origin.sql(&format!(
        "CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
           'BEGIN IF current_database() LIKE ''slow%'' THEN {wait} END IF; RETURN $1; END';
         CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE b AS SELECT 1 AS id; CREATE TABLE c AS SELECT 1 AS id;
         CREATE INDEX ON a (slow(id)); CREATE INDEX ON b (slow(id)); GRANT SELECT ON a TO alice",
    ));
    let path = dir.join("slow");
    origin.pg_dump(REFERENCE, &[], &path);
    path
}

#[test]
fn connections_with_nothing_to_do_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all().filter(|server| server.major() >= 14) {
        let path = slow_indexes(server, dir.path(), "PERFORM pg_sleep(1);");
        let target = server.database("slow");
        target.sql(&format!("ALTER DATABASE \"{}\" SET idle_session_timeout = '300ms'", target.name()));
        let out = restore(&target, &path, &["--jobs", "3"]);
        assert!(out.success(), "{}: {out}", server.major());
        assert_eq!(target.sql("SELECT has_table_privilege('alice', 'a', 'SELECT')"), "t");
    }
}

#[test]
fn connections_are_made_before_anything_is_changed() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let path = slow_indexes(server, dir.path(), "");
    let target = server.database("few");
    target
        .sql("CREATE TABLE a AS SELECT 7 AS id; GRANT CREATE ON SCHEMA public TO alice; ALTER TABLE a OWNER TO alice");
    target.sql(&format!("ALTER DATABASE \"{}\" CONNECTION LIMIT 2", target.name()));
    let url = target.url_as("alice");
    let out = output(&mut verbs::restore(&url, &path, &["--jobs", "3"]));
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("nothing was changed; --jobs 3 takes up to 4 connections"), "{out}");
    assert_eq!(target.sql("SELECT id FROM a"), "7");
}

#[test]
fn what_is_cancelled_because_of_another_error_has_none_of_its_own() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    // The first one waits for the second, and then fails; the second would wait for ever.
    let wait = "PERFORM pg_advisory_lock(4); PERFORM pg_sleep(3600);";
    let path = slow_indexes(server, dir.path(), wait);
    let target = server.database("slow");
    let restore = Running::start(&mut verbs::restore(&target.url(), &path, &["--jobs", "3"]));
    let of =
        |event: &str| format!("FROM pg_stat_activity WHERE wait_event = '{event}' AND datname = '{}'", target.name());
    for event in ["advisory", "PgSleep"] {
        wait_for_true(server, &format!("SELECT count(*) = 1 {}", of(event)));
    }
    server.sql("postgres", &format!("SELECT pg_terminate_backend(pid) {}", of("PgSleep")));
    let out = restore.end();
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().matches("error:").count() == 1 && out.stderr().contains("57P01"), "{out}");
}
