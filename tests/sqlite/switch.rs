//! The moment in which a restored database takes the place of the old one: who comes then, and what a kill leaves.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use rusqlite::{Connection, ErrorCode, params};

use super::rows;
use super::traced::{Stopped, alone, traced, with_fault};
use crate::support::Scene;
use crate::support::machine;

const FORCE: [&str; 5] = ["restore", "out.db", "--url", "sqlite:///app.db", "--force"];
/// Rows of the backup, and of the database that it replaces.
const NEW: i64 = 4;
const OLD: i64 = 10;

/// What an application has left beside its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing: it was closed.
    Rollback,
    /// Nothing: it was closed, in WAL mode.
    Wal,
    /// A log with rows that are nowhere else: it was killed.
    Log,
    /// A journal of a transaction that has changed the database already: it was killed.
    Journal,
}

const ALL: [Left; 4] = [Left::Rollback, Left::Wal, Left::Log, Left::Journal];

/// A scene with a database of [`OLD`] rows, if one counts what is left beside it, and its backup of [`NEW`].
fn scene(left: Left) -> Scene {
    let scene = Scene::new();
    scene.database("small.db", "delete", NEW);
    scene.run(&["backup", "--url", "sqlite:///small.db", "--output", "out.db"]);
    fs::remove_file(scene.path("small.db")).unwrap();
    match left {
        Left::Rollback => drop(scene.database("app.db", "delete", OLD)),
        Left::Wal => drop(scene.database("app.db", "wal", OLD)),
        Left::Log => killed(&scene, "wal", "INSERT INTO documents VALUES (1, 'late', 'x')", &["", "-wal", "-shm"]),
        Left::Journal => {
            let change = "BEGIN; UPDATE documents SET body = zeroblob(9000); DELETE FROM documents WHERE seq < -2";
            killed(&scene, "delete", change, &["", "-journal"]);
        }
    }
    scene
}

/// Leaves what an application leaves that is killed after the statements of `change`.
fn killed(scene: &Scene, mode: &str, change: &str, suffixes: &[&str]) {
    fs::create_dir(scene.path("live")).unwrap();
    let connection = Connection::open(scene.database("live/app.db", mode, OLD - i64::from(mode == "wal"))).unwrap();
    // So few pages in memory that a transaction writes into the file before it ends.
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 1; PRAGMA cache_spill = 1").unwrap();
    connection.execute_batch(change).unwrap();
    for suffix in suffixes {
        fs::copy(scene.path(&format!("live/app.db{suffix}")), scene.path(&format!("app.db{suffix}"))).unwrap();
    }
    drop(connection);
    fs::remove_dir_all(scene.path("live")).unwrap();
}

/// The rows that an application finds in a database when it opens it, which must be sound.
fn opened(path: &Path) -> i64 {
    let connection = Connection::open(path).unwrap();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(sound, "ok", "{}", path.display());
    count(&connection).unwrap()
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM documents", [], |row| row.get(0))
}

/// The rows in a copy of a set, so that the set stays as it is.
fn in_copy(path: &Path) -> i64 {
    let folder = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal", "-journal"] {
        let from = PathBuf::from(format!("{}{suffix}", path.display()));
        if from.exists() {
            fs::copy(from, folder.path().join(format!("copy.db{suffix}"))).unwrap();
        }
    }
    opened(&folder.path().join("copy.db"))
}

fn assert_locked(connection: &Connection) {
    connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    let error = count(connection).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy), "{error}");
}

/// Neither the copy of the backup nor its check lets an application in.
#[test]
fn application_is_kept_out_from_the_beginning_to_the_end() {
    needed!(machine::strace());
    for left in ALL {
        let scene = scene(left);
        // The copy is complete by then, and checked.
        let stopped = Stopped::at(&scene, "fsync:when=1", &FORCE);
        let connection = Connection::open(scene.path("app.db")).unwrap();
        assert_locked(&connection);
        drop(connection);
        let out = stopped.go_on();
        assert!(out.success(), "{left:?}: {out}");
        assert_eq!(opened(&scene.path("app.db")), NEW, "{left:?}");
        assert_eq!(in_copy(&scene.path("app.db.pre-restore-bak")), OLD, "{left:?}");
    }
}

