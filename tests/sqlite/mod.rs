//! SQLite databases backed up and restored by the binary, as a user would do it.

mod attributes;
mod backup;
mod busy;
mod constraints;
mod faults;
mod modules;
mod other_names;
mod readonly;
mod restore;
mod switch;
mod traced;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::support::{Output, lifeboat, output};

/// A folder in which a test plays; it is the current folder of the program under test.
pub struct Scene {
    folder: TempDir,
}

impl Scene {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What is in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn lifeboat(&self, arguments: &[&str]) -> Output {
        output(lifeboat().current_dir(self.folder.path()).args(arguments))
    }

    /// Runs the program, which must succeed.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let out = self.lifeboat(arguments);
        assert!(out.success(), "{out}");
        out
    }

    /// Runs the program, which must end with this code and say this, and print nothing on standard output.
    pub fn fails(&self, code: i32, says: &str, arguments: &[&str]) -> Output {
        let out = self.lifeboat(arguments);
        assert_eq!(out.code(), code, "{out}");
        assert!(out.stderr().starts_with("lifeboat: error: "), "{out}");
        assert!(out.stderr().contains(says), "does not say {says:?}: {out}");
        assert_eq!(out.stdout(), "", "{out}");
        out
    }

    /// Makes a database with rows and closes it.
    pub fn database(&self, name: &str, mode: &str, rows: i64) -> PathBuf {
        let path = self.path(name);
        let mut connection = Connection::open(&path).unwrap();
        connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
        let transaction = connection.transaction().unwrap();
        // The tables that the drill's writer writes to.
        transaction
            .execute_batch(
                "CREATE TABLE transfers(seq INTEGER PRIMARY KEY, debit, credit, amount, note);
                 CREATE TABLE documents(seq INTEGER PRIMARY KEY, title TEXT, body BLOB);
                 CREATE INDEX by_title ON documents(title);
                 INSERT INTO transfers(seq) VALUES (0);",
            )
            .unwrap();
        for n in 1..=rows {
            let title = format!("{name} {n}");
            transaction.execute("INSERT INTO documents VALUES (?1, ?2, randomblob(3000))", params![-n, title]).unwrap();
        }
        transaction.commit().unwrap();
        path
    }

    pub fn url(name: &str) -> String {
        format!("sqlite:///{name}")
    }
}

/// Rows of the table that [`Scene::database`] fills; the file must not need anything beside it.
pub fn rows(path: &Path) -> i64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    assert_eq!(connection.query_row("PRAGMA integrity_check", [], |r| r.get::<_, String>(0)).unwrap(), "ok");
    connection.query_row("SELECT count(*) FROM documents", [], |row| row.get(0)).unwrap()
}

/// Another process that writes to a database all the time, a row in each of two tables in every transaction.
pub struct Writer(Child);

impl Writer {
    /// Starts it and waits until it has written something.
    pub fn start(database: &Path) -> Self {
        let mut child =
            lifeboat().arg("drill-writer").arg(database).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..20 {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            assert!(line.trim().parse::<i64>().is_ok(), "the writer says {line:?}");
        }
        std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
        Self(child)
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it as a power cut would.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
