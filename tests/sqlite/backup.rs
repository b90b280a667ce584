use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use rusqlite::Connection;

use super::rows;
use crate::support::Scene;

#[test]
fn report_is_the_promised_one() {
    let scene = Scene::new();
    scene.database("app.db", "wal", 100);
    let out = scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    let size = fs::metadata(scene.path("out.db")).unwrap().len();
    let mebibytes = (size * 100).div_ceil(1 << 20);
    let folder = fs::canonicalize(scene.path(".")).unwrap();
    let expected = format!(
        "lifeboat: backup complete\nbackend: sqlite\noutput: {}\nsize: {}.{:02} MiB\n\
         lifeboat: move this file off-host (scp, rclone, S3, ...) for true disaster recovery.\n",
        folder.join("out.db").display(),
        mebibytes / 100,
        mebibytes % 100
    );
    assert_eq!(out.stdout(), expected);
    assert_eq!(out.stderr(), "", "a log gets nothing but the report");
}

#[test]
fn file_needs_nothing_beside_it() {
    for mode in ["wal", "delete", "truncate", "persist"] {
        for compact in [&[][..], &["--compact"]] {
            let scene = Scene::new();
            scene.database("app.db", mode, 200);
            let mut arguments = vec!["backup", "--url", "sqlite:///app.db", "--output", "out.db"];
            arguments.extend(compact);
            scene.run(&arguments);
            let out = scene.path("out.db");
            assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
            let alone = tempfile::tempdir().unwrap();
            let moved = alone.path().join("x");
            fs::rename(&out, &moved).unwrap();
            // A database in WAL mode could not even be read here.
            fs::set_permissions(alone.path(), fs::Permissions::from_mode(0o500)).unwrap();
            assert_eq!(rows(&moved), 200, "{mode} {compact:?}");
            let names: Vec<_> = fs::read_dir(alone.path()).unwrap().collect();
            fs::set_permissions(alone.path(), fs::Permissions::from_mode(0o700)).unwrap();
            assert_eq!(names.len(), 1, "{mode} {compact:?}");
            assert_eq!(fs::read(&moved).unwrap()[18..20], [1, 1]);
        }
    }
}

#[test]
fn rows_still_in_the_log_are_saved_and_the_database_stays_as_it_is() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 10);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO documents VALUES (1, 'late', 'x')").unwrap();
    let before = (fs::read(&path).unwrap(), fs::read(scene.path("app.db-wal")).unwrap());
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    assert_eq!((fs::read(&path).unwrap(), fs::read(scene.path("app.db-wal")).unwrap()), before);
    assert_eq!(rows(&scene.path("out.db")), 11);
}

#[test]
fn log_of_a_crashed_application_is_read_and_left_alone() {
    let scene = Scene::new();
    let path = scene.database("live.db", "wal", 10);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO documents VALUES (1, 'late', 'x')").unwrap();
    for name in ["", "-wal"] {
        fs::copy(scene.path(&format!("live.db{name}")), scene.path(&format!("app.db{name}"))).unwrap();
    }
    let before = (fs::read(scene.path("app.db")).unwrap(), fs::read(scene.path("app.db-wal")).unwrap());
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    let after = (fs::read(scene.path("app.db")).unwrap(), fs::read(scene.path("app.db-wal")).unwrap());
    assert!(before == after, "the backup changed the database that it read");
    assert_eq!(rows(&scene.path("out.db")), 11);
}

#[test]
fn compacting_drops_what_was_deleted() {
    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 500);
    Connection::open(path).unwrap().execute_batch("DELETE FROM documents WHERE seq < -50").unwrap();
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "plain.db", "--compact", "--no-compact"]);
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "compact.db", "--no-compact", "--compact"]);
    let size = |name: &str| fs::metadata(scene.path(name)).unwrap().len();
    assert!(size("compact.db") * 3 < size("plain.db"));
    assert_eq!((rows(&scene.path("plain.db")), rows(&scene.path("compact.db"))), (50, 50));
}

#[test]
fn page_sizes_encodings_and_numbers_are_kept() {
    let scene = Scene::new();
    for (size, encoding) in [(512, "UTF-16le"), (65_536, "UTF-8"), (8192, "UTF-16be")] {
        let name = format!("{size}.db");
        Connection::open(scene.path(&name))
            .unwrap()
            .execute_batch(&format!(
                "PRAGMA page_size = {size}; PRAGMA auto_vacuum = 2; PRAGMA encoding = '{encoding}'; PRAGMA user_version = 77;
                 PRAGMA application_id = 1234; CREATE TABLE t(a); INSERT INTO t VALUES ('é☃')"
            ))
            .unwrap();
        let saved = format!("{size}.out");
        scene.run(&["backup", "--url", &format!("sqlite:///{name}"), "--output", &saved]);
        let connection = Connection::open(scene.path(&saved)).unwrap();
        let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, i64>(0)).unwrap();
        assert_eq!((number("page_size"), number("user_version")), (size, 77));
        assert_eq!((number("application_id"), number("auto_vacuum")), (1234, 2));
        let (text, found): (String, String) = connection
            .query_row("SELECT a, (SELECT encoding FROM pragma_encoding) FROM t", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!((text.as_str(), found.as_str()), ("é☃", encoding));
    }
}

