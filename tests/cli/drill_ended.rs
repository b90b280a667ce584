//! A drill with a PostgreSQL database that does not come to its end: a signal leaves nothing, and what `kill -9` leaves is
//! named by the next one.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::process::assert_plain;
use crate::support::{Database, Options, Output, REFERENCE, Server, lifeboat, run};

/// Waits until `sql` gives true.
fn wait_for(server: &Server, sql: &str) {
    let begun = Instant::now();
    while server.psql("postgres", sql) != "t" {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never came to be: {sql}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What waits for the statement `like` in the scratch database.
fn in_scratch(like: &str) -> String {
    format!("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname LIKE 'lifeboat_drill%' AND query LIKE '{like}')")
}

const ANY: &str = "SELECT count(*) FROM pg_database WHERE datname LIKE 'lifeboat_drill%'";

/// A database in whose copies something waits: `what` is run with a function that holds up a drill until there is a role of
/// this name.
fn held<'a>(server: &'a Server, role: &str, what: &str) -> Database<'a> {
    let database = server.database("held");
    database.psql(&format!(
        "CREATE FUNCTION held(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
           WHILE current_database() LIKE 'lifeboat_drill%' AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{role}')
           LOOP PERFORM pg_catalog.pg_sleep(0.01); END LOOP;
           RETURN $1;
         END $$;
         CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE other AS SELECT 2 AS id; {what}"
    ));
    database
}

fn drill(database: &Database<'_>, scratch: &Path) -> Command {
    let mut command = lifeboat();
    command.args(["drill", "--url", &database.url(), "--scratch"]).arg(scratch);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn end(child: Child, signal: &str) -> Output {
    run(Command::new("kill").args(["-s", signal, &child.id().to_string()]));
    let out = Output::of("lifeboat drill", child.wait_with_output().unwrap());
    assert_plain(&out);
    out
}

/// A session that does what it is told, and says a word when it has done so.
struct Session(Child, ChildStdin, BufReader<std::process::ChildStdout>);

impl Session {
    fn new(server: &Server, database: &str) -> Self {
        let mut child =
            server.psql_command(database).arg("-At").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self(child, input, output)
    }

    fn does(&mut self, sql: &str) {
        writeln!(self.1, "{sql}\n\\echo done").unwrap();
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            assert_ne!(self.2.read_line(&mut line).unwrap(), 0, "the session has ended");
        }
    }

    fn end(mut self) {
        drop(self.1);
        let _ = self.2.read_to_end(&mut Vec::new());
        self.0.wait().unwrap();
    }
}

fn assert_nothing_is_left(server: &Server, scratch: &Path, out: &Output) {
    assert_eq!(server.psql("postgres", ANY), "0", "{out}");
    assert_eq!(scratch.read_dir().unwrap().count(), 0, "{out}");
    wait_for(server, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%')");
}

#[test]
fn a_signal_leaves_no_copy_wherever_a_drill_is() {
    for major in [13, REFERENCE] {
        let Ok(server) = &Server::with(major, &Options::default()) else { continue };
        let scratch = tempfile::tempdir().unwrap();
        let scratch = scratch.path();
        let dropped = "was dropped";

        // While rows are restored, and while an index is built.
        for (what, like, signal, code) in [
            ("ALTER TABLE t ADD CHECK (held(id) > 0)", "COPY%", "TERM", 143),
            ("CREATE INDEX ON t (held(id))", "CREATE INDEX%", "INT", 130),
            ("CREATE INDEX ON t (held(id))", "CREATE INDEX%", "HUP", 129),
        ] {
            let database = held(server, "never", what);
            let child = drill(&database, scratch).spawn().unwrap();
            wait_for(server, &in_scratch(like));
            let out = end(child, signal);
            assert_eq!(out.code(), code, "{out}");
            assert!(out.stderr().contains(dropped) && out.stderr().lines().count() == 2, "{out}");
            assert!(!out.stderr().contains("restore again"), "{out}");
            assert_nothing_is_left(server, scratch, &out);
        }

        // While it is backed up, and somebody else is in it as well.
        // To see the role come, the function must not be immutable.
        let database = held(server, "go_on", "ALTER FUNCTION held VOLATILE; ALTER TABLE t ADD CHECK (held(id) > 0)");
        let child = drill(&database, scratch).spawn().unwrap();
        wait_for(server, &in_scratch("COPY%"));
        let name = server.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'lifeboat_drill%'");
        let mut holder = Session::new(server, &name);
        holder.does("BEGIN; CREATE TABLE public.mine (); LOCK TABLE public.other;");
        server.psql("postgres", "CREATE ROLE go_on");
        wait_for(
            server,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname LIKE 'lifeboat_drill%' AND wait_event_type = 'Lock')",
        );
        let out = end(child, "TERM");
        assert_eq!((out.code(), out.stderr().contains(dropped)), (143, true), "{out}");
        assert_nothing_is_left(server, scratch, &out);
        holder.end();
        server.psql("postgres", "DROP ROLE go_on");

        // While it is made: the template is held.
        let database = held(server, "never", "");
        let mut holder = Session::new(server, "postgres");
        holder.does("BEGIN; COMMENT ON DATABASE template0 IS 'held';");
        let child = drill(&database, scratch).spawn().unwrap();
        wait_for(
            server,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%' AND wait_event_type = 'Lock')",
        );
        let out = end(child, "TERM");
        assert_eq!((out.code(), out.stderr().contains(dropped)), (143, true), "{out}");
        assert_nothing_is_left(server, scratch, &out);
        holder.does("ROLLBACK;");
        holder.end();

        // Before there is one: a table of the original is held.
        let mut holder = Session::new(server, database.name());
        holder.does("BEGIN; LOCK TABLE t;");
        let child = drill(&database, scratch).spawn().unwrap();
        wait_for(
            server,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%LOCK%' AND wait_event_type = 'Lock')",
        );
        let out = end(child, "INT");
        assert_eq!(out.code(), 130, "{out}");
        assert_nothing_is_left(server, scratch, &out);
        holder.end();
    }
}

