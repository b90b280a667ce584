//! `lifeboat status`: rows and sizes of a database, of a backup, and of both side by side.

use serde_json::Value;

use crate::support::wait::wait_for_waiting;
use crate::support::{REFERENCE, Scene, Server, Session, lifeboat_reading, output, run};

/// What it says, as JSON.
fn status(scene: &Scene, arguments: &[&str]) -> Value {
    let found = scene.run(&[&["status", "--json"], arguments].concat()).json();
    assert_eq!((found["schema_version"].as_i64(), found["command"].as_str()), (Some(1), Some("status")), "{found}");
    found
}

/// The names of the tables of a side, with their rows.
fn rows(side: &Value) -> Vec<(String, Value)> {
    let name = |table: &Value| match table["schema"].as_str() {
        Some(schema) => format!("{schema}.{}", table["name"].as_str().unwrap()),
        None => table["name"].as_str().unwrap().to_owned(),
    };
    side["tables"].as_array().unwrap().iter().map(|table| (name(table), table["rows"].clone())).collect()
}

fn expected(rows: &[(&str, i64)]) -> Vec<(String, Value)> {
    rows.iter().map(|(name, rows)| ((*name).to_owned(), (*rows).into())).collect()
}

const TABLES: &str = "CREATE TABLE t (a integer, b text); INSERT INTO t SELECT n, E'a\\tb\\n' || n FROM generate_series(1, 3000) n;
    CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; CREATE TABLE empty (x text);
    CREATE TABLE computed (a integer GENERATED ALWAYS AS (1) STORED); INSERT INTO computed DEFAULT VALUES;
    CREATE TABLE parted (a integer) PARTITION BY LIST (a); CREATE TABLE part1 PARTITION OF parted FOR VALUES IN (1);
    CREATE TABLE part2 PARTITION OF parted DEFAULT; INSERT INTO parted VALUES (1), (2), (3);
    CREATE TABLE parent (a integer); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);
    CREATE TEMPORARY TABLE gone (a integer); CREATE VIEW v AS SELECT 1 AS x; CREATE MATERIALIZED VIEW m AS SELECT 1 AS x;
    SELECT lo_from_bytea(0, 'x')";
const ROWS: [(&str, i64); 8] = [
    ("public.child", 2),
    ("public.computed", 1),
    ("public.empty", 0),
    ("public.nothing", 1),
    ("public.parent", 1),
    ("public.part1", 1),
    ("public.part2", 2),
    ("public.t", 3000),
];

#[test]
fn a_database_and_its_backup_have_the_same_rows() {
    let server = needed!(Server::newest());
    let database = server.database("status");
    database.sql(TABLES);
    let scene = Scene::new();
    let url = database.url();
    let found = status(&scene, &["--url", &url, "--exact"]);
    assert_eq!(rows(&found["database"]), expected(&ROWS), "{found}");
    assert_eq!(found["database"]["large_objects"], 1, "{found}");
    assert!(found["backup"].is_null() && found["comparison"].is_null(), "{found}");
    let t = &found["database"]["tables"][7];
    assert!(t["bytes"].as_u64().unwrap() >= 16 * 8192 && t["estimated"] == false, "{t}");

    for format in ["custom", "directory", "tar"] {
        database.backup(&scene.path(format), &["--format", format]);
        let found = status(&scene, &[format]);
        assert_eq!(rows(&found["backup"]), expected(&ROWS), "{format}: {found}");
        assert_eq!(found["backup"]["large_objects"], 1, "{found}");
        assert!(found["database"].is_null(), "{found}");
    }
    let found = status(&scene, &["custom", "--url", &url, "--exact"]);
    let comparison = &found["comparison"];
    assert!(comparison["tables"].as_array().unwrap().iter().all(|table| table["verdict"] == "same"), "{comparison}");
    let out = scene.run(&["status", "custom", "--url", &url, "--exact"]);
    assert!(out.stdout().ends_with("lifeboat: status: 8 tables, with the same numbers of rows\n"), "{out}");

    database.sql("DELETE FROM t WHERE a <= 10; INSERT INTO empty VALUES ('x'); DROP TABLE part2; CREATE TABLE \"a.b\" (a integer)");
    let out = scene.run(&["status", "custom", "--url", &url, "--exact"]);
    for line in [
        "\n    2990    3000  public.t (10 more in the backup)\n",
        "\n       1       0  public.empty (1 more in the database)\n",
        "\n       -       2  public.part2 (only in the backup)\n",
        "\n       0       -  public.a.b (only in the database)\n",
        "\nlifeboat: status: 9 tables, 1 only in the database, 1 only in the backup, 2 with other numbers of rows\n",
    ] {
        assert!(out.stdout().contains(line), "{line:?} is not in {out}");
    }

    // From a pipe, and with the database that the environment names.
    let archive = scene.path("custom");
    let out =
        run(lifeboat_reading(&archive, true).args(["status", "-", "--compare", "--exact"]).env("DATABASE_URL", &url));
    assert!(out.stdout().contains("backup: standard input, custom archive of status"), "{out}");
    let out = output(
        lifeboat_reading(&archive, true).args(["status", "-"]).env("DATABASE_URL", "postgresql://u@127.0.0.1:1/x"),
    );
    assert!(out.success(), "a backup alone asks no server: {out}");
}

