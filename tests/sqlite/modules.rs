//! Virtual tables: those whose module is built in, and those of which only the application has the code.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Scene, debian, run};

/// Puts virtual tables into the schema as they stand there where their module was loaded, and tables as those keep their rows in.
fn with_loaded_modules(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE vec_chunks(id INTEGER PRIMARY KEY, data BLOB); INSERT INTO vec_chunks VALUES (1, x'00ff'), (2, x'01');
             CREATE TABLE app(a); INSERT INTO app VALUES (1), (2), (3); CREATE INDEX by_a ON app(a);
             CREATE VIRTUAL TABLE notes USING fts5(a); INSERT INTO notes VALUES ('one');
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES
                 ('table', 'vec', 'vec', 0, 'CREATE VIRTUAL TABLE vec USING vec0(e float[4])'),
                 ('table', 'knn', 'knn', 0, 'CREATE VIRTUAL TABLE knn USING VirtualKNN()');",
        )
        .unwrap();
    connection
}

fn told(scene: &Scene, name: &str, tables: &[&str]) {
    let out = scene.run(&["verify", name]);
    assert!(out.stdout().contains(&format!("({} not counted)", tables.len())), "{out}");
    for table in tables {
        assert!(
            out.stderr().contains(&format!("lifeboat: warning: {table}: not checked as a virtual table (no such ")),
            "{out}"
        );
    }
    let out = scene.run(&["verify", name, "--json"]);
    let answer = out.json();
    assert_eq!((answer["sound"].as_bool(), answer["unchecked"].as_array().unwrap().len()), (Some(true), tables.len()));
    let vec = answer["data"].as_array().unwrap().iter().find(|table| table["entry"] == "vec").unwrap();
    assert_eq!((&vec["rows"], vec["not_counted"].as_str()), (&Value::Null, Some("no such module: vec0")));
}

#[test]
fn tables_of_modules_that_are_not_built_in_are_copied_and_said_not_to_be_counted() {
    let scene = Scene::new();
    let path = scene.path("app.db");
    drop(with_loaded_modules(&path));
    for compact in ["--no-compact", "--compact"] {
        let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db", "--force", compact];
        let out = scene.run(&arguments);
        assert!(out.stderr().contains("vec: not checked as a virtual table (no such module: vec0)"), "{out}");
        for name in ["app.db", "out.db"] {
            told(&scene, name, &["vec", "knn"]);
        }
        let saved = Connection::open(scene.path("out.db")).unwrap();
        let kept: i64 = saved
            .query_row("SELECT (SELECT count(*) FROM vec_chunks) * 10 + (SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%vec0%')", [], |r| r.get(0))
            .unwrap();
        assert_eq!(kept, 21);
    }
    scene.run(&["restore", "out.db", "--url", "sqlite:///new.db", "--force"]);
    let out = scene.run(&["list", "new.db"]);
    assert!(out.stdout().contains("TABLE vec (rows not counted: no such module: vec0)\n"), "{out}");
    scene.run(&["drill", "--url", "sqlite:///app.db"]);
}

#[test]
fn tokenizer_of_the_application_does_not_hide_damage() {
    let scene = Scene::new();
    let path = scene.path("app.db");
    let connection = with_loaded_modules(&path);
    connection
        .execute_batch(
            "UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE notes USING fts5(a, tokenize = mine)' WHERE name = 'notes'",
        )
        .unwrap();
    drop(connection);
    let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db"];
    let out = scene.run(&arguments);
    assert!(out.stderr().contains("notes: not checked as a virtual table ("), "{out}");
    let out = scene.run(&["verify", "out.db"]);
    assert!(
        out.stdout().contains("is sound") && out.stderr().contains("notes: not checked as a virtual table"),
        "{out}"
    );
    // Damage beside it: an index loses a row, a page belongs to two tables.
    std::fs::remove_file(scene.path("out.db")).unwrap();
    let undamaged = std::fs::read(&path).unwrap();
    for (damage, says) in [
        (
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'vec_chunks') WHERE name = 'app'",
            "is damaged",
        ),
        (
            "UPDATE sqlite_schema SET sql = 'CREATE INDEX by_a ON app(-a)' WHERE name = 'by_a'",
            "missing from index by_a",
        ),
    ] {
        std::fs::write(&path, &undamaged).unwrap();
        Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA writable_schema = ON; {damage}")).unwrap();
        scene.fails(1, says, &arguments);
        assert_eq!(scene.lifeboat(&["verify", "app.db"]).code(), 1);
    }
}