/// Who opens the database right before its name goes to another file would go on with the wrong one.
#[test]
fn application_that_has_opened_the_old_file_is_noticed_and_keeps_it() {
    needed!(machine::strace());
    for left in ALL {
        let scene = scene(left);
        let names = scene.names();
        let stopped = Stopped::at(&scene, "linkat:when=1", &FORCE);
        let connection = Connection::open(scene.path("app.db")).unwrap();
        let out = stopped.go_on();
        assert_eq!(out.code(), 4, "{left:?}: {out}");
        assert!(out.stderr().contains(&format!("(pid {})", std::process::id())), "{out}");
        assert!(out.stderr().contains("nothing was changed"), "{out}");
        assert_eq!(scene.names(), names, "{left:?}");
        assert_eq!(count(&connection).unwrap(), OLD, "{left:?}");
        connection.execute_batch("INSERT INTO documents VALUES (99, 'new', 'x')").unwrap();
        drop(connection);
        assert_eq!(opened(&scene.path("app.db")), OLD + 1, "{left:?}");
        scene.run(&FORCE);
        assert_eq!(opened(&scene.path("app.db")), NEW, "{left:?}");
    }
}

/// The same of one that cannot be seen: its process is in another namespace, as in another container.
#[test]
fn application_that_cannot_be_seen_is_noticed_too() {
    needed!(machine::strace());
    for left in [Left::Rollback, Left::Log] {
        let scene = scene(left);
        let names = scene.names();
        let command = traced(&scene, &["linkat:signal=SIGSTOP:when=1"], &FORCE);
        let mut command = needed!(alone(&scene, &command));
        let stopped = Stopped::of(&scene, &mut command);
        let connection = Connection::open(scene.path("app.db")).unwrap();
        let out = stopped.go_on();
        assert_eq!(out.code(), 4, "{left:?}: {out}");
        assert!(out.stderr().contains("is not seen from here"), "{out}");
        assert_eq!(scene.names(), names, "{left:?}");
        assert_eq!(count(&connection).unwrap(), OLD, "{left:?}");
    }
}

/// Who opens the database when the name has gone to another file waits, and then finds that one whole.
#[test]
fn application_that_opens_the_new_file_waits_until_all_is_in_place() {
    needed!(machine::strace());
    for left in [Left::Rollback, Left::Wal] {
        let scene = scene(left);
        let stopped = Stopped::at(&scene, "rename:when=1", &FORCE);
        let connection = Connection::open(scene.path("app.db")).unwrap();
        assert_locked(&connection);
        let out = stopped.go_on();
        assert!(out.success(), "{left:?}: {out}");
        assert_eq!(count(&connection).unwrap(), NEW, "{left:?}");
        connection.execute_batch("INSERT INTO documents VALUES (99, 'new', 'x')").unwrap();
        drop(connection);
        assert_eq!(opened(&scene.path("app.db")), NEW + 1, "{left:?}");
        assert_eq!(in_copy(&scene.path("app.db.pre-restore-bak")), OLD, "{left:?}");
    }
}

/// Where something is left beside the database, a copy with that worked in has its name for a moment. Who opens it keeps it.
#[test]
fn application_that_opens_what_is_there_in_between_finds_the_old_database() {
    needed!(machine::strace());
    for left in [Left::Log, Left::Journal] {
        let scene = scene(left);
        let stopped = Stopped::at(&scene, "rename:when=1", &FORCE);
        let connection = Connection::open(scene.path("app.db")).unwrap();
        assert_locked(&connection);
        let out = stopped.go_on();
        assert_eq!(out.code(), 4, "{left:?}: {out}");
        assert!(out.stderr().contains("app.db.pre-restore-bak"), "{out}");
        assert_eq!(count(&connection).unwrap(), OLD, "{left:?}");
        connection.execute_batch("INSERT INTO documents VALUES (99, 'new', 'x')").unwrap();
        drop(connection);
        assert_eq!(opened(&scene.path("app.db")), OLD + 1, "{left:?}");
        assert_eq!(in_copy(&scene.path("app.db.pre-restore-bak")), OLD, "{left:?}");
        assert!(!scene.names().iter().any(|name| name.contains(".part")), "{:?}", scene.names());
    }
}

