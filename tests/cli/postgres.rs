//! The verbs with a PostgreSQL database: what they print, and their exit codes. What is in an archive is tested elsewhere.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Database, Output, REFERENCE, Running, Scene, Server, lifeboat, output, run};

const TABLES: &str =
    "CREATE TABLE t(a int, b text); INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 100) g;
    CREATE TABLE \"odd \nname\"(x int); INSERT INTO \"odd \nname\" VALUES (1)";

fn shell(scene: &Scene, script: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_lifeboat")]).args(arguments);
    output(command.current_dir(scene.path(".")))
}

#[test]
fn report_of_a_backup_is_the_promised_one() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("cli");
    database.sql(TABLES);
    let scene = Scene::new();
    let out = scene.run(&["backup", "--url", &database.url(), "--output", "out.dump"]);
    let lines: Vec<String> = out.stdout().lines().map(str::to_owned).collect();
    assert_eq!(lines[..2], ["lifeboat: backup complete", "backend: postgresql"]);
    assert!(lines[2].starts_with("output: /") && lines[2].ends_with("/out.dump"), "{out}");
    assert!(lines[3].starts_with("size: ") && lines[3].ends_with(" MiB"), "{out}");
    assert_eq!(lines[4], "lifeboat: move this file off-host (scp, rclone, S3, ...) for true disaster recovery.");
    assert_eq!((lines.len(), out.stderr().as_str()), (5, ""));
    scene.fails(4, "exists already", &["backup", "--url", &database.url(), "--output", "out.dump"]);
    scene.run(&["backup", "--url", &database.url(), "--output", "out.dump", "--force"]);

    let out = scene.run(&["backup", "--url", &database.url(), "--output", "two.dump", "--json"]);
    let answer = out.json();
    assert_eq!((answer["ok"].as_bool(), answer["backend"].as_str()), (Some(true), Some("postgresql")));
    assert_eq!((answer["rows"].as_i64(), answer["tables"].as_i64()), (Some(101), Some(2)));
    assert_eq!(answer["bytes"].as_u64(), Some(fs::metadata(scene.path("two.dump")).unwrap().len()));
    assert_eq!((answer["archive_version"].as_str(), answer["compression"].as_str()), (Some("1.14"), Some("gzip:6")));
}

#[test]
fn archive_goes_to_a_pipe_and_comes_from_one() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("cli");
    database.sql(TABLES);
    let scene = Scene::new();
    let script = "set -o pipefail; \"$0\" backup --url \"$1\" --output - >out.dump";
    let out = shell(&scene, script, &[&database.url()]);
    assert!(out.success() && out.stderr().starts_with("lifeboat: backup complete\n"), "{out}");
    run(database.tool(REFERENCE, "pg_restore").arg("-l").arg(scene.path("out.dump")));
    let other = server.database("cli");
    let script = "set -o pipefail; cat out.dump | \"$0\" restore - --url \"$1\" --force";
    let out = shell(&scene, script, &[&other.url()]);
    assert!(out.success() && out.stdout().contains("rows: 101\n"), "{out}");
    assert_eq!(other.sql("SELECT count(*), sum(a) FROM t"), "100|5050");
    let out = shell(&scene, "cat out.dump | \"$0\" list -", &[]);
    assert!(out.stdout().contains("TABLE DATA public t "), "{out}");
    // A pipe that breaks is a backup that failed.
    let out = shell(&scene, "\"$0\" backup --url \"$1\" --output - | true; exit ${PIPESTATUS[0]}", &[&database.url()]);
    assert!(out.code() == 1 && out.stderr().contains("Broken pipe"), "{out}");
    let out = scene.run(&["backup", "--url", &database.url(), "--output", "/dev/null"]);
    assert!(out.stdout().contains("output: /dev/null\n"), "{out}");
}

