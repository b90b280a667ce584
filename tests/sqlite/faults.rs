//! What remains when a run is broken off, or the disk is full.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use super::traced::{Stopped, with_fault};
use super::{Writer, rows};
use crate::support::{Scene, machine, output};

#[test]
fn signals_leave_nothing_and_have_their_own_exit_codes() {
    needed!(machine::strace());
    let scene = Scene::new();
    scene.database("app.db", "wal", 20_000);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for compact in ["--no-compact", "--compact"] {
            let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db", compact];
            // It comes when some of the rows are written.
            let stopped = Stopped::at(&scene, "pwrite64:when=20", &arguments);
            assert!(scene.names().iter().any(|name| name.contains(".lifeboat-")), "{:?}", scene.names());
            stopped.send(signal);
            let out = stopped.go_on();
            assert_eq!(out.code(), code, "{out}");
            // The empty log of a reader may stay; the next one that closes the database removes it.
            let names: Vec<String> = scene.names().into_iter().filter(|name| !name.starts_with("app.db-")).collect();
            assert_eq!(names, ["app.db"]);
            assert_eq!(fs::metadata(scene.path("app.db-wal")).map_or(0, |m| m.len()), 0);
        }
    }
}

#[test]
fn killed_backup_leaves_no_file_under_the_final_name() {
    needed!(machine::strace());
    let scene = Scene::new();
    scene.database("app.db", "delete", 2_000);
    let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db"];
    for call in ["pwrite64:signal=KILL:when=1", "pwrite64:signal=KILL:when=1000", "fsync:signal=KILL:when=1"] {
        let out = with_fault(&scene, call, &arguments);
        assert!(!out.success() && !scene.path("out.db").exists(), "{call}: {out}");
    }
    let left = scene.names().iter().filter(|name| name.ends_with(".part")).count();
    assert!(left > 0, "{:?}", scene.names());
    let out = scene.run(&arguments);
    assert_eq!(rows(&scene.path("out.db")), 2_000);
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
    needed!(machine::strace());
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 2_000);
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    let arguments = ["restore", "out.db", "--url", "sqlite:///app.db", "--force"];
    let mut olds = Vec::new();
    // Before and after each of the steps.
    for (call, times) in
        [("pwrite64", &[1, 10][..]), ("fsync", &[1, 3, 5]), ("linkat", &[1, 2]), ("rename", &[1, 2, 3])]
    {
        for when in times {
            Writer::start(&path).kill();
            let old = last_of(&path).unwrap();
            assert!(old > 0);
            let told = format!("killed at {call} {when}");
            let out = with_fault(&scene, &format!("{call}:signal=KILL:when={when}"), &arguments);
            assert!(!out.success(), "{told}: {out}");
            let (now, aside) = (last_of(&path), last_of(&scene.path("app.db.pre-restore-bak")));
            match now {
                Some(last) if last == old => {}
                Some(0) | None => assert_eq!(aside, Some(old), "{told}: the old database is whole nowhere"),
                Some(other) => panic!("{told}: the database ends with {other}, neither {old} nor 0"),
            }
            // And whatever the state, the next restore gets through.
            scene.run(&arguments);
            assert_eq!(last_of(&path), Some(0));
            olds.push(old);
        }
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
    needed!(machine::mounts());
    let scene = Scene::new();
    scene.database("app.db", "delete", 2_000);
    fs::create_dir(scene.path("small")).unwrap();
    let program = env!("CARGO_BIN_EXE_lifeboat");
    let in_small_disk = |then: &str| {
        let script = format!("mount -t tmpfs -o size=1m tmpfs small && {then}; code=$?; ls -A small; exit $code");
        let mut command = Command::new("unshare");
        output(command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(scene.path(".")))
    };
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
