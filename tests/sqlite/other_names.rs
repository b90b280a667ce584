//! A database that is reached by another name than the application's: its `-wal` does not stand beside that name.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use super::rows;
use crate::support::needs::Needed;
use crate::support::{Output, Scene, machine, output};

/// An application that has the database open, with a row that is in the log only.
fn application(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO documents VALUES (1, 'late', 'x')").unwrap();
    connection
}

const BACKUP: &str = "backup --output out.db --url sqlite:///";

fn arguments<'a>(command: &'a str, url: &'a str) -> Vec<&'a str> {
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.pop();
    arguments.push(url);
    arguments
}

#[test]
fn hard_link_of_a_database_in_wal_mode_is_refused() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 5);
    fs::create_dir(scene.path("elsewhere")).unwrap();
    for link in ["link.db", "elsewhere/link.db"] {
        fs::hard_link(&path, scene.path(link)).unwrap();
        let application = application(&path);
        let url = format!("sqlite:///{link}");
        for command in [&["backup", "--output", "out.db", "--url", &url][..], &["verify", link], &["list", link]] {
            let out = scene.fails(4, "-wal, with the last transactions", command);
            assert!(out.stderr().contains("hard link"), "{out}");
        }
        drop(application);
        // Nobody has it open: whichever name is given, all of it is in the one file, where all of its names are seen.
        if link == "link.db" {
            scene.run(&arguments(BACKUP, &url));
            fs::remove_file(scene.path("out.db")).unwrap();
        } else {
            scene.fails(4, "it has 2 hard links", &arguments(BACKUP, &url));
        }
        Connection::open(&path).unwrap().execute_batch("DELETE FROM documents WHERE seq = 1").unwrap();
        fs::remove_file(scene.path(link)).unwrap();
    }
    assert_eq!(scene.names(), ["app.db", "elsewhere"]);
}

#[test]
fn the_name_with_the_log_is_the_right_one_where_all_names_are_seen() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 5);
    fs::hard_link(&path, scene.path("link.db")).unwrap();
    let _application = application(&path);
    scene.run(&arguments(BACKUP, "sqlite:///app.db"));
    assert_eq!(rows(&scene.path("out.db")), 6);
}

#[test]
fn hard_link_of_a_database_with_a_rollback_journal_is_backed_up() {
    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 5);
    fs::create_dir(scene.path("elsewhere")).unwrap();
    fs::hard_link(&path, scene.path("elsewhere/link.db")).unwrap();
    scene.run(&arguments(BACKUP, "sqlite:///elsewhere/link.db"));
    assert_eq!(rows(&scene.path("out.db")), 5);
}

#[test]
fn hard_link_of_a_database_with_a_transaction_broken_off_is_refused() {
    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 500);
    fs::hard_link(&path, scene.path("link.db")).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA cache_size = 2; BEGIN; UPDATE documents SET title = 'half'").unwrap();
    fs::copy(scene.path("app.db-journal"), scene.path("journal")).unwrap();
    drop(connection);
    fs::rename(scene.path("journal"), scene.path("app.db-journal")).unwrap();
    let out = scene.fails(4, "is unfinished", &arguments(BACKUP, "sqlite:///link.db"));
    assert!(out.stderr().contains("app.db-journal"), "{out}");
    scene.run(&arguments(BACKUP, "sqlite:///app.db"));
    assert_eq!(rows(&scene.path("out.db")), 500);
}

/// Runs a script as root of a mount namespace of its own, in the scene's folder.
fn with_mounts(scene: &Scene, script: &str) -> Needed<Output> {
    machine::mounts()?;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).current_dir(scene.path("."));
    Ok(output(command.env("lifeboat", env!("CARGO_BIN_EXE_lifeboat"))))
}