#[test]
fn database_that_is_made_meanwhile_is_not_replaced() {
    needed!(machine::strace());
    let scene = scene(Left::Rollback);
    fs::remove_file(scene.path("app.db")).unwrap();
    for call in ["fsync:when=1", "fsync:when=2"] {
        let stopped = Stopped::at(&scene, call, &FORCE);
        scene.database("app.db", "delete", 1);
        let out = stopped.go_on();
        assert_eq!(out.code(), 4, "{call}: {out}");
        assert!(out.stderr().contains("app.db was made meanwhile"), "{out}");
        assert_eq!(rows(&scene.path("app.db")), 1);
        assert_eq!(scene.names(), ["app.db", "out.db"]);
        fs::remove_file(scene.path("app.db")).unwrap();
    }
}

/// Killed at each of the calls that change names, one after the other.
#[test]
fn whatever_a_kill_leaves_is_the_old_database_or_the_new_one() {
    needed!(machine::strace());
    let calls = ["rename", "linkat"];
    for (left, calls) in [(Left::Wal, &calls[..]), (Left::Log, &calls), (Left::Journal, &calls[..1])] {
        for call in calls {
            for when in 1.. {
                let scene = scene(left);
                let out = with_fault(&scene, &format!("{call}:signal=KILL:when={when}"), &FORCE);
                if out.success() {
                    assert!(when > 1, "{left:?}: there was no {call} to be killed at");
                    break;
                }
                let told = format!("{left:?}, killed at {call} {when}");
                // Before an application opens it, and after.
                let aside = scene.path("app.db.pre-restore-bak");
                let is_new = in_copy(&scene.path("app.db")) == NEW;
                assert!(!is_new || in_copy(&aside) == OLD, "{told}: the old database is whole nowhere");
                assert_eq!(opened(&scene.path("app.db")), if is_new { NEW } else { OLD }, "{told}");
                assert!(!is_new || in_copy(&aside) == OLD, "{told}: what opens the new database changes the old one");
                let out = scene.lifeboat(&FORCE);
                assert!(out.success(), "{told}: {out}");
                assert_eq!(opened(&scene.path("app.db")), NEW, "{told}");
            }
        }
    }
}

/// Where SQLite cannot make a copy of what is there, there is no database for the moment that is left, which an application sees.
#[test]
fn kill_beside_the_log_of_what_is_no_database_leaves_nothing_that_passes_for_one() {
    needed!(machine::strace());
    let scene = scene(Left::Log);
    fs::write(scene.path("app.db"), [0xa5; 20_000]).unwrap();
    let log = fs::read(scene.path("app.db-wal")).unwrap();
    fs::write(scene.path("app.db-wal"), [&log[..32], &[0xa5; 9000]].concat()).unwrap();
    let out = with_fault(&scene, "rename:signal=KILL:when=2", &FORCE);
    assert!(!out.success() && out.stderr().contains("no database is there until it is repeated"), "{out}");
    let error = count(&Connection::open(scene.path("app.db")).unwrap()).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase), "{error}");
    assert_eq!(fs::read(scene.path("app.db.pre-restore-bak")).unwrap(), [0xa5; 20_000]);
    scene.run(&FORCE);
    assert_eq!(rows(&scene.path("app.db")), NEW);
}

#[test]
fn file_system_without_hard_links_and_renames_that_look() {
    needed!(machine::strace());
    for left in ALL {
        let scene = scene(left);
        let faults = ["linkat:error=EPERM", "renameat2:error=EINVAL"];
        let out = crate::support::output(&mut traced(&scene, &faults, &FORCE));
        assert!(out.success(), "{left:?}: {out}");
        assert_eq!(opened(&scene.path("app.db")), NEW, "{left:?}");
        assert_eq!(in_copy(&scene.path("app.db.pre-restore-bak")), OLD, "{left:?}");
        assert!(!scene.names().iter().any(|name| name.contains(".part")), "{:?}", scene.names());
    }
}

