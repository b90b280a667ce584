//! What remains when a run is broken off, or the disk is full.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::{Scene, Writer, rows};
use crate::support::{lifeboat, output, report};

/// Starts a run, waits until its unfinished file is there, and ends it with `signal`. Gives its exit code.
fn broken_off(scene: &Scene, signal: &str, pause: Duration, arguments: &[&str]) -> Option<i32> {
    let mut child = lifeboat()
        .current_dir(scene.path("."))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !scene.names().iter().any(|name| name.contains(".lifeboat-")) {
        if let Some(ended) = child.try_wait().unwrap() {
            return ended.code();
        }
    }
    thread::sleep(pause);
    Command::new("kill").args(["-s", signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
    child.wait().unwrap().code()
}

#[test]
fn signals_leave_nothing_and_have_their_own_exit_codes() {
    let scene = Scene::new();
    scene.database("app.db", "wal", 20_000);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for compact in ["--no-compact", "--compact"] {
            let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db", compact];
            let ended = broken_off(&scene, signal, Duration::ZERO, &arguments);
            // A fast machine may have finished before the signal came.
            match ended {
                Some(0) => fs::remove_file(scene.path("out.db")).unwrap(),
                other => assert_eq!(other, Some(code)),
            }
            // The empty log of a reader may stay; the next one that closes the database removes it.
            let names: Vec<String> = scene.names().into_iter().filter(|name| !name.starts_with("app.db-")).collect();
            assert_eq!(names, ["app.db"]);
            assert_eq!(fs::metadata(scene.path("app.db-wal")).map_or(0, |m| m.len()), 0);
        }
    }
}

#[test]
fn killed_backup_leaves_no_file_under_the_final_name() {
    let scene = Scene::new();
    scene.database("app.db", "delete", 20_000);
    let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db"];
    for pause in [0, 1, 5, 20, 50, 100] {
        if broken_off(&scene, "KILL", Duration::from_millis(pause), &arguments) == Some(0) {
            assert_eq!(rows(&scene.path("out.db")), 20_000);
            fs::remove_file(scene.path("out.db")).unwrap();
        }
        assert!(!scene.path("out.db").exists());
    }
    let left = scene.names().iter().filter(|name| name.ends_with(".part")).count();
    let out = scene.run(&arguments);
    assert_eq!(rows(&scene.path("out.db")), 20_000);
    assert_eq!(
        out.stderr().matches("an unfinished file of a run that was killed; it was removed").count(),
        left,
        "{out}"
    );
}

fn last_of(database: &Path) -> Option<i64> {
    if !database.exists() {
        return None;
    }
    // A copy is looked at, for looking merges the log into the database.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", database.display());
        if Path::new(&from).exists() {
            fs::copy(from, format!("{}{suffix}", copy.display())).unwrap();
        }
    }
    let connection = Connection::open(copy).unwrap();
    Some(connection.query_row("SELECT max(seq) FROM transfers", [], |r| r.get(0)).unwrap())
}

#[test]
fn killed_restore_leaves_the_old_database_or_the_new_one() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 2_000);
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    let arguments = ["restore", "out.db", "--url", "sqlite:///app.db", "--force"];
    let mut olds = Vec::new();
    for pause in [0, 2, 5, 10, 15, 20, 25, 30, 40, 60] {
        Writer::start(&path).kill();
        let old = last_of(&path).unwrap();
        assert!(old > 0);
        broken_off(&scene, "KILL", Duration::from_millis(pause), &arguments);
        let (now, aside) = (last_of(&path), last_of(&scene.path("app.db.pre-restore-bak")));
        match now {
            Some(last) if last == old => {}
            Some(0) | None => assert_eq!(aside, Some(old), "after {pause} ms the old database is whole nowhere"),
            Some(other) => panic!("after {pause} ms the database ends with {other}, neither {old} nor 0"),
        }
        // And whatever the state, the next restore gets through.
        scene.run(&arguments);
        assert_eq!(last_of(&path), Some(0));
        olds.push(old);
    }
    let kept: Vec<i64> = scene
        .names()
        .iter()
        .filter(|name| name.contains("pre-restore-bak") && !name.ends_with("-wal") && !name.ends_with("-shm"))
        .filter_map(|name| last_of(&scene.path(name)))
        .collect();
    assert!(olds.iter().all(|old| kept.contains(old)), "of {olds:?} only {kept:?} were kept");
}

#[test]
fn full_disk_is_an_error_that_says_so() {
    let scene = Scene::new();
    scene.database("app.db", "delete", 2_000);
    fs::create_dir(scene.path("small")).unwrap();
    let program = env!("CARGO_BIN_EXE_lifeboat");
    let in_small_disk = |then: &str| {
        let script = format!("mount -t tmpfs -o size=1m tmpfs small && {then}; code=$?; ls -A small; exit $code");
        let mut command = Command::new("unshare");
        output(command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(scene.path(".")))
    };
    if !Command::new("unshare").args(["--map-root-user", "--mount", "true"]).status().is_ok_and(|s| s.success())
        || !in_small_disk("true").success()
    {
        report::say("NOT RUN: a full disk: this user may not mount a small one");
        return;
    }
    for arguments in [
        "backup --url sqlite:///app.db --output small/out.db",
        "backup --url sqlite:///app.db --output small/out.db --compact",
        "restore app.db --url sqlite:///small/out.db --force",
    ] {
        let out = in_small_disk(&format!("{program} {arguments}"));
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("hint: the file system of") && out.stderr().contains("small is full"), "{out}");
        assert_eq!(out.stdout(), "", "something was left: {out}");
    }
}
