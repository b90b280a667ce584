//! `lifeboat backup --all-databases`.

use std::fs;

use crate::support::{Options, REFERENCE, Scene, Server};

#[test]
fn each_database_of_a_server_has_a_backup_of_its_own() {
    // Of its own: databases come and go on those that tests share.
    let server = needed!(Server::with(REFERENCE, &Options::default()));
    let scene = Scene::new();
    server.sql("postgres", "CREATE DATABASE \"first one\"");
    server.sql("postgres", "CREATE DATABASE shut ALLOW_CONNECTIONS false");
    let second = server.database("second");
    server.sql("first one", "CREATE TABLE a AS SELECT 1 AS n");
    second.sql("CREATE TABLE b AS SELECT generate_series(1, 3) AS n");
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port());
    let all = ["backup", "--url", &url, "--all-databases", "--output", "{database}/all-%Y.dump"];
    let more = ["--globals", "roles.sql", "--latest", "{database}.latest", "--sha256", "--json"];
    let out = scene.run(&[&all[..], &more].concat()).json();
    let backups = out["backups"].as_array().unwrap();
    let names: Vec<_> = backups.iter().map(|one| one["database"].as_str()).collect();
    assert_eq!(names, [None, Some("first one"), Some("postgres"), Some(second.name())]);
    assert_eq!(backups.iter().map(|one| one["rows"].as_u64()).collect::<Vec<_>>(), [None, Some(1), Some(0), Some(3)]);
    assert!(fs::read_to_string(scene.path("roles.sql")).unwrap().contains("CREATE ROLE alice"));
    // Each is a backup like any other.
    let newest = format!("{}.latest", second.name());
    let out = scene.run(&["verify", "first one.latest", "postgres.latest", &newest, "--json"]).json();
    assert!(out["backups"].as_array().unwrap().iter().all(|one| one["sound"] == true), "{out}");

    // What is told for people has the advice once.
    let out = scene.run(&[&all[..], &["--force"]].concat());
    assert_eq!(out.stdout().matches("backup complete").count(), 3, "{out}");
    assert_eq!(out.stdout().matches("off-host").count(), 1, "{out}");
    assert!(out.stderr().contains("--globals saves them"), "{out}");

    // One that fails is told, and the others are there.
    server.sql(
        "first one",
        "CREATE TABLE hidden (a integer); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON hidden, a TO alice",
    );
    second.sql("GRANT SELECT ON b TO alice");
    let url = format!("postgresql://alice@127.0.0.1:{}/postgres", server.port());
    let some = ["backup", "--url", &url, "--all-databases", "--output", "some/{database}", "--json"];
    let out = scene.lifeboat(&some);
    assert_eq!(out.code(), 3, "{out}");
    let answer = out.json();
    let kinds: Vec<_> = answer["backups"].as_array().unwrap().iter().map(|one| &one["error"]["kind"]).collect();
    assert!(kinds[0] == "server" && kinds[1].is_null() && kinds[2].is_null(), "{out}");
    assert!(out.stderr().contains("lifeboat: error: ") && out.stderr().contains("hidden"), "{out}");
    assert!(!scene.path("some/first one").exists() && scene.path("some/postgres").is_file());
    assert_eq!(scene.lifeboat(&some).code(), 1, "all were refused");
}

#[test]
fn what_would_give_two_backups_one_name_is_refused_before_there_is_one() {
    let server = needed!(Server::with(REFERENCE, &Options::default()));
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port());
    let all = ["backup", "--url", &url, "--all-databases"];
    for (more, says) in [
        (&["--output", "all-%F.dump"][..], "put {database} into it"),
        (&["--output", "-"], "put {database} into it"),
        (&["--output", "{database}.dump", "--latest", "newest"], "put {database} into it"),
        (&["--globals", "roles.sql"], "--output"),
    ] {
        scene.fails(2, says, &[&all[..], more].concat());
    }
    scene.fails(2, "SQLite", &["backup", "--url", "sqlite:///a.db", "--all-databases", "--output", "{database}.db"]);
    assert_eq!(scene.names(), ["a.db"]);
    // Whoever may make databases keeps no other from being backed up by a name that is written like its own.
    for name in ["a/b", "a_b", "a%2Fb"] {
        server.sql("postgres", &format!("CREATE DATABASE \"{name}\""));
    }
    scene.run(&[&all[..], &["--output", "{database}.dump"]].concat());
    assert_eq!(scene.names(), ["a%252Fb.dump", "a%2Fb.dump", "a.db", "a_b.dump", "postgres.dump"]);
}