#[test]
fn single_file_that_is_mounted_is_refused_in_wal_mode() {
    let scene = Scene::new();
    let path = scene.database("app.db", "wal", 5);
    scene.database("plain.db", "delete", 5);
    let _application = application(&path);
    let script = "
        mkdir in && touch 'in/a b.db' in/plain.db && mount --bind app.db 'in/a b.db' && mount --bind plain.db in/plain.db
        for arguments in 'backup --output out.db --url sqlite:///in/a%20b.db' 'verify in/a?b.db' 'list in/a?b.db'; do
            \"$lifeboat\" $arguments && echo 'not refused'; echo $?
        done
        \"$lifeboat\" backup --output plain.out --url sqlite:///in/plain.db
        mkdir folder && mount --bind . folder && \"$lifeboat\" backup --output folder.out --url sqlite:///folder/app.db";
    let out = needed!(with_mounts(&scene, script));
    assert_eq!(out.stderr().matches("it is a file that is mounted by itself").count(), 3, "{out}");
    assert!(out.success() && !out.stdout().contains("not refused"), "{out}");
    assert_eq!((rows(&scene.path("plain.out")), rows(&scene.path("folder.out"))), (5, 6));
}

#[test]
fn restore_does_not_part_a_database_from_its_other_names() {
    for (mode, refused) in [("wal", true), ("delete", false)] {
        let scene = Scene::new();
        let path = scene.database("app.db", mode, 5);
        scene.run(&arguments(BACKUP, "sqlite:///app.db"));
        fs::create_dir(scene.path("elsewhere")).unwrap();
        fs::hard_link(&path, scene.path("elsewhere/link.db")).unwrap();
        let names = scene.names();
        let force = ["restore", "out.db", "--url", "sqlite:///app.db", "--force"];
        if refused {
            scene.fails(4, "it has 2 hard links", &force);
            scene.fails(4, "it has 2 hard links", &[&force[..4], &["--dry-run"]].concat());
            assert_eq!(scene.names(), names);
        } else {
            let out = scene.run(&force);
            assert!(out.stderr().contains("1 other hard link of it keeps the previous database"), "{out}");
        }
        assert_eq!(rows(&scene.path("elsewhere/link.db")), 5);
    }
}

#[test]
fn restore_into_a_file_that_is_mounted_by_itself_is_refused() {
    let scene = Scene::new();
    scene.database("app.db", "wal", 5);
    scene.database("plain.db", "delete", 5);
    scene.run(&arguments(BACKUP, "sqlite:///app.db"));
    let script = "
        mkdir in && touch in/app.db in/plain.db && mount --bind app.db in/app.db && mount --bind plain.db in/plain.db
        for name in app plain; do \"$lifeboat\" restore out.db --url sqlite:///in/$name.db --force; echo $?; done
        { sleep 60 & } && \"$lifeboat\" restore out.db --url sqlite:////proc/$!/root/$PWD/app.db --force >report; echo $?; kill $!
        mount --bind . in && \"$lifeboat\" restore out.db --url sqlite:///in/app.db --force >restored";
    let out = needed!(with_mounts(&scene, script));
    assert!(out.success(), "{out}");
    assert_eq!(out.stderr().matches("no other file can take its place").count(), 2, "{out}");
    assert_eq!(out.stdout(), "4\n4\n0\n", "{out}");
    assert_eq!(rows(&scene.path("app.db.pre-restore-bak")), 5);
}

#[test]
fn path_through_the_folders_of_another_process_is_refused() {
    let scene = Scene::new();
    scene.database("app.db", "wal", 7);
    // In the namespace of the process, another database is under the same name.
    fs::create_dir(scene.path("container")).unwrap();
    let inner = scene.database("container/app.db", "wal", 3);
    let folder = fs::canonicalize(scene.path(".")).unwrap();
    let script = format!(
        "mount --bind container/app.db app.db && {{ sleep 60 & }} && pid=$!
         unshare --mount sh -c \"umount app.db && \\\"$lifeboat\\\" backup --output out.db --url sqlite:////proc/$pid/root{}/app.db\"
         code=$?; kill $pid; exit $code",
        folder.display()
    );
    let out = needed!(with_mounts(&scene, &script));
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("the folders of another process"), "{out}");
    assert_eq!(rows(&inner), 3);
}
