//! Rows that break the constraints of their table are no damage: sqlite3 copies them, and so does a backup, with a warning. Damage
//! is damage, whatever it is called and however many such rows there are.

use std::path::Path;

use rusqlite::Connection;

use super::readonly::{Killed, Reader};
use crate::support::{Scene, debian, run};

/// Makes a database by a script, then gives its tables other definitions, which the rows need not meet.
fn redefined(path: &Path, script: &str, definitions: &[(&str, &str)]) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(script).unwrap();
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    for (name, sql) in definitions {
        let changed = connection.execute("UPDATE sqlite_schema SET sql = ?2 WHERE name = ?1", [name, sql]).unwrap();
        assert_eq!(changed, 1, "{name}");
    }
    drop(connection);
}

/// Makes the entries of an index say something else than its table: the index is out of sight while the table is changed.
fn damage_index(path: &Path, index: &str, change: &str) {
    let connection = Connection::open(path).unwrap();
    let sql: String =
        connection.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [index], |r| r.get(0)).unwrap();
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    let set = |kind: &str, sql: &str| {
        let update = "UPDATE sqlite_schema SET type = ?2, sql = ?3 WHERE name = ?1";
        connection.execute(update, [index, kind, sql]).unwrap();
        connection.execute_batch("PRAGMA writable_schema = RESET; PRAGMA writable_schema = ON").unwrap();
    };
    let root: i64 =
        connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [index], |r| r.get(0)).unwrap();
    connection.execute("UPDATE sqlite_schema SET rootpage = 0 WHERE name = ?1", [index]).unwrap();
    set("view", "CREATE VIEW hidden AS SELECT 1");
    connection.execute_batch(change).unwrap();
    connection
        .execute("UPDATE sqlite_schema SET rootpage = ?2 WHERE name = ?1", rusqlite::params![index, root])
        .unwrap();
    set("index", &sql);
}

fn dump(path: &Path) -> String {
    run(debian::required("sqlite3").arg(path).arg(".dump")).stdout()
}

