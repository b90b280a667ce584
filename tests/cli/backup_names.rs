//! How a backup is called, and what lies beside it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::support::{REFERENCE, Scene, Server, run};

fn scene() -> Scene {
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    scene
}

const A: [&str; 3] = ["backup", "--url", "sqlite:///a.db"];

#[test]
fn names_say_what_it_is_and_when_it_was_made() {
    let scene = scene();
    let out = scene.run(&[&A[..], &["-o", "made/{database}/100%%-{{%Y}}.db", "--json"]].concat());
    let year = run(Command::new("date").arg("+%Y")).stdout();
    let made = scene.path(&format!("made/a/100%-{{{}}}.db", year.trim()));
    assert!(made.is_file(), "{out}");
    assert_eq!(out.json()["output"].as_str(), fs::canonicalize(made).unwrap().to_str());
    scene.fails(2, "{database} and {host}", &[&A[..], &["-o", "{name}.db"]].concat());
    scene.fails(2, "%! is no field", &[&A[..], &["-o", "a%!.db"]].concat());
    // Folders that were made for a backup that failed go again.
    scene.fails(1, "none.db", &["backup", "--url", "sqlite:///none.db", "-o", "x/y/z.db"]);
    scene.fails(1, "could not write to a.db/x/y.db: Not a directory", &[&A[..], &["-o", "a.db/x/y.db"]].concat());
    assert_eq!(scene.names(), ["a.db", "made"]);

    let server = needed!(Server::get(REFERENCE));
    let database = server.database("named");
    scene.run(&["backup", "--url", &database.url(), "-o", "made/{host}/{database}.dump", "--globals", "roles/%Y.sql"]);
    assert!(scene.path(&format!("made/127.0.0.1/{}.dump", database.name())).is_file());
    assert!(scene.path(&format!("roles/{}.sql", year.trim())).is_file());
}

#[test]
fn a_checksum_lies_beside_it_and_a_link_names_the_newest() {
    let scene = scene();
    let more = ["--sha256", "--latest", "latest", "--mode", "640"];
    let out = scene.run(&[&A[..], &["-o", "d/one\\.db"], &more].concat());
    assert!(out.stdout().contains("\nlatest: latest\n") && out.stdout().contains("\nsha256: "), "{out}");
    run(Command::new("sha256sum").args(["--check", "--strict"]).current_dir(scene.path("d")).arg("one\\.db.sha256"));
    assert_eq!(fs::read_link(scene.path("latest")).unwrap().to_str(), Some("d/one\\.db"));
    for name in ["d/one\\.db", "d/one\\.db.sha256"] {
        assert_eq!(fs::metadata(scene.path(name)).unwrap().permissions().mode() & 0o7777, 0o640);
    }
    let answer = scene.run(&[&A[..], &["-o", "two.db", "--json"], &more].concat()).json();
    assert!(answer["sha256"].as_str().is_some_and(|sum| sum.len() == 64) && answer["latest"] == "latest", "{answer}");
    assert_eq!(fs::read_link(scene.path("latest")).unwrap().to_str(), Some("two.db"));

    // What will not be possible is seen before there is a backup.
    fs::write(scene.path("three.db.sha256"), "").unwrap();
    scene.fails(4, "three.db.sha256", &[&A[..], &["-o", "three.db"], &more].concat());
    fs::write(scene.path("file"), "").unwrap();
    scene.fails(4, "no symbolic link", &[&A[..], &["-o", "four.db", "--latest", "file"]].concat());
    scene.fails(2, "in octal", &[&A[..], &["-o", "five.db", "--mode", "999"]].concat());
    symlink("nowhere", scene.path("dangling")).unwrap();
    scene.run(&[&A[..], &["-o", "six.db", "--latest", "dangling"]].concat());
    assert_eq!(fs::read_link(scene.path("dangling")).unwrap().to_str(), Some("six.db"));
    for name in ["three.db", "four.db", "five.db"] {
        assert!(!scene.path(name).exists());
    }
    let url = "postgresql://127.0.0.1:1/x";
    for options in [["-o", "-", "--sha256"], ["-o", "/dev/null", "--mode=600"], ["-Fd", "--output=d2", "--sha256"]] {
        scene.fails(2, "no file under a name of its own", &[&["backup", "--url", url], &options[..]].concat());
    }
}
