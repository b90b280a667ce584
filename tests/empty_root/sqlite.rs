//! SQLite there and back.

use std::fs;

use rusqlite::Connection;

use crate::support::empty_root::EmptyRoot;

fn rows(root: &EmptyRoot) -> i64 {
    let database = Connection::open(root.path("data/app.db")).unwrap();
    database.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_database_goes_there_and_back() {
    let root = needed!(EmptyRoot::new());
    let database = Connection::open(root.path("data/app.db")).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode = wal; CREATE TABLE t (a TEXT);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO t SELECT 'row ' || i FROM n",
        )
        .unwrap();
    for name in ["data/app.db", "data/app.db-wal", "data/app.db-shm"] {
        root.hand_over(name);
    }
    let url = "sqlite:////data/app.db";
    // The application has it open and goes on.
    let out = root.run(&["backup", "--url", url, "--output", "/data/backups/{database}.db", "--sha256"]);
    assert!(out.stdout().contains("\noutput: /data/backups/app.db\n"), "{out}");
    root.run(&["verify", "/data/backups/app.db"]);
    database.execute("DELETE FROM t WHERE rowid % 2 = 0", []).unwrap();
    drop(database);
    for name in ["data/app.db-wal", "data/app.db-shm"] {
        assert!(!root.path(name).exists(), "{name}");
    }
    let refused = root.lifeboat(&["restore", "/data/backups/app.db", "--url", url]);
    assert_eq!(refused.code(), 4, "{refused}");
    assert_eq!(rows(&root), 2500);
    root.run(&["restore", "/data/backups/app.db", "--url", url, "--force"]);
    assert_eq!(rows(&root), 5000);
    assert!(root.path("data/app.db.pre-restore-bak").exists());

    // Files without a name cannot be given one by /proc, where that is not there.
    let out = root.lifeboat_without_proc(&["backup", "--url", url, "--output", "/data/again.db"]);
    assert!(out.success(), "{out}");
    assert_eq!(
        fs::metadata(root.path("data/again.db")).unwrap().len(),
        fs::metadata(root.path("data/app.db")).unwrap().len()
    );
}

#[test]
fn names_of_backups_tell_the_time_of_the_zone_that_was_asked_for() {
    let root = needed!(EmptyRoot::new());
    Connection::open(root.path("data/app.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    root.hand_over("data/app.db");
    for (zone, name) in [("Asia/Kathmandu", "+0545.db"), ("UTC", "+0000.db"), ("", "+0000.db")] {
        let mut command = root.command();
        command.args(["backup", "--url", "sqlite:////data/app.db", "--output", "/data/%z.db", "--force"]);
        if !zone.is_empty() {
            command.env("TZ", zone);
        }
        let out = crate::support::run(&mut command);
        assert!(out.stdout().contains(&format!("\noutput: /data/{name}\n")), "{zone}: {out}");
    }
}
