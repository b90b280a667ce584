//! Databases that may not be written: what an application left beside them when it was killed counts all the same.
//!
//! sqlite3 on a copy that may be written says what is right.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use rustix::fs::FlockOperation;

use super::traced::{Stopped, run_by, traced};
use crate::support::needs::Needed;
use crate::support::process::copy_program;
use crate::support::{Output, Scene, debian, machine, output, run};

const SUM: &str = "SELECT count(*) || ' ' || coalesce(sum(amount), 0) FROM accounts";
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// In two thousand accounts, a thousand each.
const WHOLE: &str = "2000 2000000";

/// A database `stage/app.db` with whatever stands beside it, as a killed application leaves it.
pub struct Killed {
    scene: Scene,
    /// The files of the set, by what their names end with.
    before: Vec<(&'static str, Vec<u8>)>,
}

impl Killed {
    /// `work` leaves a transaction or a log behind, of which files are copied while the application lives.
    pub fn after(mode: &str, work: &str) -> Self {
        let scene = Scene::new();
        for folder in ["live", "stage", "tmp", "out"] {
            fs::create_dir(scene.path(folder)).unwrap();
        }
        let application = Connection::open(scene.path("live/app.db")).unwrap();
        application.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
        let accounts = "PRAGMA wal_autocheckpoint = 0; CREATE TABLE accounts(id INTEGER PRIMARY KEY, amount, pad);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO accounts SELECT i, 1000, hex(zeroblob(200)) FROM n;";
        application.execute_batch(accounts).unwrap();
        application.execute_batch("PRAGMA cache_size = 5").unwrap();
        application.execute_batch(work).unwrap();
        for suffix in ["", "-journal", "-wal"] {
            let from = scene.path(&format!("live/app.db{suffix}"));
            if from.exists() {
                fs::copy(from, scene.path(&format!("stage/app.db{suffix}"))).unwrap();
            }
        }
        Self { scene, before: Vec::new() }
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.scene.path(&format!("stage/app.db{suffix}"))
    }

    pub fn add(&mut self, suffix: &str, bytes: &[u8]) {
        fs::write(self.file(suffix), bytes).unwrap();
    }

    /// What sqlite3 says is in it, where it may write.
    fn truth(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        for suffix in ["", "-journal", "-wal"] {
            if self.file(suffix).exists() {
                fs::copy(self.file(suffix), folder.path().join(format!("app.db{suffix}"))).unwrap();
            }
        }
        sqlite3(&folder.path().join("app.db"), SUM)
    }

    /// Gives the files to be read to everybody, and the folders for results to another user.
    pub fn hand_over(&mut self) {
        self.before =
            ["", "-journal", "-wal"].into_iter().filter_map(|s| Some((s, fs::read(self.file(s)).ok()?))).collect();
        for folder in [".", "stage"] {
            fs::set_permissions(self.scene.path(folder), Permissions::from_mode(0o755)).unwrap();
        }
        for (suffix, _) in &self.before {
            fs::set_permissions(self.file(suffix), Permissions::from_mode(0o644)).unwrap();
        }
        for folder in ["tmp", "out"] {
            fs::set_permissions(self.scene.path(folder), Permissions::from_mode(0o777)).unwrap();
        }
        copy_program(&self.scene.path("program"));
    }

    /// Nothing of it was changed, and nothing stands beside it that was not there.
    pub fn is_untouched(&self) {
        for (suffix, bytes) in &self.before {
            assert!(fs::read(self.file(suffix)).unwrap() == *bytes, "{suffix:?} was changed");
        }
        let mut names: Vec<_> =
            fs::read_dir(self.scene.path("stage")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.retain(|name| !name.as_bytes().ends_with(b"-shm"));
        assert_eq!(names.len(), self.before.len(), "{names:?}");
        assert_eq!(fs::read_dir(self.scene.path("tmp")).unwrap().count(), 0, "a private copy was left");
    }
}

fn sqlite3(database: &Path, sql: &str) -> String {
    let mut command = debian::required("sqlite3");
    run(command.arg(database).arg(sql)).stdout().trim().to_owned()
}

/// Who reads, and why he may not write.
#[derive(Debug, Clone, Copy)]
pub enum Reader {
    /// Another user, or a folder of mode 555.
    Stranger,
    /// The file system is mounted read-only.
    ReadOnlyMount,
}

impl Reader {
    /// Those that there can be here.
    pub fn all() -> impl Iterator<Item = Reader> {
        [Reader::Stranger, Reader::ReadOnlyMount].into_iter().filter(|reader| reader.is_here().is_ok())
    }

