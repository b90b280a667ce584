//! PostgreSQL servers that live as long as the test process, or as long as their value.
//!
//! A shell watches over each server: it waits for the end of a pipe whose other end only this process holds, so a server
//! and its directory are gone even after `kill -9` of the tests.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::installation::{Installation, psql, selected};
use super::needs::{self, Needed};
use super::process::{Output, isolate, output, run, try_run};
use super::wait::wait_for_true;
use super::{Database, MAJORS, debian, witness};

/// The installation of a major that is to be tested.
fn installation(major: u32) -> Needed<&'static Installation> {
    if !selected(major) {
        return Err(needs::left_out(
            &format!("everything on PostgreSQL {major}"),
            &"LIFEBOAT_TEST_MAJORS leaves it out",
        ));
    }
    super::installation::needed(major)
}

/// What `start` gives for the newest major for which it gives something.
pub fn newest<T>(start: impl Fn(u32) -> Needed<T>) -> Needed<T> {
    let (last, others) = MAJORS.split_first().expect("a list that has majors");
    others.iter().rev().find_map(|major| start(*major).ok()).map_or_else(|| start(*last), Ok)
}

/// The superuser of every server.
pub const SUPERUSER: &str = "postgres";
/// The password of the superuser and of the roles that every server has; it only matters where `hba` asks for one.
pub const PASSWORD: &str = "it's a test: 100% öffentlich";
/// Roles that every server has, for cases with owners and privileges.
pub const ROLES: [&str; 3] = ["alice", "bob", "carol"];
/// A tablespace that every server has.
pub const TABLESPACE: &str = "elsewhere";

/// How a server differs from the ordinary one.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Offer TLS, with a certificate for `localhost` and 127.0.0.1; see [`Server::ca`].
    pub tls: bool,
    /// The lines of pg_hba.conf for TCP; empty: everybody is trusted. The Unix socket always trusts.
    pub hba: String,
    /// More lines of postgresql.conf.
    pub config: String,
    /// More arguments of initdb.
    pub initdb: Vec<String>,
    /// The directory and the port of the server that it is a hot standby of; see [`Server::standby`].
    pub standby_of: Option<(PathBuf, u16)>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    installation: &'static Installation,
    dir: PathBuf,
    port: u16,
    watchdog: Child,
}