#[test]
fn estimates_come_from_the_catalog_and_say_so() {
    let server = needed!(Server::newest());
    let database = server.database("status_estimates");
    database.sql(TABLES);
    let scene = Scene::new();
    let rows_of = |name: &str| {
        let found = status(&scene, &["--url", &database.url()]);
        let tables = found["database"]["tables"].as_array().unwrap().clone();
        tables.into_iter().find(|table| table["name"] == name).unwrap()
    };
    let t = rows_of("t");
    assert!(t["rows"].is_null() && t["not_counted"] == "it was never analyzed", "{t}");
    assert_eq!((rows_of("empty")["rows"].as_i64(), rows_of("empty")["estimated"].as_bool()), (Some(0), Some(false)));
    database.sql("ANALYZE t");
    let t = rows_of("t");
    assert_eq!((t["rows"].as_i64(), t["estimated"].as_bool()), (Some(3000), Some(true)), "{t}");
    // Twice as many pages are about twice as many rows.
    database.sql("INSERT INTO t SELECT n, E'a\\tb\\n' || n FROM generate_series(1, 3000) n");
    let about = rows_of("t")["rows"].as_i64().unwrap();
    assert!((5000..7000).contains(&about), "{about}");
    let out = scene.run(&["status", "--url", &database.url()]);
    assert!(out.stdout().contains(&format!("~{about}  ")), "{out}");
    let summary = format!(
        "lifeboat: status: 8 tables, about {about} rows (without 6 tables whose rows are not known), 1 large object, "
    );
    assert!(out.stdout().contains(&summary), "{out}");
    database.backup(&scene.path("b.dump"), &[]);
    let found = status(&scene, &["b.dump", "--url", &database.url()]);
    assert_eq!(
        (found["comparison"]["not_compared"].as_i64(), found["comparison"]["different_rows"].as_i64()),
        (Some(7), Some(0)),
        "{found}"
    );
}

#[test]
fn what_a_role_may_not_read_is_not_counted_and_the_rest_is() {
    let server = needed!(Server::newest());
    let database = server.database("status_rights");
    database.sql(
        "CREATE TABLE open AS SELECT 1 AS a; GRANT SELECT ON open TO alice; CREATE TABLE shut AS SELECT 1 AS a;
         CREATE TABLE seen AS SELECT 1 AS a; ALTER TABLE seen ENABLE ROW LEVEL SECURITY; GRANT SELECT ON seen TO alice",
    );
    let found = status(&Scene::new(), &["--url", &database.url_as("alice"), "--exact"]);
    let why = |at: usize| found["database"]["tables"][at]["not_counted"].as_str().unwrap_or_default().to_owned();
    assert_eq!(found["database"]["tables"][0]["rows"], 1, "{found}");
    assert_eq!(why(1), "row security hides rows from the role");
    assert_eq!(why(2), "the role may not SELECT from it");
}