#[test]
fn full_text_and_spatial_tables_pass_the_check() {
    let scene = Scene::new();
    Connection::open(scene.path("app.db"))
        .unwrap()
        .execute_batch(
            "CREATE VIRTUAL TABLE f5 USING fts5(x); INSERT INTO f5 VALUES ('a lifeboat');
             CREATE VIRTUAL TABLE f4 USING fts4(x); INSERT INTO f4 VALUES ('a lifeboat');
             CREATE VIRTUAL TABLE r USING rtree(id, a, b); INSERT INTO r VALUES (1, 2, 3);",
        )
        .unwrap();
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    let connection = Connection::open(scene.path("out.db")).unwrap();
    let found: i64 =
        connection.query_row("SELECT count(*) FROM f5 WHERE f5 MATCH 'lifeboat'", [], |r| r.get(0)).unwrap();
    assert_eq!(found, 1);
}

#[test]
fn collations_of_the_application_are_no_hindrance_but_are_told() {
    let scene = Scene::new();
    let connection = Connection::open(scene.path("app.db")).unwrap();
    connection.create_collation("mine", |a, b| b.cmp(a)).unwrap();
    connection
        .execute_batch("CREATE TABLE t(a TEXT COLLATE mine PRIMARY KEY); INSERT INTO t VALUES ('a'), ('b'), ('c')")
        .unwrap();
    drop(connection);
    let out = scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    assert!(out.stderr().contains("lifeboat: warning: t: checked without its indexes"), "{out}");
    let out = scene.fails(1, "collation", &["backup", "--url", "sqlite:///app.db", "-o", "b", "--compact"]);
    assert!(out.stderr().contains("leave out --compact"), "{out}");
    assert_eq!(scene.names(), ["app.db", "out.db"]);
}

#[test]
fn existing_output_stays() {
    let scene = Scene::new();
    scene.database("app.db", "delete", 3);
    fs::write(scene.path("out.db"), "precious").unwrap();
    scene.fails(4, "exists already", &["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    assert_eq!(fs::read(scene.path("out.db")).unwrap(), b"precious");
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db", "--force"]);
    assert_eq!(rows(&scene.path("out.db")), 3);
}

#[test]
fn stale_log_beside_the_output_cannot_poison_it() {
    let scene = Scene::new();
    scene.database("app.db", "delete", 3);
    fs::write(scene.path("out.db-wal"), "stale").unwrap();
    scene.fails(4, "out.db-wal", &["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    assert_eq!(scene.names(), ["app.db", "out.db-wal"]);
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db", "--force"]);
    assert_eq!(scene.names(), ["app.db", "out.db"]);
}

#[test]
fn output_is_never_the_database() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 3);
    symlink("app.db", scene.path("link.db")).unwrap();
    fs::hard_link(&path, scene.path("hard.db")).unwrap();
    let before = fs::read(&path).unwrap();
    for output in ["app.db", "./app.db", "link.db", "hard.db", "app.db-wal", "app.db-journal", "app.db-shm"] {
        for url in ["sqlite:///app.db", "sqlite:///link.db"] {
            let arguments = ["backup", "--url", url, "--output", output, "--force"];
            scene.fails(2, "a file of the database itself", &arguments);
        }
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(scene.names(), ["app.db", "hard.db", "link.db"]);
}

#[test]
fn what_cannot_be_backed_up_leaves_nothing() {
    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 300);
    let whole = fs::read(&path).unwrap();
    fs::write(scene.path("cut.db"), &whole[..whole.len() / 2]).unwrap();
    let mut noisy = whole.clone();
    noisy[40_960..61_440].fill(0xa5);
    fs::write(scene.path("noisy.db"), &noisy).unwrap();
    fs::write(scene.path("text.db"), "once upon a time ".repeat(20)).unwrap();
    fs::write(scene.path("empty.db"), "").unwrap();
    fs::create_dir(scene.path("folder.db")).unwrap();
    let before = scene.names();
    for (name, says) in [
        ("missing.db", "there is no file missing.db"),
        ("cut.db", "malformed"),
        ("noisy.db", "it is damaged"),
        ("text.db", "not an SQLite database"),
        ("empty.db", "empty"),
        ("folder.db", "a folder"),
    ] {
        for compact in ["--compact", "--no-compact"] {
            // VACUUM INTO meets the damage itself.
            let says = if (name, compact) == ("noisy.db", "--compact") { "malformed" } else { says };
            scene.fails(1, says, &["backup", "--url", &format!("sqlite:///{name}"), "--output", "out.db", compact]);
            assert_eq!(scene.names(), before, "{name}");
        }
    }
    for (output, code, says) in [
        ("cut.db/such/out.db", 1, "could not write to cut.db/such/out.db"),
        (".", 2, "no file"),
        ("..", 2, "no file"),
        ("/", 2, "no file"),
        ("-", 2, "standard output"),
    ] {
        scene.fails(code, says, &["backup", "--url", "sqlite:///app.db", "--output", output]);
    }
    assert_eq!(scene.names(), before);
}

#[test]
fn names_that_hurt() {
    let scene = Scene::new();
    for name in ["file:app.db", "sp ace.db", "qu'ote\".db", "ünï.db", "-dash.db", "a\nb.db"] {
        scene.database(name, "wal", 2);
        let saved = format!("./saved {name}");
        let url = format!("sqlite:///{}", scene.path(name).to_str().unwrap().replace("file:", "%66ile:"));
        for compact in ["--no-compact", "--compact"] {
            scene.run(&["backup", "--url", &url, "--output", &saved, "--force", compact]);
            assert_eq!(rows(&scene.path(&saved)), 2, "{name}");
        }
        scene.run(&["restore", &saved, "--url", &url, "--force"]);
    }
}
