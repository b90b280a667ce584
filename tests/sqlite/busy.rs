//! Backups while another process writes.

use std::fs;

use rusqlite::Connection;

use super::{Writer, rows};
use crate::support::Scene;

/// Both tables get a row in each transaction, so a snapshot has as many of the one as of the other.
fn is_one_moment(path: &std::path::Path, before: i64) {
    let connection = Connection::open(path).unwrap();
    let (transfers, documents, last): (i64, i64, i64) = connection
        .query_row(
            "SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM documents WHERE seq > 0),
                    (SELECT max(seq) FROM transfers)",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .unwrap();
    assert_eq!(transfers, documents + 1, "half a transaction");
    assert_eq!(last, documents, "a transaction is missing in between");
    assert!(last >= before, "{before} was committed before the backup began, the backup ends with {last}");
}

fn backed_up_under_fire(mode: &str, rows_before: i64) {
    let scene = Scene::new();
    let path = scene.database("app.db", mode, rows_before);
    let writer = Writer::start(&path);
    let mut before = 0;
    for (round, compact) in ["--no-compact", "--compact", "--no-compact"].into_iter().enumerate() {
        let last: i64 = {
            let connection = Connection::open(&path).unwrap();
            connection.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
            connection.query_row("SELECT max(seq) FROM transfers", [], |r| r.get(0)).unwrap()
        };
        assert!(last > before, "the writer has stopped");
        before = last;
        let saved = format!("{round}.db");
        scene.run(&["backup", "--url", "sqlite:///app.db", "--output", &saved, compact]);
        is_one_moment(&scene.path(&saved), last);
        rows(&scene.path(&saved));
    }
    writer.kill();
}

tests! { backed_up_under_fire:
    one_moment_of_a_database_in_wal_mode("wal", 5_000)
    one_moment_of_a_database_with_a_rollback_journal("delete", 5_000)
}

#[test]
fn writers_are_not_stopped_in_wal_mode() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 10);
    // A transaction that is open all the while stops no backup either.
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO documents VALUES (1, 'uncommitted', 'x')").unwrap();
    scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
    connection.execute_batch("COMMIT").unwrap();
    assert_eq!(rows(&scene.path("out.db")), 10);
}

#[test]
fn lock_that_does_not_go_away_is_an_error_that_says_so() {
    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 10);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let arguments = ["backup", "--url", "sqlite:///app.db", "--output", "out.db", "--lock-wait-timeout", "50"];
    scene.fails(4, "locked", &arguments);
    drop(connection);
    assert_eq!(scene.names(), ["app.db"]);
    scene.run(&arguments);
}

#[test]
fn restore_is_refused_while_the_database_is_in_use() {
    for mode in ["wal", "delete"] {
        let scene = Scene::new();
        let path = scene.database("app.db", mode, 10);
        scene.run(&["backup", "--url", "sqlite:///app.db", "--output", "out.db"]);
        let writer = Writer::start(&path);
        let pid = format!("(pid {})", writer.pid());
        scene.fails(4, "in use", &["restore", "out.db", "--url", "sqlite:///app.db", "--force"]);
        let out = scene.lifeboat(&["restore", "out.db", "--url", "sqlite:///app.db", "--force", "--json"]);
        let answer = out.json();
        assert_eq!((answer["ok"].as_bool(), answer["exit_code"].as_i64()), (Some(false), Some(4)));
        assert_eq!(answer["error"]["kind"], "refused");
        if cfg!(target_os = "linux") {
            assert!(answer["error"]["message"].as_str().unwrap().contains(&pid), "{out}");
        }
        writer.kill();
        assert!(!scene.names().iter().any(|name| name.contains("pre-restore") || name.contains(".part")));
        scene.run(&["restore", "out.db", "--url", "sqlite:///app.db", "--force"]);
        assert_eq!(rows(&path), 10);
    }
}

/// An application between two transactions holds no lock on a database with a rollback journal.
#[test]
#[cfg(target_os = "linux")]
fn restore_is_refused_while_the_database_is_open_and_idle() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 10);
    fs::copy(&path, scene.path("out.db")).unwrap();
    let mut idle = Command::new("sh")
        .args(["-c", "exec 3<>app.db; echo open; read end"])
        .current_dir(scene.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(idle.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let arguments = ["restore", "out.db", "--url", "sqlite:///app.db", "--force"];
    scene.fails(4, &format!("(pid {})", idle.id()), &[&arguments[..4], &["--dry-run"]].concat());
    let out = scene.fails(4, &format!("(pid {})", idle.id()), &arguments);
    assert!(out.stderr().contains("stop the application"), "{out}");
    idle.kill().unwrap();
    idle.wait().unwrap();
    scene.run(&arguments);
}
