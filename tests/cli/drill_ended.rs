//! A drill with a PostgreSQL database that does not come to its end: a signal leaves nothing, and what `kill -9` leaves is
//! named by the next one.

use std::path::Path;

use crate::support::process::assert_plain;
use crate::support::wait::wait_for_true;
use crate::support::{Database, Options, Output, REFERENCE, Running, Server, Session, lifeboat, run};

/// What waits for the statement `like` in the scratch database.
fn in_scratch(like: &str) -> String {
    format!("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname LIKE 'lifeboat_drill%' AND query LIKE '{like}')")
}

const ANY: &str = "SELECT count(*) FROM pg_database WHERE datname LIKE 'lifeboat_drill%'";

/// A database in whose copies something waits: `what` is run with a function that holds up a drill until there is a role of
/// this name.
fn held<'a>(server: &'a Server, role: &str, what: &str) -> Database<'a> {
    let database = server.database("held");
    database.sql(&format!(
        "CREATE FUNCTION held(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
           WHILE current_database() LIKE 'lifeboat_drill%' AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{role}')
           LOOP PERFORM pg_catalog.pg_sleep(0.01); END LOOP;
           RETURN $1;
         END $$;
         CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE other AS SELECT 2 AS id; {what}"
    ));
    database
}

fn drill(database: &Database<'_>, scratch: &Path) -> Running {
    Running::start(lifeboat().args(["drill", "--url", &database.url(), "--scratch"]).arg(scratch))
}

fn end(drill: Running, signal: &str) -> Output {
    let out = drill.ended_by(signal);
    assert_plain(&out);
    out
}

fn assert_nothing_is_left(server: &Server, scratch: &Path, out: &Output) {
    assert_eq!(server.sql("postgres", ANY), "0", "{out}");
    assert_eq!(scratch.read_dir().unwrap().count(), 0, "{out}");
    wait_for_true(server, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%')");
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
            let running = drill(&database, scratch);
            wait_for_true(server, &in_scratch(like));
            let out = end(running, signal);
            assert_eq!(out.code(), code, "{out}");
            assert!(out.stderr().contains(dropped) && out.stderr().lines().count() == 2, "{out}");
            assert!(!out.stderr().contains("restore again"), "{out}");
            assert_nothing_is_left(server, scratch, &out);
        }

        // While it is backed up, and somebody else is in it as well.
        // To see the role come, the function must not be immutable.
        let database = held(server, "go_on", "ALTER FUNCTION held VOLATILE; ALTER TABLE t ADD CHECK (held(id) > 0)");
        let running = drill(&database, scratch);
        wait_for_true(server, &in_scratch("COPY%"));
        let name = server.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'lifeboat_drill%'");
        let mut holder = Session::on(server, &name);
        holder.run("BEGIN; CREATE TABLE public.mine (); LOCK TABLE public.other;");
        server.sql("postgres", "CREATE ROLE go_on");
        wait_for_true(
            server,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname LIKE 'lifeboat_drill%' AND wait_event_type = 'Lock')",
        );
        let out = end(running, "TERM");
        assert_eq!((out.code(), out.stderr().contains(dropped)), (143, true), "{out}");
        assert_nothing_is_left(server, scratch, &out);
        drop(holder);
        server.sql("postgres", "DROP ROLE go_on");

        // While it is made: the template is held.
        let database = held(server, "never", "");
        let mut holder = Session::on(server, "postgres");
        holder.run("BEGIN; COMMENT ON DATABASE template0 IS 'held';");
        let running = drill(&database, scratch);
        wait_for_true(
            server,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%' AND wait_event_type = 'Lock')",
        );
        let out = end(running, "TERM");
        assert_eq!((out.code(), out.stderr().contains("there was no scratch database yet")), (143, true), "{out}");
        assert_nothing_is_left(server, scratch, &out);
        holder.run("ROLLBACK;");
        drop(holder);

        // Before there is one: a table of the original is held.
        let mut holder = Session::on(server, database.name());
        holder.run("BEGIN; LOCK TABLE t;");
        let running = drill(&database, scratch);
        wait_for_true(
            server,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%LOCK%' AND wait_event_type = 'Lock')",
        );
        let out = end(running, "INT");
        assert_eq!(out.code(), 130, "{out}");
        assert_nothing_is_left(server, scratch, &out);
        drop(holder);
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
            server.sql("postgres", &format!("ALTER DATABASE \"{name}\" SET idle_session_timeout = '500ms'"));
        }
        let running = drill(&database, scratch);
        wait_for_true(server, &in_scratch("CREATE INDEX%"));
        // A session that says nothing for longer than it may is gone.
        wait_for_true(
            server,
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat_drill%'
             AND state = 'idle' AND state_change > clock_timestamp() - interval '1 s')",
        );
        let name = server.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'lifeboat_drill%'");
        // Nobody else gets in: functions with their owner's rights have the superuser's there.
        server.sql("postgres", "CREATE ROLE stranger LOGIN");
        let may = format!("SELECT has_database_privilege('stranger', '{name}', 'CONNECT')");
        assert_eq!(server.sql("postgres", &may), "f");
        let folder = scratch.read_dir().unwrap().next().unwrap().unwrap().path();

        small.sql("CREATE TABLE t AS SELECT 1 AS id");

        // It is on its way.
        let out = run(lifeboat().args(["drill", "--url", &small.url(), "--scratch"]).arg(scratch));
        assert_eq!(out.stderr(), "", "{out}");

        running.kill();
        // The session that shows its life sees that nobody is there; what was being done goes on.
        wait_for_true(
            server,
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat_drill%')",
        );
        assert_eq!(server.sql("postgres", &in_scratch("CREATE INDEX%")), "t");
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
        assert_eq!(server.sql("postgres", ANY), "1");
        server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        std::fs::remove_dir_all(folder).unwrap();
        let out = run(lifeboat().args(["drill", "--url", &small.url(), "--scratch"]).arg(scratch));
        assert_eq!(out.stderr(), "", "{out}");
    }
}