#[test]
fn a_lock_is_not_waited_for_to_estimate_and_not_for_ever_to_count() {
    let server = needed!(Server::newest());
    let database = server.database("status_locked");
    database.sql("CREATE TABLE held AS SELECT 1 AS a; CREATE TABLE free AS SELECT 1 AS a; ANALYZE");
    let (mut reader, mut waiter) = (Session::open(&database), Session::open(&database));
    reader.run("BEGIN; LOCK TABLE held IN ACCESS SHARE MODE");
    waiter.send("BEGIN; LOCK TABLE held");
    wait_for_waiting(&database);
    let scene = Scene::new();
    let found = status(&scene, &["--url", &database.url()]);
    assert_eq!(rows(&found["database"])[0], ("public.free".to_owned(), 1.into()), "{found}");
    let held = &found["database"]["tables"][1];
    assert!(held["rows"].is_null() && held["not_counted"] == "somebody has locked it", "{held}");
    let arguments = ["status", "--url", &database.url(), "--exact", "--lock-wait-timeout", "100"];
    scene.fails(1, "could not lock the tables against changes of their definition", &arguments);
}

#[test]
fn counting_runs_nothing_of_an_owners() {
    let server = needed!(Server::newest());
    let database = server.database("status_planted");
    database.sql(
        "CREATE FUNCTION planted(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
           $$ BEGIN IF current_setting('x.armed', true) = 'on' THEN RAISE EXCEPTION 'planted'; END IF; RETURN $1; END $$;
         CREATE TABLE t (a text); INSERT INTO t VALUES ('x'), ('y'); CREATE INDEX ON t (planted('x'))",
    );
    database.sql(&format!("ALTER DATABASE \"{}\" SET x.armed = 'on'", database.name()));
    assert!(!database.try_psql("SELECT count(*) FROM t").success(), "a query runs it");
    for exact in [&[][..], &["--exact"]] {
        let found = status(&Scene::new(), &[&["--url", &database.url()], exact].concat());
        assert!(exact.is_empty() || rows(&found["database"]) == expected(&[("public.t", 2)]), "{found}");
    }
}

#[test]
fn sqlite_databases_are_counted() {
    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 50);
    let url = format!("sqlite:///{}", path.display());
    scene.run(&["backup", "--url", &url, "--output", "copy.db"]);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents LIMIT 10); CREATE TABLE new (a)",
        )
        .unwrap();
    let found = status(&scene, &["--url", &url]);
    let total = |table: &Value| (table["bytes"].as_u64().unwrap(), table["total_bytes"].as_u64().unwrap());
    let (bytes, with_indexes) = total(&found["database"]["tables"][0]);
    assert!(bytes >= 4096 && with_indexes > bytes, "{found}");
    let out = scene.run(&["status", "copy.db", "--url", &url]);
    for line in
        [" documents (10 more in the backup)\n", " new (only in the database)\n", "1 with other numbers of rows\n"]
    {
        assert!(out.stdout().contains(line), "{line:?} is not in {out}");
    }
    let out = scene.run(&["status", "copy.db"]);
    assert!(out.stdout().starts_with("backup: copy.db\nrows") && out.stdout().contains("with indexes"), "{out}");
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    let scene = Scene::new();
    std::fs::write(scene.path("notes"), "none").unwrap();
    scene.fails(1, "could not count the rows in notes", &["status", "notes"]);
    scene.fails(2, "there is no --url", &["status"]);
    assert_eq!(scene.lifeboat(&["status", "--compare"]).code(), 2);
    scene.fails(2, "--exact", &["status", "notes", "--url", "sqlite:///x.db", "--exact"]);
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("status_damaged");
    database.sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n");
    database.backup(&scene.path("b.dump"), &[]);
    let mut bytes = std::fs::read(scene.path("b.dump")).unwrap();
    let at = bytes.len() - 200;
    bytes[at] ^= 0x55;
    std::fs::write(scene.path("b.dump"), bytes).unwrap();
    scene.fails(1, "b.dump", &["status", "b.dump"]);
}
