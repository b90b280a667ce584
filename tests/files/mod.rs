//! The files that are made: on file systems that lack what others have, by runs that are killed, in folders where others have
//! planted something, and in folders that go away meanwhile.

mod folders;
mod killed;
mod moved;
mod planted;
mod strange;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use rusqlite::Connection;

use crate::support::wait::wait_until;
use crate::support::{Database, Output, Running, Scene, Server, Session, lifeboat, unfinished};

/// A database of a few MB, and what is restored from: `source.db` and `source.dump` in a folder of their own.
struct Sources<'a> {
    scene: Scene,
    database: Database<'a>,
}

impl<'a> Sources<'a> {
    fn new(server: &'a Server) -> Self {
        let (scene, database) = (Scene::new(), server.database("files"));
        database.sql("CREATE TABLE t AS SELECT g, md5(g::text) AS text FROM generate_series(1, 200000) g");
        scene.run(&["backup", "--url", &database.url(), "--output", "source.dump"]);
        scene.database("source.db", "delete", 2_000);
        Self { scene, database }
    }

    fn sqlite_url(&self) -> String {
        format!("sqlite:///{}", self.scene.path("source.db").display())
    }

    /// Every way of making a file `name`, as arguments.
    fn ways(&self, name: &str) -> Vec<Vec<String>> {
        let (dump, saved) = (self.scene.path("source.dump"), self.scene.path("source.db"));
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let target = format!("sqlite:///{name}");
        vec![
            words(&["backup", "--url", &self.database.url(), "--output", name]),
            words(&["restore", dump.to_str().unwrap(), "--script", name]),
            words(&["backup", "--url", &self.sqlite_url(), "--output", name]),
            words(&["backup", "--url", &self.sqlite_url(), "--output", name, "--compact"]),
            words(&["restore", saved.to_str().unwrap(), "--url", &target, "--force"]),
        ]
    }
}

/// What makes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Postgres,
    Script,
    Sqlite,
    Compact,
}

impl Way {
    const ALL: [Way; 4] = [Way::Postgres, Way::Script, Way::Sqlite, Way::Compact];
}

/// A run that has begun its file and waits: for a lock, or for more of its input.
struct Waiting {
    running: Running,
    /// Lets it go on.
    release: Box<dyn FnOnce()>,
}

impl Waiting {
    /// Starts a run that makes `folder`/`name`.
    fn start(sources: &Sources<'_>, way: Way, folder: &Path, name: &str, more: &[&str]) -> Self {
        let mut command = lifeboat();
        let source = sources.scene.path("source.db");
        let (url, sqlite) = (sources.database.url(), sources.sqlite_url());
        match way {
            Way::Postgres => command.args(["backup", "--url", &url, "--output"]),
            Way::Script => command.args(["restore", "-", "--script"]),
            Way::Sqlite => command.args(["backup", "--url", &sqlite, "--output"]),
            Way::Compact => command.args(["backup", "--url", &sqlite, "--compact", "--output"]),
        };
        command.arg(folder.join(name)).args(more);
        let release: Box<dyn FnOnce()>;
        let mut running;
        match way {
            Way::Postgres => {
                let mut session = Session::open(&sources.database);
                session.run("BEGIN; LOCK TABLE t");
                running = Running::reading(&mut command, Stdio::piped());
                release = Box::new(|| drop(session));
            }
            Way::Script => {
                running = Running::reading(&mut command, Stdio::piped());
                let bytes = fs::read(sources.scene.path("source.dump")).unwrap();
                let (mut input, half) = (running.child.stdin.take().unwrap(), bytes.len() / 2);
                input.write_all(&bytes[..half]).unwrap();
                // It may have been killed.
                release = Box::new(move || _ = input.write_all(&bytes[half..]));
            }
            Way::Sqlite | Way::Compact => {
                let holder = Connection::open(source).unwrap();
                holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
                running = Running::reading(&mut command, Stdio::piped());
                release = Box::new(|| drop(holder));
            }
        }
        let mut waiting = Self { running, release };
        waiting.wait_for_file(folder);
        waiting
    }

    /// Waits until the file is there, and not only one by which it is tried what the file system can do.
    fn wait_for_file(&mut self, folder: &Path) {
        let mut seen = 0;
        wait_until("an unfinished file", || {
            assert!(!self.running.has_ended(), "there is no unfinished file");
            seen = if unfinished(self.running.pid(), folder).is_some() { seen + 1 } else { 0 };
            seen == 10
        });
    }

    /// Sends it a signal and gives what it did; what it waits for does not come.
    fn ended_by(self, signal: &str) -> Output {
        let out = self.running.ended_by(signal);
        (self.release)();
        out
    }

    /// Lets it go on, and gives what it did.
    fn go_on(self) -> Output {
        (self.release)();
        self.running.end()
    }
}