    fn is_here(self) -> Needed<()> {
        match self {
            Self::Stranger => Ok(()),
            Self::ReadOnlyMount => machine::mounts(),
        }
    }

    /// Runs `program` with these arguments.
    pub fn run(self, killed: &Killed, arguments: &str) -> Output {
        let script = match self {
            Self::Stranger if rustix::process::geteuid().is_root() => {
                format!("exec setpriv --reuid 65534 --regid 65534 --clear-groups ./program {arguments}")
            }
            Self::Stranger => format!("chmod 555 stage && ./program {arguments}; code=$?; chmod 755 stage; exit $code"),
            Self::ReadOnlyMount => {
                format!("mount --bind stage stage && mount -o remount,bind,ro stage || exit 99; ./program {arguments}")
            }
        };
        let mut command = match self {
            Self::Stranger => Command::new("sh"),
            Self::ReadOnlyMount => {
                let mut command = Command::new("unshare");
                command.args(["--map-root-user", "--mount", "sh"]);
                command
            }
        };
        command.args(["-c", &script]).current_dir(killed.scene.path(".")).env("TMPDIR", killed.scene.path("tmp"));
        output(&mut command)
    }
}

/// Reads it in every way, by every reader, and compares with what sqlite3 says.
fn read_in_all_ways(mut killed: Killed, expected: &str) {
    assert_eq!(killed.truth(), expected, "is the case what it is meant to be?");
    killed.hand_over();
    for reader in Reader::all() {
        for compact in ["--no-compact", "--compact"] {
            let saved = killed.scene.path("out/saved.db");
            let arguments = format!("backup --force --url sqlite:///stage/app.db --output out/saved.db {compact}");
            let out = reader.run(&killed, &arguments);
            assert!(out.success(), "{reader:?}: {out}");
            assert_eq!(sqlite3(&saved, SUM), expected, "{reader:?} {compact}");
            killed.is_untouched();
        }
        for (arguments, says) in
            [("verify stage/app.db", "is sound"), ("list stage/app.db", "TABLE accounts (2000 rows)")]
        {
            let out = reader.run(&killed, arguments);
            assert!(out.success() && out.stdout().contains(says), "{reader:?}: {out}");
            killed.is_untouched();
        }
    }
}

/// Half of a transaction is in the file when the application is killed.
const HALF: &str = "BEGIN; UPDATE accounts SET amount = 0 WHERE id % 2 = 0";

#[test]
fn transaction_that_was_broken_off_is_rolled_back() {
    for mode in ["delete", "truncate", "persist"] {
        let killed = Killed::after(mode, HALF);
        assert!(fs::metadata(killed.file("-journal")).unwrap().len() > 512, "no hot journal");
        read_in_all_ways(killed, WHOLE);
    }
}

#[test]
fn journal_that_is_done_with_is_not_rolled_back() {
    let change = "UPDATE accounts SET amount = 500 WHERE id = 1";
    for mode in ["truncate", "persist"] {
        let killed = Killed::after(mode, change);
        assert!(killed.file("-journal").exists());
        read_in_all_ways(killed, "2000 1999500");
    }
    // Of no transaction at all.
    let mut killed = Killed::after("delete", change);
    killed.add("-journal", b"not a journal");
    read_in_all_ways(killed, "2000 1999500");
}

#[test]
fn super_journal_says_whether_a_transaction_was_committed() {
    let trailer = |name: &Path| {
        let name = name.as_os_str().as_bytes();
        let sum: u32 = name.iter().map(|b| u32::from(*b)).sum();
        let length = u32::try_from(name.len()).unwrap();
        [&[0, 0, 0, 1], name, &length.to_be_bytes(), &sum.to_be_bytes(), &JOURNAL_MAGIC].concat()
    };
    let named = |name: &Path| {
        let mut killed = Killed::after("delete", HALF);
        let mut journal = fs::read(killed.file("-journal")).unwrap();
        journal.extend(trailer(name));
        killed.add("-journal", &journal);
        killed
    };
    let elsewhere = tempfile::tempdir().unwrap();
    fs::set_permissions(elsewhere.path(), Permissions::from_mode(0o755)).unwrap();
    let (name, other) = (elsewhere.path().join("other.db-mj0123456789"), elsewhere.path().join("other.db-journal"));
    // Another database of the transaction waits for its recovery.
    fs::write(&other, [&JOURNAL_MAGIC[..], &[0; 504], &trailer(&name)].concat()).unwrap();
    fs::write(&name, [other.as_os_str().as_bytes(), b"\0"].concat()).unwrap();
    read_in_all_ways(named(&name), WHOLE);
    assert!(name.exists(), "another database's part in the transaction is decided by it");
    fs::remove_file(&name).unwrap();
    let committed = named(&name);
    let half = committed.truth();
    assert_ne!(half, WHOLE);
    read_in_all_ways(committed, &half);

    // It was written where the folders have other names. SQLite would take that for committed, and remove the journal.
    let killed = named(Path::new("/data/of/a/container/app.db-mj0123456789"));
    let before = fs::read(killed.file("-journal")).unwrap();
    for arguments in [&["backup", "--url", "sqlite:///stage/app.db", "--output", "x"][..], &["verify", "stage/app.db"]]
    {
        killed.scene.fails(4, "a path that means nothing here", arguments);
    }
    assert!(fs::read(killed.file("-journal")).unwrap() == before);
}

#[test]
fn log_without_shared_memory_is_read() {
    let more = "INSERT INTO accounts VALUES (5000, 7, '')";
    let killed = Killed::after("wal", more);
    assert!(fs::metadata(killed.file("-wal")).unwrap().len() > 32);
    read_in_log(killed, "2001 2000007");
    // The last transaction has not come to the disk as a whole.
    let mut killed = Killed::after("wal", more);
    let mut log = fs::read(killed.file("-wal")).unwrap();
    let last = log.len() - 100;
    log[last] ^= 1;
    killed.add("-wal", &log);
    read_in_log(killed, WHOLE);
}

/// As [`read_in_all_ways`]; a row more or less does not matter to the list.
fn read_in_log(mut killed: Killed, expected: &str) {
    assert_eq!(killed.truth(), expected);
    killed.hand_over();
    for reader in Reader::all() {
        let arguments = "backup --force --url sqlite:///stage/app.db --output out/saved.db";
        let out = reader.run(&killed, arguments);
        assert!(out.success(), "{reader:?}: {out}");
        assert_eq!(sqlite3(&killed.scene.path("out/saved.db"), SUM), expected, "{reader:?}");
        for arguments in ["verify stage/app.db", "list stage/app.db"] {
            let out = reader.run(&killed, arguments);
            assert!(out.success() && out.stdout().contains(&expected[..4]), "{reader:?}: {out}");
        }
        killed.is_untouched();
    }
}

#[test]
fn log_that_holds_nothing_is_no_hindrance() {
    for log in [None, Some(&b""[..]), Some(b"\x37\x7f\x06\x82 a header, and nothing behind i")] {
        let mut killed = Killed::after("wal", "PRAGMA wal_checkpoint(TRUNCATE)");
        fs::remove_file(killed.file("-wal")).unwrap();
        if let Some(log) = log {
            killed.add("-wal", log);
        }
        read_in_all_ways(killed, WHOLE);
    }
    // Frames of an earlier life of the log.
    let mut killed = Killed::after("wal", "PRAGMA wal_checkpoint(TRUNCATE)");
    killed.add("-wal", &[0x37; 9000]);
    read_in_all_ways(killed, WHOLE);
}

#[test]
fn database_whose_only_transaction_was_broken_off_is_called_empty() {
    let mut killed = Killed::after("delete", "");
    // The journal of a transaction that began with no pages, and has overwritten none.
    let header = [0_u32, 0, 0, 512, 4096].map(u32::to_be_bytes).concat();
    let mut journal = [&JOURNAL_MAGIC[..], &header].concat();
    journal.resize(512, 0);
    killed.add("-journal", &journal);
    killed.hand_over();
    for reader in Reader::all() {
        for arguments in
            ["backup --url sqlite:///stage/app.db --output out/x", "verify stage/app.db", "list stage/app.db"]
        {
            let out = reader.run(&killed, arguments);
            assert_eq!(out.code(), 1, "{out}");
            assert!(out.stderr().contains("no transaction in it was ever committed"), "{out}");
        }
    }
    assert_eq!(fs::read_dir(killed.scene.path("out")).unwrap().count(), 0);
}

#[test]
fn restore_wants_what_was_broken_off_to_be_recovered_first() {
    let killed = Killed::after("delete", HALF);
    let arguments = ["restore", "stage/app.db", "--url", "sqlite:///new.db", "--force"];
    let out = killed.scene.fails(1, "app.db-journal belongs to it", &arguments);
    assert!(out.stderr().contains("lifeboat backup --url"), "{out}");
    // A journal that is done with is none.
    let killed = Killed::after("persist", "");
    assert!(fs::metadata(killed.file("-journal")).unwrap().len() > 0);
    killed.scene.run(&arguments);
}

#[test]
fn copies_that_killed_runs_left_are_removed_and_those_of_others_are_not() {
    needed!(machine::mounts());
    let mut killed = Killed::after("delete", HALF);
    killed.hand_over();
    let left = |name: &str| {
        let folder = killed.scene.path(&format!("tmp/{name}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("copy.db"), b"somebody's rows").unwrap();
        folder
    };
    let (forsaken, alive) = (left("lifeboat-copy-dead"), left("lifeboat-copy-alive"));
    let lock = fs::File::open(&alive).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    let out = Reader::ReadOnlyMount.run(&killed, "list stage/app.db");
    assert!(out.success() && !forsaken.exists() && alive.exists(), "{out}");
}

#[test]
fn no_room_for_a_copy_is_an_error_that_says_so() {
    needed!(machine::mounts());
    let mut killed = Killed::after("delete", HALF);
    killed.hand_over();
    let script = |then: &str| {
        format!(
            "mount -t tmpfs -o size=64k tmpfs tmp || exit 99; mount --bind stage stage && mount -o remount,bind,ro stage || exit 99; {then}; code=$?; ls -A tmp; exit $code"
        )
    };
    let run = |then: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", &script(then)]);
        output(command.current_dir(killed.scene.path(".")).env("TMPDIR", killed.scene.path("tmp")))
    };
    let out = run("./program list stage/app.db");
    assert_eq!((out.code(), out.stdout().as_str()), (1, ""), "{out}");
    assert!(out.stderr().contains("tmp has no room for") && out.stderr().contains("hint: set TMPDIR"), "{out}");
    // A backup goes where there has to be room for one.
    let out = run("./program backup --quiet --url sqlite:///stage/app.db --output out/saved.db");
    assert_eq!((out.code(), out.stdout().as_str()), (0, ""), "{out}");
    assert_eq!(sqlite3(&killed.scene.path("out/saved.db"), SUM), WHOLE);
    assert_eq!(fs::read_dir(killed.scene.path("out")).unwrap().count(), 1);
}

#[test]
fn no_signal_leaves_a_copy() {
    needed!(machine::mounts());
    needed!(machine::strace());
    let scene = Scene::new();
    scene.database("app.db", "delete", 200);
    fs::write(scene.path("app.db-journal"), [1]).unwrap();
    fs::create_dir(scene.path("tmp")).unwrap();
    let read_only = "mount --bind app.db app.db && mount -o remount,bind,ro app.db || exit 99; exec \"$0\" \"$@\"";
    let by = ["unshare", "--map-root-user", "--mount", "sh", "-c", read_only];
    let verify = |inject: &[&str]| {
        let mut command = run_by(&scene, &by, &traced(&scene, inject, &["verify", "app.db"]));
        command.env("TMPDIR", scene.path("tmp"));
        command
    };
    let copies = || fs::read_dir(scene.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    for (signal, left) in [("TERM", 0), ("KILL", 1)] {
        // The copy is complete by then, and looked at from its beginning, to be compared.
        let stopped = Stopped::of(&scene, &mut verify(&["lseek:signal=SIGSTOP:when=1"]));
        assert_eq!(copies().len(), 1, "there is no copy");
        stopped.send(signal);
        let out = stopped.go_on();
        assert!(!out.success() && copies().len() == left, "{signal}: {:?}, {out}", copies());
    }
    // What has a name holds no rows, and goes with the next run.
    let named = copies().into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    assert!(named.map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>() <= 1);
    run(&mut verify(&[]));
    assert_eq!(copies(), Vec::<PathBuf>::new());
}

#[test]
fn reader_who_may_write_recovers_as_sqlite_does() {
    let killed = Killed::after("delete", HALF);
    killed.scene.run(&["backup", "--url", "sqlite:///stage/app.db", "--output", "saved.db"]);
    assert_eq!(sqlite3(&killed.scene.path("saved.db"), SUM), WHOLE);
    assert!(!killed.file("-journal").exists());
}