#[test]
fn list_is_what_pg_restore_lists() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("cli");
    database.sql(TABLES);
    database.sql("COMMENT ON TABLE t IS 'a table'; CREATE VIEW v AS SELECT 1 AS one; SELECT lo_create(4711)");
    // What belongs to the database itself is restored with it only.
    database
        .sql(&format!("COMMENT ON DATABASE {0} IS 'mine'; ALTER DATABASE {0} SET work_mem = '7MB'", database.name()));
    database.sql("CREATE TABLE p (a integer) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)");
    let scene = Scene::new();
    let path = scene.path("ref.dump");
    for (format, more) in
        [("-Fc", "-b"), ("-Fd", "-b"), ("-Ft", "-b"), ("-Fc", "--load-via-partition-root"), ("-Fc", "-C")]
    {
        let path = scene.path(&format!("{format}{more}"));
        run(database.tool(REFERENCE, "pg_dump").args([format, more, "-f"]).arg(&path));
        for zone in ["UTC", "Europe/Berlin", "America/New_York"] {
            let expected = run(database.tool(REFERENCE, "pg_restore").env("TZ", zone).arg("-l").arg(&path)).stdout();
            let found = run(lifeboat().env("TZ", zone).arg("list").arg(&path)).stdout();
            assert_eq!(found, expected, "{format} {more} in {zone}");
        }
    }
    database.pg_dump(REFERENCE, &[], &path);
    let answer = scene.run(&["list", "ref.dump", "--json"]).json();
    assert_eq!((answer["format"].as_str(), answer["archive_version"].as_str()), (Some("custom"), Some("1.16")));
    let entries = answer["entries"].as_array().unwrap();
    assert!(entries.iter().any(|e| e["type"] == "TABLE" && e["name"] == "t" && e["section"] == "pre-data"));
}

fn with_a_lost_owner<'a>(server: &'a Server, scene: &Scene, role: &str) -> Database<'a> {
    let database = server.database("cli");
    database.sql(&format!("{TABLES}; CREATE ROLE {role}; ALTER TABLE t OWNER TO {role}"));
    database.pg_dump(REFERENCE, &[], &scene.path("out.dump"));
    database.sql(&format!("ALTER TABLE t OWNER TO CURRENT_USER; DROP ROLE {role}; DELETE FROM t"));
    database
}

#[test]
fn restore_needs_force_and_replaces_what_is_there() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let database = with_a_lost_owner(server, &scene, "cli_restore_force");
    let out = scene.fails(4, "public.t", &["restore", "out.dump", "--url", &database.url()]);
    assert!(out.stderr().contains("give --force"), "{out}");
    assert_eq!(database.sql("SELECT count(*) FROM t"), "0");
    for _ in 0..2 {
        let out = scene.run(&["restore", "out.dump", "--url", &database.url(), "--force"]);
        assert!(out.stdout().starts_with("lifeboat: restore complete\nbackend: postgresql\ndatabase: "), "{out}");
        assert_eq!(database.sql("SELECT count(*), sum(a) FROM t"), "100|5050");
    }
    let answer = scene.run(&["restore", "out.dump", "--url", &database.url(), "--force", "--json"]).json();
    assert_eq!((answer["rows"].as_i64(), answer["exit_code"].as_i64()), (Some(101), Some(0)));
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(0));
}

#[test]
fn exit_code_tells_a_restore_with_errors_from_a_failed_one() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let database = with_a_lost_owner(server, &scene, "cli_restore_errors");
    let url = database.url();
    let owner = ["restore", "out.dump", "--url", &url, "--force", "--owner"];

    // All or nothing: nothing.
    let out = scene.lifeboat(&[&owner[..], &["--single-transaction"]].concat());
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stdout().contains("rolled back") && out.stderr().contains("cli_restore_errors"), "{out}");
    assert_eq!(database.sql("SELECT count(*) FROM t"), "0");

    let out = scene.lifeboat(&[&owner[..], &["--exit-on-error"]].concat());
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stdout().contains("stopped at the first error"), "{out}");

    let out = scene.lifeboat(&owner);
    assert_eq!(out.code(), 3, "{out}");
    assert!(out.stdout().starts_with("lifeboat: restore finished, but 1 entry failed"), "{out}");
    assert!(out.stderr().contains("lifeboat: error: ") && out.stderr().contains("cli_restore_errors"), "{out}");
    assert_eq!(database.sql("SELECT count(*) FROM t"), "100");

    let out = scene.lifeboat(&[&owner[..], &["--json"]].concat());
    let answer = out.json();
    assert_eq!((out.code(), answer["ok"].as_bool(), answer["exit_code"].as_i64()), (3, Some(false), Some(3)));
    assert_eq!(answer["errors"][0]["sqlstate"], "42704", "{answer}");

    scene.run(&[&owner[..], &["--no-owner"]].concat());
}