#[test]
fn what_a_killed_drill_left_is_named_by_the_next_and_what_a_living_one_has_is_not() {
    for major in [13, REFERENCE] {
        let Ok(server) = &Server::with(major, &Options::default()) else { continue };
        let scratch = tempfile::tempdir().unwrap();
        let scratch = scratch.path();
        let (database, small) = (held(server, "never", "CREATE INDEX ON t (held(id))"), server.database("small"));
        if major >= 14 {
            let name = database.name();
            server.psql("postgres", &format!("ALTER DATABASE \"{name}\" SET idle_session_timeout = '500ms'"));
        }
        let mut child = drill(&database, scratch).spawn().unwrap();
        wait_for(server, &in_scratch("CREATE INDEX%"));
        // A session that says nothing for longer than it may is gone.
        wait_for(
            server,
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat_drill%'
             AND state = 'idle' AND state_change > clock_timestamp() - interval '1 s')",
        );
        let name = server.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'lifeboat_drill%'");
        // Nobody else gets in: functions with their owner's rights have the superuser's there.
        server.psql("postgres", "CREATE ROLE stranger LOGIN");
        let may = format!("SELECT has_database_privilege('stranger', '{name}', 'CONNECT')");
        assert_eq!(server.psql("postgres", &may), "f");
        let folder = scratch.read_dir().unwrap().next().unwrap().unwrap().path();

        small.psql("CREATE TABLE t AS SELECT 1 AS id");

        // It is on its way.
        let out = run(lifeboat().args(["drill", "--url", &small.url(), "--scratch"]).arg(scratch));
        assert_eq!(out.stderr(), "", "{out}");

        child.kill().unwrap();
        child.wait().unwrap();
        // The session that shows its life sees that nobody is there; what was being done goes on.
        wait_for(
            server,
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat_drill%')",
        );
        assert_eq!(server.psql("postgres", &in_scratch("CREATE INDEX%")), "t");
        for _ in 0..2 {
            let out = run(lifeboat().args(["drill", "--url", &small.url(), "--scratch"]).arg(scratch));
            let told = format!("lifeboat: warning: database {name} of postgres: a drill that was killed left it");
            assert!(out.stderr().contains(&told), "{out}");
            assert!(out.stderr().contains(&format!("DROP DATABASE {name}")), "{out}");
            let told = format!("lifeboat: warning: {}: a drill that was killed left it", folder.display());
            assert!(out.stderr().contains(&told), "{out}");
            assert_eq!(out.stderr().lines().count(), 2, "{out}");
        }
        // It is there still, and goes as is said.
        assert_eq!(server.psql("postgres", ANY), "1");
        server.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        std::fs::remove_dir_all(folder).unwrap();
        let out = run(lifeboat().args(["drill", "--url", &small.url(), "--scratch"]).arg(scratch));
        assert_eq!(out.stderr(), "", "{out}");
    }
}
