//! `lifeboat prune`, and `backup --prune-keep`: which backups go, and which never do.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use serde_json::Value;

use crate::support::{Database, Scene, Server};

/// An archive of the database, as if it had been made at noon on this day: at fixed places in the header of one that is not compressed.
fn archive(database: &Database<'_>, path: &Path, day: (i32, i32, i32)) {
    database.backup(path, &["--compress", "none", "--force"]);
    let mut bytes = fs::read(path).unwrap();
    for (at, number) in [(16, 0), (21, 0), (26, 12), (31, day.2), (36, day.1 - 1), (41, day.0 - 1900)] {
        assert_eq!(bytes[at], 0, "the sign of a number");
        bytes[at + 1..at + 5].copy_from_slice(&number.to_le_bytes());
    }
    fs::write(path, bytes).unwrap();
}

/// Seven of 2025 and 2026 in `backups`, of which some are no files.
fn fill(scene: &Scene, database: &Database<'_>) {
    fs::create_dir(scene.path("backups")).unwrap();
    for (n, day) in [(2025, 12, 30), (2025, 12, 31), (2026, 2, 1), (2026, 2, 28), (2026, 3, 1), (2026, 3, 2)]
        .into_iter()
        .enumerate()
    {
        archive(database, &scene.path("backups").join(format!("{n}.dump")), day);
    }
    database.backup(&scene.path("backups/folder"), &["--format", "directory"]);
}

fn names(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.path("backups")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn kept(found: &Value) -> Vec<String> {
    let backups = found["backups"].as_array().unwrap().iter();
    let name = |backup: &Value| backup["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    backups.filter(|backup| !backup["kept"].as_array().unwrap().is_empty()).map(name).collect()
}

#[test]
fn rules_say_what_is_kept_and_force_removes_the_rest() {
    let server = needed!(Server::newest());
    let (database, other) = (server.database("prune"), server.database("prune_other"));
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::new();
    fill(&scene, &database);
    // Of another database under a name like these; what is no backup; what cannot be read; a link; an unfinished one.
    archive(&other, &scene.path("backups/6.dump"), (2020, 1, 1));
    fs::write(scene.path("backups/notes.txt"), "x").unwrap();
    fs::write(scene.path("backups/cut.dump"), "PGDMP\u{1}\u{e}").unwrap();
    symlink("0.dump", scene.path("backups/link.dump")).unwrap();
    fs::copy(scene.path("backups/0.dump"), scene.path("backups/.hidden.dump")).unwrap();
    fs::create_dir(scene.path("backups/below")).unwrap();
    fs::copy(scene.path("backups/0.dump"), scene.path("backups/below/0.dump")).unwrap();
    let before = names(&scene);
    let url = database.url();
    let prune = |more: &[&str]| scene.run(&[&["prune", "backups", "--url", &url], more].concat());

    let out = prune(&["--keep-last", "2", "--keep-monthly", "3", "--keep-yearly", "2"]);
    let lines = out.stdout();
    for part in [
        "keep     20",
        "backups/folder (last, monthly, yearly)\n",
        "keep     2026-03-02 12:00:00",
        "backups/5.dump (last, monthly)\n",
        "backups/3.dump (monthly)\n",
        "backups/1.dump (yearly)\n",
        "remove   2026-02-01 12:00:00",
        "lifeboat: prune: backups: 4 kept, 3 to be removed (",
        ", 1 of other databases, 1 cannot be read\n",
        "lifeboat: nothing was removed: --force does it\n",
    ] {
        assert!(lines.contains(part), "{part:?} is not in {out}");
    }
    assert!(out.stderr().contains("cut.dump: it is left, for nobody knows of which database it is"), "{out}");
    assert_eq!(names(&scene), before);

    let found = prune(&["--keep-last", "2", "--keep-monthly", "3", "--keep-yearly", "2", "--force", "--json"]).json();
    assert_eq!(kept(&found), ["folder", "5.dump", "3.dump", "1.dump"], "{found}");
    assert_eq!((found["schema_version"].as_i64(), found["removed"].as_bool()), (Some(1), Some(true)), "{found}");
    let gone = ["0.dump", "2.dump", "4.dump"];
    let left: Vec<String> = before.into_iter().filter(|name| !gone.contains(&&**name)).collect();
    assert_eq!(names(&scene), left);
    assert!(scene.path("backups/below/0.dump").exists());

    // A folder is a backup like any other.
    archive(&database, &scene.path("backups/next.dump"), (2030, 1, 1));
    prune(&["--keep-last", "1", "--force"]);
    let left = names(&scene);
    assert!(left.contains(&"next.dump".to_owned()) && !left.contains(&"folder".to_owned()), "{left:?}");
}

#[test]
fn the_last_sound_backup_stays_whatever_the_rules_say() {
    let server = needed!(Server::newest());
    let database = server.database("prune_sound");
    database.sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n");
    let scene = Scene::new();
    fs::create_dir(scene.path("backups")).unwrap();
    for (n, day) in [(2026, 1, 1), (2026, 1, 2), (2026, 1, 3), (2026, 1, 4)].into_iter().enumerate() {
        archive(&database, &scene.path("backups").join(format!("{n}.dump")), day);
    }
    let cut = |name: &str| {
        let path = scene.path("backups").join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 500]).unwrap();
    };
    cut("3.dump");
    cut("2.dump");
    let url = database.url();
    let arguments = ["prune", "backups", "--url", &url, "--keep-last", "2", "--force"];
    let out = scene.run(&arguments);
    assert!(out.stdout().contains("backups/1.dump (sound)\n"), "{out}");
    assert!(out.stderr().contains("backups/3.dump: it is damaged: "), "{out}");
    assert_eq!(names(&scene), ["1.dump", "2.dump", "3.dump"]);
    cut("1.dump");
    let out = scene.lifeboat(&arguments);
    assert!(out.code() == 1 && out.stderr().contains("none of them is sound"), "{out}");
    assert_eq!(names(&scene), ["1.dump", "2.dump", "3.dump"]);
    // Nothing to remove is nothing to be careful about.
    scene.run(&["prune", "backups", "--url", &url, "--keep-last", "3", "--force"]);
}

