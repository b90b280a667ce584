//! A database of a test's own.

use std::path::Path;
use std::process::Command;

use super::archive::{Rows, assert_same};
use super::installation::pg_tool;
use super::process::{Output, output, run};
use super::server::{SUPERUSER, Server};
use super::{REFERENCE, reference_for, report, verbs, witness};

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct Database<'a> {
    server: &'a Server,
    name: String,
}

impl<'a> Database<'a> {
    pub(super) fn new(server: &'a Server, name: String) -> Self {
        Self { server, name }
    }

    pub fn server(&self) -> &'a Server {
        self.server
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL as the superuser, over TCP.
    pub fn url(&self) -> String {
        self.url_as(SUPERUSER)
    }

    /// Its URL as `user`, over TCP.
    pub fn url_as(&self, user: &str) -> String {
        format!("postgresql://{user}@127.0.0.1:{}/{}", self.server.port(), self.name)
    }

    /// Its URL as the superuser, over the Unix socket.
    pub fn socket_url(&self) -> String {
        let dir = self.server.socket_dir().display().to_string().replace('/', "%2F");
        format!("postgresql://{SUPERUSER}@{dir}:{}/{}", self.server.port(), self.name)
    }

    /// Runs `sql` and gives its rows, columns parted by `|`, as psql would print them; fails the test on an error.
    pub fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.name, sql)
    }

    /// What `COPY … TO STDOUT` gives.
    pub fn copied(&self, sql: &str) -> String {
        witness::copied(self.server, &self.name, sql)
    }

    /// Runs `sql` with psql, whatever comes of it.
    pub fn try_psql(&self, sql: &str) -> Output {
        self.server.try_psql(&self.name, sql)
    }

    /// Runs a script with psql, whose `\if`, `\gset` and `:SERVER_VERSION_NUM` it may use; fails the test on an error.
    pub fn load_file(&self, path: &Path) -> Output {
        run(self.server.psql_command(&self.name).arg("-f").arg(path))
    }

    /// As [`Database::load_file`], of a script of the project's.
    pub fn load(&self, script: &str) -> Output {
        self.load_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
    }

    /// A client tool of `major` that will talk to this database; where the reference's is asked for, and the server is newer, that
    /// server's own.
    pub fn tool(&self, major: u32, name: &str) -> Command {
        let major = if major == REFERENCE { reference_for(self.server.major()) } else { major };
        let mut command = pg_tool(major, name);
        self.server.address(&mut command, &self.name);
        command
    }

    /// pg_dump of `major` into a custom-format archive; fails the test on an error or a warning.
    pub fn pg_dump(&self, major: u32, args: &[&str], path: &Path) {
        let out = run(self.tool(major, "pg_dump").arg("-Fc").args(args).arg("-f").arg(path));
        assert!(out.stderr.is_empty(), "pg_dump has something to say: {out}");
    }

    /// pg_restore of `major` into this database, whatever comes of it.
    pub fn pg_restore(&self, major: u32, args: &[&str], path: &Path) -> Output {
        output(self.tool(major, "pg_restore").args(args).arg("-d").arg(&self.name).arg(path))
    }

    /// lifeboat's backup of it; fails the test on an error.
    pub fn backup(&self, path: &Path, options: &[&str]) -> Output {
        run(&mut verbs::backup(&self.url(), path, options))
    }

    /// As [`Database::backup`], whatever comes of it.
    pub fn try_backup(&self, path: &Path, options: &[&str]) -> Output {
        output(&mut verbs::backup(&self.url(), path, options))
    }

    /// lifeboat's restore over what is in it; fails the test on an error.
    pub fn restore(&self, archive: &Path, options: &[&str]) -> Output {
        run(&mut verbs::restore(&self.url(), archive, options))
    }

    /// As [`Database::restore`], whatever comes of it.
    pub fn try_restore(&self, archive: &Path, options: &[&str]) -> Output {
        output(&mut verbs::restore(&self.url(), archive, options))
    }

    /// Fails the test unless what is in it is what pg_dump's `archive` holds; rows may stand in another order.
    pub fn assert_is(&self, what: &str, archive: &Path) {
        let now = tempfile::NamedTempFile::new().unwrap();
        self.pg_dump(REFERENCE, &[], now.path());
        assert_same(what, archive, now.path(), Rows::AnyOrder);
    }
}

impl Database<'_> {
    /// A database with subscriptions cannot be dropped, and a subscription with a slot's name wants to drop that first.
    fn drop_subscriptions(&self) {
        self.try_psql(
            "DO $$ DECLARE s record; BEGIN
               FOR s IN SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()
               LOOP
                 EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', s.subname);
                 EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', s.subname);
                 EXECUTE format('DROP SUBSCRIPTION %I', s.subname);
               END LOOP;
             END $$",
        );
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let quoted = self.name.replace('"', "\"\"");
        // A template cannot be dropped.
        let keep = format!("ALTER DATABASE \"{quoted}\" IS_TEMPLATE false");
        let drop = format!("DROP DATABASE IF EXISTS \"{quoted}\" WITH (FORCE)");
        let server = self.server;
        let both = || output(server.psql_command("postgres").args(["-v", "ON_ERROR_STOP=0", "-c", &keep, "-c", &drop]));
        let mut out = both();
        if !out.success() {
            self.drop_subscriptions();
            out = both();
        }
        if !out.success() && !std::thread::panicking() {
            report::say(&format!("a database is left behind: {out}"));
        }
    }
}
