//! A session of psql that stays, to hold locks.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::{Database, Server};

/// It ends with this value.
pub struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub fn open(database: &Database<'_>) -> Self {
        Self::on(database.server(), database.name())
    }

    pub fn on(server: &Server, dbname: &str) -> Self {
        let mut command = server.psql_command(dbname);
        let mut child = command.args(["-At"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// Begins to run `sql`.
    pub fn send(&mut self, sql: &str) {
        writeln!(self.input, "{sql};").unwrap();
    }

    /// Runs `sql` and waits for its end.
    pub fn run(&mut self, sql: &str) {
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
