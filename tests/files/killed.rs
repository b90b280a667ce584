//! What is left by a run that ends before its time, however it ends.

use std::fs;
use std::process::Command;

use rusqlite::Connection;

use super::{Sources, Waiting, Way};
use crate::sqlite::rows;
use crate::support::{REFERENCE, Running, Scene, Server, lifeboat, output};

const REMOVED: &str = "an unfinished file of a run that was killed; it was removed";

#[test]
fn a_killed_run_leaves_nothing_where_files_need_no_names() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for (way, existing) in [Way::Postgres, Way::Script].into_iter().flat_map(|way| [(way, false), (way, true)]) {
        let scene = Scene::new();
        if existing {
            fs::write(scene.path("out"), "old").unwrap();
        }
        let run = Waiting::start(&sources, way, &scene.path("."), "out", if existing { &["--force"] } else { &[] });
        assert_eq!(run.ended_by("KILL").status.code(), None);
        assert_eq!(scene.names(), if existing { vec!["out"] } else { vec![] }, "{way:?}");
        assert!(!existing || fs::read(scene.path("out")).unwrap() == b"old");
    }
}

/// SQLite opens files by their names.
#[test]
fn what_a_killed_run_left_is_removed_by_the_next_and_what_a_living_one_has_is_not() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let ways = sources.ways("out");
    for (number, next) in ways.iter().enumerate() {
        let scene = Scene::new();
        let here = scene.path(".");
        // A run removes what one before it has left, so that there is never more than one.
        for way in [Way::Sqlite, Way::Compact] {
            Waiting::start(&sources, way, &here, "out", &[]).ended_by("KILL");
            assert_eq!(scene.names().len(), 1);
        }
        fs::copy(sources.scene.path("source.db"), sources.scene.path("other.db")).unwrap();
        let living = {
            let holder = Connection::open(sources.scene.path("other.db")).unwrap();
            holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
            let url = format!("sqlite:///{}", sources.scene.path("other.db").display());
            let mut command = lifeboat();
            command.current_dir(&here).args(["backup", "--url", &url, "--output", "living"]);
            let mut living = Waiting { running: Running::start(&mut command), release: Box::new(|| drop(holder)) };
            living.wait_for_file(&here);
            living
        };
        // It has removed what was left; what it has itself is not what comes next has to remove.
        let others = scene.names();
        assert_eq!(others.len(), 1, "{others:?}");
        Waiting::start(&sources, Way::Compact, &here, "out", &[]).ended_by("KILL");
        assert_eq!(scene.names().len(), 2);
        // These are none of lifeboat's.
        for name in [".out.lifeboat-.part", ".mine.part", ".out.lifeboat-12-abcdefghijkl.part.old"] {
            fs::write(scene.path(name), "").unwrap();
        }
        fs::create_dir(scene.path(".a.lifeboat-12-abcdefghijkl.part")).unwrap();
        let out = scene.run(&next.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(out.stderr().matches(REMOVED).count(), 1, "{number}: {out}");
        for pid in out.stderr().lines().filter_map(|line| line.split(".lifeboat-").nth(1)) {
            assert!(pid.split('-').next().unwrap().parse::<u32>().is_ok(), "no process is named: {out}");
        }
        let names = scene.names();
        assert!(names.contains(&others[0]), "that of the living run was removed: {names:?}");
        assert_eq!(names.len(), 6, "{names:?}");
        let out = living.go_on();
        assert!(out.success() && out.stderr().matches(REMOVED).count() == 1, "{out}");
        assert_eq!(rows(&scene.path("living")), 2_000);
    }
}

#[test]
fn every_signal_that_ends_a_process_is_cleaned_up_after() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for (signal, code) in [("QUIT", 131), ("XCPU", 152), ("ALRM", 142), ("USR1", 138), ("USR2", 140), ("VTALRM", 154)] {
        for way in [Way::Postgres, Way::Sqlite] {
            let scene = Scene::new();
            let out = Waiting::start(&sources, way, &scene.path("."), "out", &[]).ended_by(signal);
            assert_eq!(out.code(), code, "{out}");
            assert!(out.stderr().contains(&format!("SIG{signal} asked for the end")), "{out}");
            assert_eq!(scene.names(), Vec::<String>::new(), "{out}");
        }
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_that_leaves_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    for way in sources.ways("out") {
        let scene = Scene::new();
        let mut command = Command::new("bash");
        command
            .args(["-c", "ulimit -c 0; ulimit -f 512; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_lifeboat")])
            .args(&way);
        let out = output(command.current_dir(scene.path(".")));
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("ulimit -f") && out.stderr().contains("524288 bytes"), "{out}");
        assert_eq!(scene.names(), Vec::<String>::new(), "{out}");
    }
}
