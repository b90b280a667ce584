use std::fs;

use crate::sqlite::Writer;
use crate::support::Scene;

#[test]
fn sample_drill_passes_and_leaves_nothing() {
    let scene = Scene::new();
    let out = scene.run(&["drill", "--scratch", "."]);
    let text = out.stdout();
    assert!(text.contains("lifeboat: drill passed"), "{out}");
    assert!(text.contains("refused, as it must be"), "{out}");
    assert_eq!(scene.names(), Vec::<String>::new());
}

#[test]
fn sample_drill_in_json() {
    let scene = Scene::new();
    let out = scene.run(&["drill", "--scratch", ".", "--json"]);
    let answer = out.json();
    assert_eq!(answer["ok"], true);
    let number = |name: &str| answer[name].as_i64().unwrap();
    assert!(number("committed_when_backup_began") <= number("last_in_snapshot"), "{answer}");
    assert!(number("last_in_snapshot") < number("last_committed"), "{answer}");
    let transfers = answer["tables"].as_array().unwrap().iter().find(|t| t["table"] == "transfers").unwrap();
    assert_eq!(transfers["rows"], answer["last_in_snapshot"]);
    assert!(answer["damage"]["pages_overwritten"].as_i64().unwrap() > 100);
}

#[test]
fn environment_does_not_choose_what_a_drill_works_on() {
    let scene = Scene::new();
    let out = crate::support::run(
        crate::support::lifeboat()
            .current_dir(scene.path("."))
            .args(["drill", "--scratch", "."])
            .env("DATABASE_URL", "sqlite:////no/such/file.db"),
    );
    assert!(out.stdout().contains("sample"), "{out}");
}

#[test]
fn drill_with_a_database_of_the_users() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 50);
    let before = fs::read(&path).unwrap();
    let out = scene.run(&["drill", "--url", "sqlite:///app.db", "--scratch", "."]);
    assert!(out.stdout().contains("the database itself holds the same rows"), "{out}");
    assert_eq!(scene.names(), ["app.db"]);
    assert_eq!(fs::read(&path).unwrap(), before);

    let writer = Writer::start(&path);
    let out = scene.run(&["drill", "--url", "sqlite:///app.db", "--scratch", ".", "--json"]);
    let answer = out.json();
    assert_eq!(answer["compared_with_database"], false, "{answer}");
    writer.kill();

    fs::write(&path, &before[..before.len() / 2]).unwrap();
    fs::remove_file(scene.path("app.db-wal")).unwrap();
    let out = scene.lifeboat(&["drill", "--url", "sqlite:///app.db", "--scratch", "."]);
    assert_eq!(out.code(), 1, "{out}");
    let out = scene.lifeboat(&["drill", "--url", "sqlite:///missing.db"]);
    assert_eq!(out.code(), 1, "{out}");
}
