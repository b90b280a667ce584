//! What becomes of a backup or a restore of PostgreSQL when something goes wrong in the middle: the process is killed, the
//! disk is full, the server goes away, the archive is damaged, somebody changes a table, the database holds what lifeboat
//! has never heard of.

mod archives;
mod broken_off;
mod changes;
mod gate;
mod memory;
mod moment;
mod newer_server;
mod pgbench;
mod silence;
mod temporary;
mod threads;
mod unknown;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::sqlite::Scene;
use crate::support::{Database, Output, lifeboat, output, unfinished};

/// Rows that compress badly, about 33 bytes each.
fn fill(database: &Database<'_>, rows: u32) {
    database.psql(&format!(
        "CREATE TABLE filled AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, {rows}) g"
    ));
}

/// What `look` finds, looked for until it is there; two minutes is where hope ends, not what is expected.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(120) {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain for {what}");
}

/// A backup that is under way.
struct Running {
    child: Child,
}

impl Running {
    fn start(scene: &Scene, database: &Database<'_>, more: &[&str]) -> Self {
        let mut command = lifeboat();
        command
            .current_dir(scene.path("."))
            .args(["backup", "--url", &database.url(), "--output", "out.dump"])
            .args(more);
        Self { child: command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    /// As [`Running::start`], and stops the process when its unfinished file has begun to grow.
    fn halted(scene: &Scene, database: &Database<'_>, more: &[&str]) -> Self {
        let mut running = Self::start(scene, database, more);
        wait_for("data in the unfinished file", || {
            assert!(running.child.try_wait().unwrap().is_none(), "the backup ended before it could be disturbed");
            let size = unfinished(running.child.id(), &scene.path("."))?;
            (size > 100_000).then_some(())
        });
        running.signal("STOP");
        assert!(!scene.path("out.dump").exists(), "the final name is there before the end");
        running
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn end(self) -> Output {
        Output::of("lifeboat backup", self.child.wait_with_output().unwrap())
    }
}

/// A session of psql that stays, to hold locks.
pub(crate) struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub(crate) fn open(database: &Database<'_>) -> Self {
        let mut command = database.server().psql_command(database.name());
        let mut child = command.args(["-At"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// Begins to run `sql`.
    fn send(&mut self, sql: &str) {
        writeln!(self.input, "{sql};").unwrap();
    }

    /// Runs `sql` and waits for its end.
    pub(crate) fn run(&mut self, sql: &str) {
        self.send(&format!("{sql};\n\\echo done\n"));
        let mut line = String::new();
        while line != "done\n" {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "psql ended at: {sql}");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a session of `database` waits for a lock.
pub(crate) fn wait_for_waiting(database: &Database<'_>) {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'",
        database.name()
    );
    wait_for("a session that waits for a lock", || (database.server().psql("postgres", &sql) != "0").then_some(()));
}

/// Asserts that a backup failed as it should: exit code 1, this said, and nothing left. That it began again before, because
/// another test changed a role of the same server, may have been said first.
fn assert_failed(scene: &Scene, out: &Output, says: &str) {
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().lines().any(|line| line.starts_with("lifeboat: error: ")), "{out}");
    assert!(out.stderr().contains(says), "does not say {says:?}: {out}");
    assert_eq!(scene.names(), Vec::<String>::new(), "something was left: {out}");
}

/// Restores `archive` into `database` with lifeboat, whatever comes of it.
fn restore(scene: &Scene, archive: &str, database: &Database<'_>, more: &[&str]) -> Output {
    let mut command = lifeboat();
    command.current_dir(scene.path(".")).args(["restore", archive, "--force", "--url", &database.url()]).args(more);
    output(&mut command)
}