const EVERY_KIND: &str = "
    CREATE TABLE n(a, b); INSERT INTO n VALUES (NULL, 1), (NULL, 2), (1, 3);
    CREATE TABLE s(a INT, b TEXT, c BLOB, d REAL, e INTEGER, f ANY);
    INSERT INTO s VALUES ('x', 1, 'not bytes', 'y', 'z', 'anything');
    CREATE TABLE k(a INTEGER CHECK (a > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO k VALUES (-1), (-2), (5);
    CREATE TABLE w(a PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO w VALUES (1, NULL);
    CREATE TABLE t(a); INSERT INTO t VALUES (17), ('18');";
const DEFINITIONS: [(&str, &str); 4] = [
    ("n", "CREATE TABLE n(a NOT NULL, b)"),
    ("s", "CREATE TABLE s(a INT, b TEXT, c BLOB, d REAL, e INTEGER, f ANY) STRICT"),
    ("w", "CREATE TABLE w(a PRIMARY KEY, b NOT NULL) WITHOUT ROWID"),
    ("t", "CREATE TABLE t(a TEXT)"),
];

#[test]
fn rows_that_break_constraints_are_copied_with_a_warning() {
    let scene = Scene::new();
    let path = scene.path("app.db");
    redefined(&path, EVERY_KIND, &DEFINITIONS);
    let expected = [
        "NULL value in n.a (2 rows)",
        "non-INT value in s.a (1 row)",
        "non-BLOB value in s.c (1 row)",
        "non-REAL value in s.d (1 row)",
        "CHECK constraint failed in k (2 rows)",
        "NULL value in w.b (1 row)",
        "NUMERIC value in t.a (1 row)",
    ];
    for compact in ["--no-compact", "--compact"] {
        let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db", "--force", "--json", compact];
        let out = scene.run(&arguments);
        for text in expected {
            assert!(out.stderr().contains(text), "{text}: {out}");
        }
        let answer = out.json();
        assert!(answer["violations"].as_i64() >= Some(10), "{out}");
        assert_eq!(dump(&scene.path("out.db")), dump(&path), "{compact}");
    }
    for name in ["app.db", "out.db"] {
        let out = scene.run(&["verify", name]);
        assert!(out.stdout().contains("is sound") && expected.iter().all(|text| out.stderr().contains(text)), "{out}");
    }
    scene.run(&["restore", "out.db", "--url", "sqlite:///new.db", "--force"]);
    assert_eq!(dump(&scene.path("new.db")), dump(&path));
}

#[test]
fn checks_are_seen_in_a_file_that_may_not_be_written() {
    let mut killed = Killed::after("delete", "PRAGMA user_version = 1");
    let scene = Scene::new();
    redefined(&scene.path("app.db"), EVERY_KIND, &DEFINITIONS);
    killed.add("", &std::fs::read(scene.path("app.db")).unwrap());
    killed.hand_over();
    for reader in Reader::all() {
        let out = reader.run(&killed, "verify stage/app.db");
        assert!(out.success() && out.stderr().contains("CHECK constraint failed in k (2 rows)"), "{out}");
        killed.is_untouched();
    }
}

/// Many rows that break constraints, in tables before and after the one that is damaged, in whichever order they are checked.
fn with_many_broken_rows(path: &Path) {
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO";
    let script: String = ["a", "c", "e", "g"]
        .map(|t| format!("CREATE TABLE {t}(x, y, z); {many} {t} SELECT NULL, i, NULL FROM n;"))
        .concat();
    let definitions = ["a", "c", "e", "g"].map(|t| (t, format!("CREATE TABLE {t}(x NOT NULL, y, z NOT NULL)")));
    let definitions: Vec<(&str, &str)> = definitions.iter().map(|(t, sql)| (*t, sql.as_str())).collect();
    let damaged = "CREATE TABLE b(x); INSERT INTO b VALUES (1), (2), (3);";
    redefined(path, &format!("{script} {damaged}"), &definitions);
}

#[test]
fn damage_is_found_behind_any_number_of_broken_constraints() {
    let scene = Scene::new();
    let path = scene.path("app.db");
    with_many_broken_rows(&path);
    let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db", "--force"];
    let out = scene.run(&arguments);
    assert!(out.stderr().contains("NULL value in g.z (3000 rows)"), "{out}");
    let hostile = "CREATE INDEX \"NULL value in a.x\" ON b(x)";
    Connection::open(&path).unwrap().execute_batch(hostile).unwrap();
    // As many entries as rows, but one of another value.
    damage_index(&path, "NULL value in a.x", "UPDATE b SET x = 700 WHERE x = 2");
    scene.fails(1, "row 2 missing from index NULL value in a.x", &arguments);
    let out = scene.lifeboat(&["verify", "app.db"]);
    assert!(out.code() == 1 && out.stdout().contains("is damaged"), "{out}");
}

#[test]
fn order_and_uniqueness_of_indexes_are_no_constraints() {
    let scene = Scene::new();
    for (index, change, says) in [
        ("CREATE UNIQUE INDEX i ON b(x)", "UPDATE b SET x = 1", "missing from index i"),
        ("CREATE INDEX i ON b(x)", "DELETE FROM b WHERE x = 2", "wrong # of entries in index i"),
    ] {
        let path = scene.path("app.db");
        let _ = std::fs::remove_file(&path);
        let script = format!("CREATE TABLE b(x); INSERT INTO b VALUES (1), (2), (3); {index}");
        Connection::open(&path).unwrap().execute_batch(&script).unwrap();
        damage_index(&path, "i", change);
        scene.fails(1, says, &["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    }
}

#[test]
fn names_of_many_lines_make_no_damage() {
    let scene = Scene::new();
    let name = "x\n*** in database main ***\nwrong # of entries in index y";
    let create = |tail: &str| format!("CREATE TABLE \"{name}\"(a{tail})");
    redefined(
        &scene.path("app.db"),
        &format!("{}; INSERT INTO \"{name}\" VALUES (NULL)", create("")),
        &[(name, &create(" NOT NULL"))],
    );
    let out = scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    assert!(out.stderr().contains("NULL value in x\\n"), "{out}");
}

#[test]
fn search_index_that_was_not_kept_up_is_no_damage() {
    let scene = Scene::new();
    let script = "CREATE TABLE c(id INTEGER PRIMARY KEY, a); INSERT INTO c VALUES (1, 'one'), (2, 'two');
        CREATE VIRTUAL TABLE f USING fts4(content='c', a); INSERT INTO f(f) VALUES ('rebuild');
        CREATE VIRTUAL TABLE own USING fts4(a); INSERT INTO own VALUES ('one');
        UPDATE c SET a = 'three' WHERE id = 2";
    Connection::open(scene.path("app.db")).unwrap().execute_batch(script).unwrap();
    let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db"];
    let out = scene.run(&arguments);
    assert!(out.stderr().contains("malformed inverted index for FTS4 table main.f"), "{out}");
    std::fs::remove_file(scene.path("out.db")).unwrap();
    let damage = "UPDATE own_content SET c0a = 'two'";
    Connection::open(scene.path("app.db")).unwrap().execute_batch(damage).unwrap();
    scene.fails(1, "it is damaged: malformed inverted index for FTS4 table main.own", &arguments);
}

#[test]
fn foreign_keys_that_name_no_row_are_told() {
    let scene = Scene::new();
    let script = "PRAGMA foreign_keys = OFF; CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p);
        INSERT INTO c VALUES (1), (2), (NULL)";
    Connection::open(scene.path("app.db")).unwrap().execute_batch(script).unwrap();
    let out = scene.run(&["verify", "app.db"]);
    assert!(out.stderr().contains("foreign keys that name no row: from c to p (2)"), "{out}");
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
}
