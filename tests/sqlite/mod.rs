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

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rusqlite::{Connection, params};

use crate::support::{Scene, lifeboat};

impl Scene {
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