#[test]
fn move_that_fails_is_taken_back() {
    needed!(machine::strace());
    for left in ALL {
        for when in 1..=2 {
            let scene = scene(left);
            let before = scene.names();
            let out = with_fault(&scene, &format!("rename:error=EIO:when={when}"), &FORCE);
            if out.success() {
                // There is one move where nothing but the database is there.
                assert!(when > 1, "{left:?}: nothing was moved");
                continue;
            }
            assert_eq!(out.code(), 1, "{out}");
            let found = opened(&scene.path("app.db"));
            assert_eq!(found, OLD, "{left:?} {when}: {out}");
            let names = scene.names();
            assert!(before.iter().all(|name| names.contains(name) || name.contains('-')), "{names:?}");
            assert!(!names.iter().any(|name| name.contains(".part")), "{names:?}");
        }
    }
}

/// An application that opens, writes and closes all the time, beside restores of 100 MB until one gets through: whatever it is
/// seen by stops the others.
#[test]
fn rows_committed_beside_a_restore_are_in_one_of_the_databases() {
    for mode in ["wal", "delete"] {
        let scene = Scene::new();
        scene.database("big.db", "delete", 33_000);
        fs::rename(scene.path("big.db"), scene.path("out.db")).unwrap();
        let path = scene.database("app.db", mode, OLD);
        let (sender, attempts) = mpsc::channel();
        let writer = std::thread::spawn(move || open_write_close(&path, &sender));
        let mut committed: Vec<i64> = attempts.iter().flatten().take(1).collect();
        for tries in 1.. {
            let out = scene.lifeboat(&FORCE);
            let meanwhile: Vec<Option<i64>> = attempts.try_iter().collect();
            committed.extend(meanwhile.iter().flatten());
            if out.success() {
                assert!(meanwhile.contains(&None), "{mode}: the application was never kept out");
                break;
            }
            assert!(out.code() == 4 && tries < 200, "{mode}: {out}");
        }
        let afterwards: Vec<i64> = attempts.iter().flatten().take(2).collect();
        committed.extend(&afterwards);
        drop(attempts);
        writer.join().unwrap();
        let mut found = BTreeSet::new();
        for name in scene.names().iter().filter(|name| name.starts_with("app.db")) {
            if ["-wal", "-shm", "-journal"].iter().any(|suffix| name.ends_with(suffix)) {
                continue;
            }
            let connection = Connection::open(scene.path(name)).unwrap();
            let sound: String = connection.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
            assert_eq!(sound, "ok", "{mode}: {name}");
            let mut statement = connection.prepare("SELECT seq FROM transfers").unwrap();
            let rows: Vec<i64> = statement.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
            let is_new = name == "app.db";
            assert_eq!(rows.contains(&afterwards[1]), is_new, "{mode}: {name}");
            assert_ne!(rows.contains(&committed[0]), is_new, "{mode}: {name}");
            found.extend(rows);
        }
        let lost: Vec<_> = committed.iter().filter(|seq| !found.contains(seq)).collect();
        assert!(lost.is_empty(), "{mode}: of {} rows, these are nowhere: {lost:?}", committed.len());
    }
}

/// Tells of each attempt which row was committed, if it was, for as long as anybody listens.
fn open_write_close(path: &Path, attempts: &mpsc::Sender<Option<i64>>) {
    for seq in 1.. {
        // Its pace: most of the time it has the database closed.
        std::thread::sleep(std::time::Duration::from_millis(5));
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        let row = params![seq, path.to_str()];
        let committed = match connection.execute("INSERT INTO transfers(seq, note) VALUES (?1, ?2)", row) {
            Ok(_) => Some(seq),
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => None,
            Err(e) => panic!("the application cannot write: {e}"),
        };
        if attempts.send(committed).is_err() {
            break;
        }
    }
}
