//! `lifeboat install-tools`.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::support::{Scene, lifeboat, machine, output};

#[test]
fn the_tools_are_this_program_by_other_names() {
    let scene = Scene::new();
    fs::create_dir(scene.path("bin")).unwrap();
    let report = scene.run(&["install-tools", "bin"]);
    assert!(report.stdout().contains("folder: bin\npg_dump: a "), "{report}");
    let tool = fs::metadata(scene.path("bin/pg_dump")).unwrap();
    assert_eq!(tool.mode() & 0o111, 0o111);
    // Once more changes nothing of links; a copy is in the way, like anything else.
    let again = scene.lifeboat(&["install-tools", "bin", "--json"]);
    let is_link = report.stdout().contains("pg_dump: a hard link");
    assert_eq!(again.code(), if is_link { 0 } else { 4 }, "{again}");
    let out = output(std::process::Command::new(scene.path("bin/pg_dump")).arg("--version"));
    assert!(out.stdout().starts_with("pg_dump (PostgreSQL) "), "{out}");
}

#[test]
fn what_is_there_is_replaced_only_if_that_is_said() {
    let scene = Scene::new();
    fs::write(scene.path("pg_dump"), "theirs").unwrap();
    let out = scene.fails(4, "pg_dump", &["install-tools", "."]);
    assert!(out.stderr().contains("--force"), "{out}");
    assert_eq!(fs::read(scene.path("pg_dump")).unwrap(), b"theirs");
    assert_eq!(scene.names(), ["pg_dump"], "nothing else was made");
    scene.run(&["install-tools", ".", "--force"]);
    assert_ne!(fs::read(scene.path("pg_dump")).unwrap(), b"theirs");
    assert!(scene.names().iter().all(|name| name.starts_with("pg_")), "{:?}", scene.names());
    scene.fails(2, "mkdir -p none", &["install-tools", "none"]);
    scene.fails(2, "no folder", &["install-tools", "pg_dump"]);
    fs::create_dir(scene.path("bin")).unwrap();
    fs::create_dir(scene.path("bin/pg_dump")).unwrap();
    scene.fails(4, "it is a folder", &["install-tools", "bin", "--force"]);
}

#[test]
fn all_names_are_replaced_or_none() {
    needed!(machine::mounts());
    let scene = Scene::new();
    fs::write(scene.path("pg_dump"), "theirs").unwrap();
    std::os::unix::fs::symlink("pg_dump", scene.path("pg_dumpall")).unwrap();
    let refused = |mounted: &str| {
        let script = format!(
            "touch file {mounted} && mount --bind file {mounted} || exit 99
             {} install-tools --force . ; code=$?; umount {mounted}; rm file {mounted}; exit $code",
            env!("CARGO_BIN_EXE_lifeboat")
        );
        let mut command = std::process::Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(scene.folder());
        let out = output(&mut command);
        assert!(out.code() == 1 && out.stderr().contains("something is mounted there"), "{out}");
        scene.names()
    };
    // The last of them cannot be replaced: the others are as they were.
    assert_eq!(refused("pg_restore"), ["pg_dump", "pg_dumpall"]);
    assert_eq!(fs::read(scene.path("pg_dump")).unwrap(), b"theirs");
    assert_eq!(fs::read_link(scene.path("pg_dumpall")).unwrap().to_str(), Some("pg_dump"));
    // What was not there is not there again.
    fs::remove_file(scene.path("pg_dump")).unwrap();
    fs::remove_file(scene.path("pg_dumpall")).unwrap();
    assert_eq!(refused("pg_dumpall"), [""; 0]);
    fs::write(scene.path("pg_dump"), "theirs").unwrap();
    scene.run(&["install-tools", "--force", "."]);
    assert_eq!(scene.names(), ["pg_dump", "pg_dumpall", "pg_restore"]);
}

#[test]
fn where_nothing_can_be_linked_the_tools_are_copies() {
    let scene = Scene::new();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("not tested: there is no /dev/shm to write to");
        return;
    };
    if fs::metadata(other.path()).unwrap().dev() == fs::metadata(lifeboat().get_program()).unwrap().dev() {
        eprintln!("not tested: /dev/shm is on the program's file system");
        return;
    }
    let out = scene.run(&["install-tools", other.path().to_str().unwrap()]);
    assert!(out.stdout().contains("pg_dump: a copy"), "{out}");
    let out = output(std::process::Command::new(other.path().join("pg_dump")).arg("-V"));
    assert!(out.stdout().starts_with("pg_dump (PostgreSQL) "), "{out}");
}
