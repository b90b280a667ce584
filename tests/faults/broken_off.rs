//! A backup that does not get to its end.

use std::process::Command;

use super::{assert_failed, fill, halted, start};
use crate::support::{REFERENCE, Scene, Server, machine, output};

const ROWS: u32 = 600_000;

#[test]
fn killed_backup_leaves_no_file_under_the_final_name() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("killed");
    fill(&database, ROWS);
    let scene = Scene::new();
    for more in [&["--jobs", "1"][..], &["--compress", "none"], &["--jobs", "2", "--compress", "zstd:1"]] {
        let mut running = halted(&scene, &database, more);
        running.signal("KILL");
        assert_eq!(running.child.wait().unwrap().code(), None);
        assert!(!scene.path("out.dump").exists());
    }
    scene.run(&["backup", "--url", &database.url(), "--output", "out.dump"]);
    let restored = server.database("killed");
    restored.restore(&scene.path("out.dump"), &[]);
    assert_eq!(restored.sql("SELECT count(*) FROM filled"), ROWS.to_string());
}

#[test]
fn interrupted_backup_leaves_nothing_and_has_its_own_exit_code() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("interrupted");
    fill(&database, ROWS);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let scene = Scene::new();
        let running = halted(&scene, &database, &[]);
        running.signal(signal);
        running.signal("CONT");
        let out = running.end();
        assert_eq!(out.code(), code, "{out}");
        assert_eq!(scene.names(), Vec::<String>::new(), "{out}");
    }
}

#[test]
fn lost_server_is_an_error_and_no_file() {
    for server in Server::all() {
        let database = server.database("lost");
        fill(&database, ROWS);
        for more in [&[][..], &["--jobs", "2"]] {
            let scene = Scene::new();
            let running = halted(&scene, &database, more);
            let sql = format!(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}'",
                database.name()
            );
            assert_ne!(server.sql("postgres", &sql), "0");
            running.signal("CONT");
            let out = running.end();
            assert_failed(&scene, &out, "could not copy data out of the server");
            // The server says why, if the connection lets that through before it breaks.
            let whys = ["terminating connection due to administrator command", "the server closed the connection"];
            assert!(whys.iter().any(|why| out.stderr().contains(why)), "{out}");
        }
    }
}

/// Whatever the other connections are doing, and have to be stopped at.
#[test]
fn rows_that_cannot_be_read_are_an_error_that_names_their_table() {
    for server in Server::all() {
        let database = server.database("unreadable");
        database.sql(
            "CREATE TYPE mood AS ENUM ('good', 'bad');
            CREATE TABLE a AS SELECT 1 AS n;
            CREATE TABLE b AS SELECT n, (CASE n WHEN 20000 THEN 'bad' ELSE 'good' END)::mood AS mood
                FROM generate_series(1, 20000) n;
            CREATE TABLE c AS SELECT n, md5(n::text) FROM generate_series(1, 200000) n;
            SET allow_system_table_mods = on;
            DELETE FROM pg_enum WHERE enumlabel = 'bad'",
        );
        for jobs in ["1", "2", "3"] {
            let scene = Scene::new();
            let running = start(&scene, &database, &["--jobs", jobs]);
            let out = running.end();
            assert_failed(&scene, &out, "could not copy the rows of table \"public\".\"b\"");
            assert!(out.stderr().contains("invalid internal value for enum"), "{out}");
        }
    }
}

#[test]
fn full_disk_is_an_error_that_says_so() {
    needed!(machine::mounts());
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("full");
    fill(&database, 200_000);
    let scene = Scene::new();
    std::fs::create_dir(scene.path("small")).unwrap();
    let in_small_disk = |then: &str| {
        let script = format!("mount -t tmpfs -o size=1m tmpfs small && {then}; code=$?; ls -A small; exit $code");
        let mut command = Command::new("unshare");
        output(command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(scene.path(".")))
    };
    let url = database.url();
    for more in ["", "--compress none", "--compress lz4 --jobs 2"] {
        let program = env!("CARGO_BIN_EXE_lifeboat");
        let out = in_small_disk(&format!("{program} backup --url {url} --output small/out.dump {more}"));
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("small is full"), "{out}");
        assert_eq!(out.stdout(), "", "something was left: {out}");
    }
}