impl Server {
    /// The server of `major` that all tests of this process share, started when it is first asked for.
    pub fn get(major: u32) -> Needed<&'static Server> {
        static SHARED: [OnceLock<Server>; MAJORS.len()] = [const { OnceLock::new() }; MAJORS.len()];
        let installation = installation(major)?;
        let shared = MAJORS.iter().zip(&SHARED).find_map(|(known, server)| (*known == major).then_some(server));
        Ok(shared.expect("a major that has an installation").get_or_init(|| Server::of(installation)))
    }

    /// The shared server of the newest major.
    pub fn newest() -> Needed<&'static Server> {
        newest(Server::get)
    }

    /// The shared servers of these majors.
    pub fn each(majors: impl IntoIterator<Item = u32>) -> impl Iterator<Item = &'static Server> {
        majors.into_iter().filter_map(|major| Server::get(major).ok())
    }

    /// The shared servers of all majors.
    pub fn all() -> impl Iterator<Item = &'static Server> {
        Server::each(MAJORS)
    }

    /// As [`Server::get`], of a server that is built with ICU.
    pub fn with_icu(major: u32) -> Needed<&'static Server> {
        static WITH_ICU: Mutex<BTreeMap<u32, &'static Server>> = Mutex::new(BTreeMap::new());
        let mut servers = WITH_ICU.lock().unwrap();
        if let Some(server) = servers.get(&major) {
            return Ok(server);
        }
        let found = needs::need(&format!("icu-{major}"), super::installation::with_icu(major))?;
        let server = Box::leak(Box::new(Server::of(Box::leak(Box::new(found)))));
        servers.insert(major, server);
        Ok(server)
    }

    /// A server of its own, stopped when the value is dropped.
    pub fn with(major: u32, options: &Options) -> Needed<Server> {
        Ok(Server::start(installation(major)?, options))
    }

    /// A hot standby of this server.
    pub fn standby(&self) -> Needed<Server> {
        let tool = self.installation.tool("pg_basebackup").ok_or("there is no pg_basebackup");
        needs::need(&format!("client-tools-{}", self.major()), tool)?;
        let standby_of = Some((self.dir.clone(), self.port));
        Ok(Server::start(self.installation, &Options { standby_of, ..Options::default() }))
    }

    /// Whether this server's installation has an extension.
    pub fn offers(&self, extension: &str) -> Needed<()> {
        let quoted = extension.replace('\'', "''");
        let sql = format!("SELECT count(*) > 0 FROM pg_available_extensions WHERE name = '{quoted}'");
        let there = (self.sql("postgres", &sql) == "t").then_some(()).ok_or(format!("{extension} is not there"));
        needs::need(&format!("extensions-{}", self.major()), there)
    }

    /// Waits until this standby has all that `primary` has.
    pub fn catch_up(&self, primary: &Server) {
        let wanted = primary.sql("postgres", "SELECT pg_current_wal_flush_lsn()");
        wait_for_true(self, &format!("SELECT pg_last_wal_replay_lsn() >= '{wanted}'"));
    }

    /// A server of an installation that is none of the usual ones, stopped when the value is dropped.
    pub fn of(installation: &'static Installation) -> Server {
        Server::start(installation, &Options::default())
    }

    pub fn major(&self) -> u32 {
        self.installation.major
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.dir
    }

    /// The certificate of the authority that signed the server's, if it was started with TLS.
    pub fn ca(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join("log")).unwrap_or_default()).into_owned()
    }

    /// A new empty database, dropped with its value. Its name is `prefix` and a number.
    pub fn database(&self, prefix: &str) -> Database<'_> {
        self.database_with(prefix, "")
    }

    /// A new database that is a copy of `origin`, to which nobody may be connected.
    pub fn database_from(&self, prefix: &str, origin: &str) -> Database<'_> {
        self.create(prefix, &format!("TEMPLATE \"{}\"", origin.replace('"', "\"\"")))
    }

    /// A new empty database, made with more options of CREATE DATABASE: `ENCODING 'LATIN1'`.
    pub fn database_with(&self, prefix: &str, options: &str) -> Database<'_> {
        self.create(prefix, &format!("TEMPLATE template0 {options}"))
    }

    fn create(&self, prefix: &str, options: &str) -> Database<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix: String = prefix.chars().take(50).collect();
        let name = format!("{prefix}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let quoted = name.replace('"', "\"\"");
        // Cheaper than to write each page into the log, and to drop its buffers afterwards.
        let strategy = if self.major() >= 15 { "STRATEGY file_copy" } else { "" };
        self.sql("postgres", &format!("CREATE DATABASE \"{quoted}\" {options} {strategy}"));
        Database::new(self, name)
    }

    /// Runs `sql` in the database `dbname` and gives its rows, columns parted by `|`, as psql would print them; fails the test on
    /// an error. It is another client that does it, see [`witness`].
    pub fn sql(&self, dbname: &str, sql: &str) -> String {
        witness::rows(self, dbname, sql).trim_end_matches('\n').to_owned()
    }

    /// Runs `sql` in the database `dbname`, whatever comes of it.
    pub fn try_psql(&self, dbname: &str, sql: &str) -> Output {
        let mut command = self.psql_command(dbname);
        output(command.args(["-At", "-c", sql]))
    }

    /// psql on the database `dbname`, as the superuser, through the Unix socket; it stops at an error.
    pub fn psql_command(&self, dbname: &str) -> Command {
        let mut command = psql();
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
        command.env("PGOPTIONS", "-c client_min_messages=warning");
        self.address(&mut command, dbname);
        command
    }

    /// Points a program of PostgreSQL's to the database `dbname`, through its environment.
    pub fn address(&self, command: &mut Command, dbname: &str) {
        command.env("PGHOST", &self.dir).env("PGPORT", self.port.to_string());
        command.env("PGUSER", SUPERUSER).env("PGDATABASE", dbname);
    }

    fn start(installation: &'static Installation, options: &Options) -> Server {
        // The port is chosen, given back and then taken by the server: somebody else may be faster.
        let mut trouble = String::new();
        for _ in 0..3 {
            match Server::try_start(installation, options) {
                Ok(server) => {
                    if options.standby_of.is_none() {
                        server.furnish();
                    }
                    return server;
                }
                Err(why) => trouble = why,
            }
        }
        panic!("PostgreSQL {} does not start: {trouble}", installation.major);
    }

    fn try_start(installation: &'static Installation, options: &Options) -> Result<Server, String> {
        let account = Account::choose()?;
        let dir = new_directory()?;
        let port = free_port()?;
        write(&dir.join("password"), &format!("{PASSWORD}\n"), 0o600)?;
        write(&dir.join("extra.conf"), &configuration(&dir, port, options), 0o644)?;
        let hba = if options.hba.is_empty() { "host all all 127.0.0.1/32 trust" } else { &options.hba };
        write(&dir.join("hba.conf"), &format!("local all all trust\nlocal replication all trust\n{hba}\n"), 0o644)?;
        if options.tls {
            certificates(&dir)?;
        }
        account.take(&dir)?;

        let mut watchdog = Command::new("sh");
        isolate(&mut watchdog);
        watchdog.envs(installation.environment.iter().cloned());
        watchdog.args(["-c", WATCHDOG, "sh"]).arg(&dir).arg(&installation.bin).args(&options.initdb);
        watchdog.current_dir("/").process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((primary, port)) = &options.standby_of {
            watchdog.env("PRIMARY", primary).env("PGPORT", port.to_string());
        }
        account.assume(&mut watchdog);
        let child = watchdog.spawn().map_err(|e| format!("cannot run sh: {e}"))?;
        let mut server = Server { installation, dir, port, watchdog: child };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let begin = Instant::now();
        loop {
            let pid_file = fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap_or_default();
            if pid_file.lines().nth(7).is_some_and(|status| status.trim() == "ready") {
                return Ok(());
            }
            if self.dir.join("ended").exists() {
                return Err(format!("it ended early: {}", self.log()));
            }
            if begin.elapsed() > Duration::from_secs(120) {
                return Err(format!("it is not ready after two minutes: {}", self.log()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes what every server has.
    fn furnish(&self) {
        let password = PASSWORD.replace('\'', "''");
        let mut sql = format!("CREATE TABLESPACE {TABLESPACE} LOCATION '{}';", self.dir.join("space").display());
        for role in ROLES {
            sql.push_str(&format!("CREATE ROLE {role} LOGIN PASSWORD '{password}';"));
        }
        // CREATE TABLESPACE refuses to be part of an implicit transaction, so psql gets a script.
        let script = self.dir.join("furnish.sql");
        fs::write(&script, sql.replace(';', ";\n")).unwrap();
        run(self.psql_command("postgres").arg("-f").arg(&script));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
        // The watchdog could not remove what it does not own; there is nothing else to do about a leftover.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// $1 is the server's directory, $2 the installation's programs, the rest more arguments of initdb; PRIMARY is the directory
/// of the server that it is a standby of, if it is one. It starts the server, stops it when its standard input ends, and then removes the directory. The file `ended` says that the server is not, or
/// no longer, there.
const WATCHDOG: &str = r#"
dir=$1; bin=$2; shift 2
exec 3<&0
trap '' HUP INT TERM
make() {
  if [ -n "$PRIMARY" ]
  then
    "$bin/pg_basebackup" --no-sync -D "$dir/data" -R -X stream -c fast -h "$PRIMARY" -U postgres \
      -T "$PRIMARY/space=$dir/space" &&
      # What pg_basebackup writes names options that the library of the server need not know.
      echo "primary_conninfo = 'host=$PRIMARY port=$PGPORT user=postgres'" >>"$dir/data/postgresql.auto.conf"
  else
    "$bin/initdb" --no-sync -D "$dir/data" -U postgres --encoding=UTF8 --locale=C --auth=trust \
      --pwfile="$dir/password" "$@"
  fi
}
if make "$@" >"$dir/log" 2>&1 </dev/null 3<&-
then
  cat "$dir/extra.conf" >>"$dir/data/postgresql.conf"
  cat "$dir/hba.conf" >"$dir/data/pg_hba.conf"
  mkdir -p "$dir/space"
  ( trap - HUP INT TERM; exec "$bin/postgres" -D "$dir/data" >>"$dir/log" 2>&1 </dev/null 3<&- ) &
  server=$!
  ( cat <&3 >/dev/null; kill -QUIT $server 2>/dev/null ) &
  waiter=$!
  wait $server
  : >"$dir/ended"
  wait $waiter
else
  : >"$dir/ended"
  cat <&3 >/dev/null
fi
rm -rf "$dir"/*
rmdir "$dir"
"#;

fn configuration(dir: &Path, port: u16, options: &Options) -> String {
    let mut text = format!(
        "listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{}'
unix_socket_permissions = 0777
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
jit = off
shared_buffers = 64MB
max_connections = 60
max_locks_per_transaction = 256
max_prepared_transactions = 4
wal_level = logical
max_wal_size = 512MB
checkpoint_timeout = 1h
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
",
        dir.display()
    );
    if options.tls {
        text.push_str(&format!(
            "ssl = on\nssl_cert_file = '{0}/server.crt'\nssl_key_file = '{0}/server.key'\n",
            dir.display()
        ));
    }
    text.push_str(&options.config);
    text.push('\n');
    text
}

/// Makes an authority and a server's certificate signed by it.
fn certificates(dir: &Path) -> Result<(), String> {
    let openssl = |args: &str| try_run(debian::program("openssl")?.args(args.split(' ')).current_dir(dir)).map(drop);
    write(&dir.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n", 0o644)?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.crt -days 30 -subj /CN=lifeboat-test-authority"))?;
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"))?;
    openssl("x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile names -out server.crt")
}

/// The user that runs servers: a server refuses to be run by root.
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    pub(super) fn choose() -> Result<Account, String> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Account(None));
        }
        let users = fs::read_to_string("/etc/passwd").map_err(|e| format!("cannot read /etc/passwd: {e}"))?;
        for wanted in ["postgres", "nobody"] {
            for line in users.lines() {
                let fields: Vec<&str> = line.split(':').collect();
                if let [name, _, uid, gid, ..] = fields[..]
                    && name == wanted
                    && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
                {
                    return Ok(Account(Some((uid, gid))));
                }
            }
        }
        Err("a server does not run as root, and there is neither a user postgres nor nobody".to_owned())
    }

    /// Gives `dir` and the files in it to the user.
    pub(super) fn take(&self, dir: &Path) -> Result<(), String> {
        let Some((uid, gid)) = self.0 else { return Ok(()) };
        let files = fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?;
        for path in files.flatten().map(|e| e.path()).chain([dir.to_owned()]) {
            std::os::unix::fs::chown(&path, Some(uid), Some(gid))
                .map_err(|e| format!("cannot give {} to user {uid}: {e}", path.display()))?;
        }
        Ok(())
    }

    pub(super) fn assume(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid).env("HOME", "/nonexistent");
        }
    }
}

/// A directory that other users may enter, with a path short enough for a Unix socket in it.
pub(super) fn new_directory() -> Result<PathBuf, String> {
    let base = memory().unwrap_or_else(|| {
        Some(std::env::temp_dir()).filter(|dir| dir.as_os_str().len() <= 60).unwrap_or("/tmp".into())
    });
    let dir = tempfile::Builder::new()
        .prefix("lifeboat-pg.")
        .tempdir_in(&base)
        .map_err(|e| format!("cannot create a directory in {}: {e}", base.display()))?
        .keep();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).map_err(|e| format!("cannot set a mode: {e}"))?;
    Ok(dir)
}

/// A file system in memory, if there is one with room for what all tests make at a time. A new database is some 300 files, and
/// on ext4 most of a run's time went into finding inodes for them: one that was freed in the last seconds is not taken again.
fn memory() -> Option<PathBuf> {
    const ROOM: u64 = 6 << 30;
    let dir = PathBuf::from("/dev/shm");
    let about = rustix::fs::statvfs(&dir).ok()?;
    let memory = fs::read_to_string("/proc/meminfo").ok()?;
    let available = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    (about.f_bavail * about.f_frsize >= ROOM && available? * 1024 >= ROOM).then_some(dir)
}

pub(super) fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| format!("cannot find a free port: {e}"))
}

pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(|e| format!("cannot write {}: {e}", path.display()))
}
