//! pgbouncer, before a server.

use std::ffi::OsString;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::debian;
use super::needs::{self, Needed};
use super::process::{isolate, run};
use super::server::{Account, SUPERUSER, Server, free_port, new_directory, write};

/// A running pgbouncer, ended when the value is dropped.
#[derive(Debug)]
pub struct Pool {
    watchdog: Child,
    dir: PathBuf,
    port: u16,
}

/// $1 is the directory. The pooler ends when standard input does.
const WATCHDOG: &str = r#"
exec 3<&0
"$2" "$1/pool.ini" >"$1/log" 2>&1 </dev/null 3<&- &
pooler=$!
cat <&3 >/dev/null
kill -TERM $pooler
kill -TERM $pooler
wait
rm -rf "$1"/*
"#;

impl Pool {
    /// A pool of connections to `server` in this mode, with more lines of its configuration.
    pub fn start(server: &Server, mode: &str, more: &str) -> Needed<Pool> {
        let program = needs::need("pgbouncer", debian::pgbouncer())?;
        Ok(Pool::try_start(program, server, mode, more).unwrap_or_else(|why| panic!("pgbouncer does not start: {why}")))
    }

    fn try_start(
        (program, libraries): (PathBuf, OsString),
        server: &Server,
        mode: &str,
        more: &str,
    ) -> Result<Pool, String> {
        let account = Account::choose()?;
        let (dir, port) = (new_directory()?, free_port()?);
        let configuration = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\nignore_startup_parameters = options\n\
             pool_mode = {mode}\n{more}\n",
            server.socket_dir().display(),
            server.port(),
            dir.join("users").display()
        );
        write(&dir.join("pool.ini"), &configuration, 0o644)?;
        write(&dir.join("users"), &format!("\"{SUPERUSER}\" \"\"\n"), 0o644)?;
        account.take(&dir)?;
        let mut watchdog = Command::new("sh");
        isolate(&mut watchdog).env("LD_LIBRARY_PATH", libraries);
        watchdog.args(["-c", WATCHDOG, "sh"]).arg(&dir).arg(program).current_dir("/");
        account.assume(&mut watchdog);
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watchdog = watchdog.spawn().map_err(|e| format!("cannot run sh: {e}"))?;
        let pool = Pool { watchdog, dir, port };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > Duration::from_secs(60) {
                return Err(fs::read_to_string(pool.dir.join("log")).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(pool)
    }

    /// The URL of a database through the pool.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://{SUPERUSER}@127.0.0.1:{}/{database}", self.port)
    }

    /// psql through the pool.
    pub fn psql_command(&self, server: &Server, database: &str) -> Command {
        let mut command = server.psql_command(database);
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).arg("-At");
        command
    }

    /// Runs `sql` through the pool and gives its rows.
    pub fn psql(&self, server: &Server, database: &str, sql: &str) -> String {
        run(self.psql_command(server, database).args(["-c", sql])).stdout().trim_end().to_owned()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