#[test]
fn what_another_user_has_put_there_pushes_nothing_out() {
    let server = needed!(Server::newest());
    if !rustix::process::geteuid().is_root() {
        return crate::support::report::say("a backup of another user is not tried: this is not root");
    }
    let database = server.database("prune_foreign");
    let scene = Scene::new();
    fs::create_dir(scene.path("backups")).unwrap();
    archive(&database, &scene.path("backups/0.dump"), (2026, 1, 1));
    archive(&database, &scene.path("backups/planted.dump"), (2026, 1, 2));
    chown(scene.path("backups/planted.dump"), Some(12345), None).unwrap();
    let arguments = ["prune", "backups", "--url", &database.url(), "--keep-last", "1", "--force"];
    let out = scene.run(&arguments);
    assert!(out.stderr().contains("planted.dump: it is left, and counts for nothing: it is another user's"), "{out}");
    assert_eq!(names(&scene), ["0.dump", "planted.dump"]);
    // Unless the folder is theirs.
    chown(scene.path("backups"), Some(12345), None).unwrap();
    scene.run(&arguments);
    assert_eq!(names(&scene), ["planted.dump"]);
}

#[test]
fn a_backup_removes_older_ones_when_it_is_complete() {
    let server = needed!(Server::newest());
    let database = server.database("prune_keep");
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::new();
    let url = database.url();
    let backup =
        |name: &str| scene.run(&["backup", "--url", &url, "--output", name, "--prune-keep", "last=2", "--sha256"]);
    let out = backup("backups/a.dump");
    assert!(out.stdout().contains("\npruned: 0 older backups (0 bytes)\n"), "{out}");
    for (name, day) in [("a", (2026, 1, 1)), ("b", (2026, 1, 2)), ("c", (2026, 1, 3))] {
        archive(&database, &scene.path("backups").join(format!("{name}.dump")), day);
    }
    // One with a checksum that is another file's: it stays.
    fs::copy(scene.path("backups/a.dump.sha256"), scene.path("backups/b.dump.sha256")).unwrap();
    let out = backup("backups/d.dump");
    assert!(out.stdout().contains("\npruned: 2 older backups ("), "{out}");
    assert!(out.stdout().lines().last().unwrap().contains("off-host"), "{out}");
    assert_eq!(names(&scene), ["b.dump.sha256", "c.dump", "d.dump", "d.dump.sha256"]);
    let found =
        scene.run(&["backup", "--url", &url, "--output", "backups/e.dump", "--prune-keep", "last=2", "--json"]).json();
    assert_eq!(found["pruned"]["backups"], 1, "{found}");

    for (says, more) in [
        ("no archive under a name", &["--output", "x.sql", "--format", "plain"][..]),
        ("no archive under a name", &["--output", "-"]),
    ] {
        scene.fails(2, says, &[&["backup", "--url", &url, "--prune-keep", "last=1"], more].concat());
    }
    for wrong in ["last=0", "often=3", "7"] {
        let out = scene.lifeboat(&["backup", "--url", &url, "--output", "backups/f.dump", "--prune-keep", wrong]);
        assert_eq!(out.code(), 2, "{out}");
    }
    assert!(!scene.path("backups/f.dump").exists());
    // A backup that fails removes nothing.
    let before = names(&scene);
    let none = database.url().replace(database.name(), "none");
    assert_eq!(
        scene.lifeboat(&["backup", "--url", &none, "--output", "backups/g.dump", "--prune-keep", "last=1"]).code(),
        1
    );
    assert_eq!(names(&scene), before);
}

