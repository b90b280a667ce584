use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use rusqlite::Connection;
use serde_json::Value;

use super::{Writer, rows};
use crate::support::Scene;

/// A scene with a database of 10 rows and its backup of 4.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.database("small.db", "delete", 4);
    scene.run(&["backup", "--url", "sqlite:///small.db", "--output", "out.db"]);
    fs::remove_file(scene.path("small.db")).unwrap();
    scene.database("app.db", "delete", 10);
    scene
}

const FORCE: [&str; 5] = ["restore", "out.db", "--url", "sqlite:///app.db", "--force"];

#[test]
fn without_force_it_says_what_it_would_replace() {
    let scene = scene();
    let size = fs::metadata(scene.path("app.db")).unwrap().len();
    fs::write(scene.path("app.db-wal"), "stale").unwrap();
    let out = scene.fails(4, "this would replace ", &["restore", "out.db", "--url", "sqlite:///app.db"]);
    assert!(out.stderr().contains(&format!("({size} bytes)")), "{out}");
    assert!(out.stderr().contains("app.db-wal (5 bytes)"), "{out}");
    assert_eq!(scene.names(), ["app.db", "app.db-wal", "out.db"]);
    scene.fails(4, "would create", &["restore", "out.db", "--url", "sqlite:///new.db"]);
    assert_eq!(scene.names(), ["app.db", "app.db-wal", "out.db"]);
}

#[test]
fn dry_run_says_what_it_would_replace_and_changes_nothing() {
    let scene = scene();
    fs::write(scene.path("app.db-wal"), "stale").unwrap();
    let out = scene.run(&["restore", "out.db", "--url", "sqlite:///app.db", "--dry-run", "--force"]).stdout();
    assert!(out.starts_with("lifeboat: dry run: nothing was changed\n"), "{out}");
    assert!(out.contains("app.db-wal (5 bytes)"), "{out}");
    let out = scene.run(&["restore", "out.db", "--url", "sqlite:///new.db", "--dry-run", "--json"]);
    let answer = out.json();
    assert_eq!((&answer["dry_run"], &answer["would_replace"]), (&Value::Bool(true), &Value::Array(Vec::new())));
    assert_eq!(scene.names(), ["app.db", "app.db-wal", "out.db"]);
    assert_eq!(rows(&scene.path("app.db")), 10);
    // What a restore refuses before it begins is refused here.
    fs::write(scene.path("short.db"), &fs::read(scene.path("out.db")).unwrap()[..4096]).unwrap();
    scene.fails(1, "short.db", &["restore", "short.db", "--url", "sqlite:///app.db", "--dry-run"]);
}

#[test]
fn previous_database_is_kept_beside() {
    let scene = scene();
    let before = fs::read(scene.path("app.db")).unwrap();
    let out = scene.run(&FORCE);
    assert!(out.stdout().starts_with("lifeboat: restore complete\nbackend: sqlite\n"), "{out}");
    assert!(out.stdout().contains("app.db.pre-restore-bak\n"), "{out}");
    assert_eq!(rows(&scene.path("app.db")), 4);
    assert_eq!(fs::read(scene.path("app.db.pre-restore-bak")).unwrap(), before);
    assert_eq!(scene.names(), ["app.db", "app.db.pre-restore-bak", "out.db"]);
}

#[test]
fn earlier_previous_databases_are_not_lost() {
    let scene = scene();
    for _ in 0..3 {
        scene.run(&FORCE);
    }
    assert_eq!(rows(&scene.path("app.db.pre-restore-bak.1")), 10);
    assert_eq!(rows(&scene.path("app.db.pre-restore-bak.2")), 4);
    assert_eq!(rows(&scene.path("app.db.pre-restore-bak")), 4);
    let out = scene.run(&[&FORCE[..], &["--json"]].concat());
    let answer = out.json();
    assert!(answer["earlier"][0]["to"].as_str().unwrap().ends_with("app.db.pre-restore-bak.3"), "{answer}");
}

#[test]
fn previous_database_can_be_the_backup() {
    let scene = scene();
    scene.run(&FORCE);
    scene.run(&["restore", "app.db.pre-restore-bak", "--url", "sqlite:///app.db", "--force"]);
    assert_eq!(rows(&scene.path("app.db")), 10);
    assert_eq!(rows(&scene.path("app.db.pre-restore-bak")), 4);
    assert_eq!(rows(&scene.path("app.db.pre-restore-bak.1")), 10);
}

#[test]
fn log_of_a_killed_application_goes_aside_with_its_database() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 4);
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    Writer::start(&path).kill();
    assert!(fs::metadata(scene.path("app.db-wal")).unwrap().len() > 0);
    scene.run(&FORCE);
    let expected =
        ["app.db", "app.db.pre-restore-bak", "app.db.pre-restore-bak-shm", "app.db.pre-restore-bak-wal", "out.db"];
    assert_eq!(scene.names(), expected);
    // What the application had committed is in the set that was moved, log included.
    let previous = Connection::open(scene.path("app.db.pre-restore-bak")).unwrap();
    let last: i64 = previous.query_row("SELECT max(seq) FROM transfers", [], |r| r.get(0)).unwrap();
    assert!(last >= 20);
    let restored = Connection::open(&path).unwrap();
    let mode: String = restored.query_row("PRAGMA journal_mode", [], |r| r.get(0)).unwrap();
    assert_eq!(mode, "wal", "the application's choice is kept");
    let last: i64 = restored.query_row("SELECT max(seq) FROM transfers", [], |r| r.get(0)).unwrap();
    assert_eq!(last, 0, "nothing of the old log is in the restored database");
}