#[test]
fn damaged_virtual_table_is_damage() {
    let scene = Scene::new();
    let script = "CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f VALUES ('one'), ('two');
        CREATE VIRTUAL TABLE r USING rtree(id, a, b); INSERT INTO r VALUES (1, 2, 3);";
    for (damage, table) in
        [("UPDATE f_data SET block = x'00' WHERE id > 10", "f"), ("UPDATE r_node SET data = x'00'", "r")]
    {
        let path = scene.path(&format!("{table}.db"));
        Connection::open(&path).unwrap().execute_batch(&format!("{script} {damage}")).unwrap();
        let out = scene.lifeboat(&["verify", &format!("{table}.db")]);
        assert!(out.code() == 1 && out.stdout().contains("is damaged"), "{out}");
        scene.fails(1, "it is damaged", &["backup", "--url", &format!("sqlite:///{table}.db"), "-o", "x"]);
    }
}

#[test]
fn what_sqlite3_has_is_built_in() {
    let scene = Scene::new();
    let script = "CREATE VIRTUAL TABLE f5 USING fts5(a, tokenize = 'porter unicode61'); INSERT INTO f5 VALUES ('boats');
        CREATE VIRTUAL TABLE tri USING fts5(a, tokenize = 'trigram'); INSERT INTO tri VALUES ('boats');
        CREATE VIRTUAL TABLE f5v USING fts5vocab('f5', 'row');
        CREATE VIRTUAL TABLE f4 USING fts4(a, tokenize=unicode61); INSERT INTO f4 VALUES ('boats');
        CREATE VIRTUAL TABLE f3 USING fts3(a, tokenize=porter); INSERT INTO f3 VALUES ('boats');
        CREATE VIRTUAL TABLE f4x USING fts4aux(f4);
        CREATE VIRTUAL TABLE r USING rtree(id, a, b, +c); INSERT INTO r VALUES (1, 2, 3, 'x');
        CREATE VIRTUAL TABLE ri USING rtree_i32(id, a, b); INSERT INTO ri VALUES (1, 2, 3);
        CREATE VIRTUAL TABLE st USING dbstat;
        CREATE TABLE sqlar(name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB);
        INSERT INTO sqlar VALUES ('a', 33188, 0, 3, x'010203');
        CREATE TABLE j(a CHECK (json_valid(a)), b AS (json_extract(a, '$.b'))); CREATE INDEX jb ON j(json_extract(a, '$.b'));
        INSERT INTO j(a) VALUES ('{\"b\": 7}');
        CREATE TABLE m(a CHECK (sqrt(a) < 10), b AS (log(2, a)) STORED); CREATE INDEX ma ON m(pow(a, 2), ceil(a), atan2(a, 1));
        INSERT INTO m(a) VALUES (8), (7.5), ('64'), (NULL), ('x');";
    run(debian::required("sqlite3").current_dir(scene.path(".")).args(["app.db", script]));
    for compact in ["--no-compact", "--compact"] {
        let out = scene.run(&["backup", "--url", "sqlite:///app.db", "-o", "out.db", "--force", compact]);
        assert_eq!(out.stderr(), "", "{out}");
        let out = scene.run(&["verify", "out.db"]);
        assert!(out.stderr().is_empty() && !out.stdout().contains("not counted"), "{out}");
    }
    let checked =
        run(debian::required("sqlite3").current_dir(scene.path(".")).args(["out.db", "PRAGMA integrity_check"]));
    assert_eq!(checked.stdout(), "ok\n");
}

#[test]
fn names_that_are_no_utf_8_are_copied() {
    let scene = Scene::new();
    let script = "CREATE TABLE t(a); INSERT INTO t VALUES (1); PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET name = CAST(x'61ff62' AS TEXT), tbl_name = CAST(x'61ff62' AS TEXT),
            sql = CAST(x'435245415445205441424c452022' || x'61ff62' || x'222861 29' AS TEXT)";
    let script = script.replace("61 29", "6129");
    Connection::open(scene.path("app.db")).unwrap().execute_batch(&script).unwrap();
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    let out = scene.run(&["list", "out.db"]);
    assert!(out.stdout().contains("TABLE a\u{fffd}b"), "{out}");
    scene.run(&["verify", "out.db"]);
}