#[test]
fn sqlite_backups_are_known_by_content_and_name() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 20);
    let url = format!("sqlite:///{}", path.display());
    fs::create_dir(scene.path("backups")).unwrap();
    let made = |name: &str, seconds: u64| {
        let to = format!("backups/{name}");
        scene.run(&["backup", "--url", &url, "--output", &to]);
        let file = fs::File::options().write(true).open(scene.path(&to)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
    };
    made("app-1.db", 1000);
    made("app-2.db", 2000);
    made("tenant.db", 500);
    made("app.db.pre-restore-bak", 400);
    made("app-live.db", 300);
    rusqlite::Connection::open(scene.path("backups/app-other.db"))
        .unwrap()
        .execute_batch("CREATE TABLE x (a)")
        .unwrap();
    let live = rusqlite::Connection::open(scene.path("backups/app-live.db")).unwrap();
    live.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
    let before = names(&scene);
    let out = scene.run(&["prune", "backups", "--url", &url, "--keep-last", "1", "--force"]);
    assert!(out.stdout().contains("1 kept, 1 removed ("), "{out}");
    let left: Vec<String> = before.into_iter().filter(|name| name != "app-1.db").collect();
    assert_eq!(names(&scene), left);
    drop(live);

    // The database itself is never one, wherever it is; a new backup that is not known again removes nothing.
    fs::copy(scene.path("backups/app-2.db"), scene.path("app-old.db")).unwrap();
    scene.run(&["prune", ".", "--url", &url, "--keep-last", "1", "--force"]);
    assert!(path.exists() && scene.path("app-old.db").exists());
    let out = scene.lifeboat(&["backup", "--url", &url, "--output", "backups/x.db", "--prune-keep", "last=1"]);
    assert!(out.code() == 4 && out.stderr().contains("is not known there as one of this database"), "{out}");
    assert!(scene.path("backups/x.db").exists() && scene.path("backups/app-2.db").exists());
}

#[test]
fn nonsense_is_a_usage_error() {
    let scene = Scene::new();
    let url = "postgresql://u@127.0.0.1:1/app";
    scene.fails(2, "nothing says which are to be kept", &["prune", ".", "--url", url]);
    scene.fails(2, "nothing says which are to be kept", &["prune", ".", "--url", url, "--keep-last", "0"]);
    scene.fails(1, "missing", &["prune", "missing", "--url", url, "--keep-last", "1"]);
    assert_eq!(scene.lifeboat(&["prune", "--url", url, "--keep-last", "1"]).code(), 2);
    assert_eq!(scene.lifeboat(&["prune", ".", "--url", url, "--keep-last", "-1"]).code(), 2);
    // No server is asked.
    let out = scene.run(&["prune", ".", "--url", url, "--keep-last", "1"]);
    assert_eq!(out.stdout(), "lifeboat: prune: .: 0 kept, 0 to be removed (0 bytes)\n");
}