#[test]
fn files_of_the_other_kind_are_told_apart() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("cli");
    let scene = Scene::new();
    scene.database("app.db", "delete", 3);
    scene.run(&["backup", "--url", &database.url(), "--output", "out.dump"]);
    let url = database.url();
    let before = scene.names();
    fs::write(scene.path("script.sql"), "SELECT 1;\n".repeat(100)).unwrap();
    let whole = fs::read(scene.path("out.dump")).unwrap();
    fs::write(scene.path("half.dump"), &whole[..whole.len() / 2]).unwrap();
    for (file, url, says) in [
        ("app.db", url.as_str(), "SQLite database"),
        ("script.sql", &url, "no archive"),
        ("half.dump", &url, "table of contents"),
        ("missing", &url, "No such file"),
        (".", &url, "it is a folder, but none of an archive"),
        ("out.dump", "sqlite:///app.db", "archive of a PostgreSQL database"),
    ] {
        scene.fails(1, says, &["restore", file, "--url", url, "--force"]);
    }
    scene.fails(1, "no archive", &["list", "script.sql"]);
    assert!(before.iter().all(|name| scene.names().contains(name)));
}

#[test]
fn failed_backup_leaves_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("cli");
    let scene = Scene::new();
    let missing = database.url().replace(database.name(), "no_such_database");
    scene.fails(1, "no_such_database", &["backup", "--url", &missing, "--output", "out.dump"]);
    scene.fails(1, "connect", &["backup", "--url", "postgresql://u@127.0.0.1:1/d", "--output", "out.dump"]);
    assert_eq!(scene.names(), Vec::<String>::new());
    fs::write(scene.path("out.dump"), "precious").unwrap();
    scene.fails(1, "no_such_database", &["backup", "--url", &missing, "--output", "out.dump", "--force"]);
    assert_eq!(fs::read(scene.path("out.dump")).unwrap(), b"precious");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = lifeboat();
    command.args(["backup", "--output", "-", "--url", &database.url()]).stdout(Stdio::from(full));
    let out = command.output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Runs a drill and sees to it that nothing of it stays.
fn drill(scene: &Scene, database: &Database<'_>, more: &[&str]) -> Output {
    let arguments = ["drill", "--scratch", ".", "--url", &database.url()];
    let drill = Running::start(lifeboat().current_dir(scene.folder()).args(arguments).args(more));
    let pid = drill.pid();
    let out = drill.end();
    let left = format!("SELECT count(*) FROM pg_database WHERE datname LIKE 'lifeboat_drill_{pid}_%'");
    assert_eq!(database.sql(&left), "0");
    assert_eq!(scene.names(), Vec::<String>::new());
    out
}

#[test]
fn drill_proves_it_and_drops_its_database() {
    for server in Server::all() {
        let database = server.database("cli");
        database.sql(TABLES);
        database.sql(
            "CREATE TABLE hard(a text, b int); CREATE SEQUENCE s; SELECT setval('s', 42); SELECT lo_from_bytea(4711, 'x');
             INSERT INTO hard VALUES (E'x\\ny', 1), (E'\\\\.', 2), ('', NULL), (NULL, 4)",
        );
        let out = drill(&Scene::new(), &database, &["--json"]);
        assert_eq!(out.code(), 0, "{out}");
        let answer = out.json();
        let tables = answer["tables"].as_array().unwrap();
        let rows = |name: &str| tables.iter().find(|t| t["table"] == name).unwrap()["rows"].as_i64();
        assert_eq!((rows("public.t"), rows("public.hard")), (Some(100), Some(4)), "{answer}");
    }
}

#[test]
fn drill_fails_if_the_restore_does() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("cli");
    let out = drill(&Scene::new(), &database, &[]);
    assert!(out.code() == 0 && out.stdout().contains("lifeboat: drill passed"), "{out}");
    // The rows of the one table can only be restored after those of the other, which nothing in the catalog says.
    database.sql(
        "CREATE TABLE zz(a int); INSERT INTO zz VALUES (1);
         CREATE FUNCTION is_allowed(int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.zz WHERE a = $1)';
         CREATE TABLE aa(a int CHECK (public.is_allowed(a))); INSERT INTO aa VALUES (1)",
    );
    let out = drill(&Scene::new(), &database, &[]);
    assert!(out.code() == 1 && out.stderr().contains("could not pass the drill"), "{out}");
    assert!(!out.stdout().contains("passed"), "{out}");
}