#[test]
fn hot_journal_goes_aside_with_its_database() {
    let scene = scene();
    fs::write(scene.path("app.db-journal"), "a journal that would be rolled back").unwrap();
    scene.run(&FORCE);
    assert_eq!(rows(&scene.path("app.db")), 4);
    let kept = fs::read(scene.path("app.db.pre-restore-bak-journal")).unwrap();
    assert_eq!(kept, b"a journal that would be rolled back");
    assert!(!scene.path("app.db-journal").exists());
}

#[test]
fn leftovers_without_a_database_go_aside() {
    let scene = scene();
    fs::remove_file(scene.path("app.db")).unwrap();
    fs::write(scene.path("app.db-wal"), "stale").unwrap();
    scene.run(&FORCE);
    assert_eq!(scene.names(), ["app.db", "app.db.pre-restore-bak-wal", "out.db"]);
    assert_eq!(rows(&scene.path("app.db")), 4);
}

#[test]
fn damaged_database_is_replaced_and_kept_as_it_is() {
    for damaged in [&b""[..], b"no database at all", &[0xff; 10_000]] {
        let scene = scene();
        fs::write(scene.path("app.db"), damaged).unwrap();
        scene.run(&FORCE);
        assert_eq!(rows(&scene.path("app.db")), 4);
        assert_eq!(fs::read(scene.path("app.db.pre-restore-bak")).unwrap(), damaged);
    }
}

#[test]
fn unsound_backups_change_nothing() {
    let scene = scene();
    let whole = fs::read(scene.path("out.db")).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(scene.path(name), bytes).unwrap();
    put("half", &whole[..whole.len() / 2]);
    put("one-byte-less", &whole[..whole.len() - 1]);
    put("header-only", &whole[..100]);
    put("short", &whole[..50]);
    put("empty", b"");
    put("text", "once upon a time ".repeat(20).as_bytes());
    put("archive", &[&b"PGDMP\x01\x0e\x00"[..], &[0; 200]].concat());
    put("gz", &[&[0x1f, 0x8b, 8][..], &[0; 200]].concat());
    let mut noisy = whole.clone();
    let at = whole.len() / 2;
    noisy[at..at + 4096].fill(0x5a);
    put("noisy", &noisy);
    // A page of rows zeroed: the header and the length are right.
    let mut hole = whole.clone();
    hole[8192..12_288].fill(0);
    put("hole", &hole);
    put("with-log", &whole);
    put("with-log-wal", b"rows that are not in the file");
    let before = scene.names();
    let database = fs::read(scene.path("app.db")).unwrap();
    for (name, says) in [
        ("half", "cut off"),
        ("one-byte-less", "cut off"),
        ("header-only", "cut off"),
        ("short", "too short"),
        ("empty", "empty"),
        ("text", "not an SQLite database"),
        ("archive", "archive of a PostgreSQL database"),
        ("gz", "compressed"),
        ("noisy", "damaged"),
        ("hole", "damaged"),
        ("with-log", "with-log-wal belongs to it"),
        ("missing", "there is no file missing"),
        (".", "a folder"),
    ] {
        scene.fails(1, says, &["restore", name, "--url", "sqlite:///app.db", "--force"]);
        assert_eq!(scene.names(), before, "{name}");
        assert_eq!(fs::read(scene.path("app.db")).unwrap(), database, "{name}");
    }
}

#[test]
fn database_cannot_be_restored_from_itself() {
    let scene = scene();
    scene.fails(2, "same file", &["restore", "app.db", "--url", "sqlite:///app.db", "--force"]);
    symlink("app.db", scene.path("link.db")).unwrap();
    scene.fails(2, "same file", &["restore", "link.db", "--url", "sqlite:///app.db", "--force"]);
    assert_eq!(rows(&scene.path("app.db")), 10);
}

#[test]
fn link_to_the_database_is_followed() {
    let scene = scene();
    fs::create_dir(scene.path("data")).unwrap();
    fs::rename(scene.path("app.db"), scene.path("data/real.db")).unwrap();
    symlink("data/real.db", scene.path("app.db")).unwrap();
    scene.run(&FORCE);
    assert!(fs::symlink_metadata(scene.path("app.db")).unwrap().file_type().is_symlink());
    assert_eq!(rows(&scene.path("data/real.db")), 4);
    assert_eq!(rows(&scene.path("data/real.db.pre-restore-bak")), 10);
}

#[test]
fn permissions_are_those_of_the_previous_database() {
    let scene = scene();
    fs::set_permissions(scene.path("app.db"), fs::Permissions::from_mode(0o664)).unwrap();
    scene.run(&FORCE);
    assert_eq!(fs::metadata(scene.path("app.db")).unwrap().permissions().mode() & 0o7777, 0o664);
    scene.run(&["restore", "out.db", "--url", "sqlite:///new.db", "--force"]);
    assert_eq!(fs::metadata(scene.path("new.db")).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn places_that_cannot_hold_a_database() {
    let scene = scene();
    fs::create_dir(scene.path("folder.db")).unwrap();
    for (name, code, says) in [("folder.db", 2, "folder"), ("no/such/app.db", 1, "there is no folder")] {
        scene.fails(code, says, &["restore", "out.db", "--url", &format!("sqlite:///{name}"), "--force"]);
    }
}
