//! `restore --swap`: the restored database takes the place of the one that was there in one step, like it in all that belongs to the
//! database itself, and killed at any moment one whole database has the name.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::gate::Gate;
use crate::support::pgbouncer::Pool;
use crate::support::wait::{wait_for, wait_for_session, wait_for_true, wait_until_left};
use crate::support::{
    Database, Options, Output, REFERENCE, Running, Scene, Server, Session, output, reference_for, run, verbs,
};

const LEFT: &str = "SELECT count(*) FROM pg_database WHERE datname LIKE 'lifeboat\\_swap%'";
const NOBODY: &str = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%')";

/// All that pg_dump says, of the database itself too.
fn dumped(database: &Database<'_>) -> String {
    let mut pg_dump = database.tool(reference_for(database.server().major()), "pg_dump");
    let text = run(pg_dump.args(["--create", database.name()])).stdout();
    text.lines().filter(|line| !line.contains("restrict ")).map(|line| format!("{line}\n")).collect()
}

fn oid(database: &Database<'_>, name: &str) -> String {
    database
        .server()
        .sql("postgres", &format!("SELECT coalesce(max(oid), 0) FROM pg_database WHERE datname = '{name}'"))
}

/// Drops what was put aside.
struct Aside<'a>(&'a Database<'a>);

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        let server = self.0.server();
        let like = self.0.name().replace('_', "\\_");
        let names = format!(
            "SELECT string_agg(datname, ' ') FROM pg_database WHERE datname LIKE '{like}\\_pre\\_restore\\_bak%'"
        );
        for name in server.sql("postgres", &names).split_whitespace() {
            server.sql("postgres", &format!("ALTER DATABASE {name} IS_TEMPLATE false"));
            server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn swap(database: &Database<'_>, scene: &Scene, more: &[&str]) -> Output {
    output(&mut swapping(&database.url(), scene, more))
}

fn swapping(url: &str, scene: &Scene, more: &[&str]) -> Command {
    verbs::restore(url, &scene.archive(), &[&["--swap", "--owner", "--acl"], more].concat())
}

#[test]
fn the_new_database_is_like_the_old_one_which_is_kept() {
    for server in Server::each([13, 15]).chain(Server::newest().ok()) {
        let database = server.database_with(
            "swapped",
            "OWNER alice ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TABLESPACE elsewhere CONNECTION LIMIT 7",
        );
        let name = database.name().to_owned();
        let _aside = Aside(&database);
        server.sql(
            "postgres",
            &format!(
                "COMMENT ON DATABASE {name} IS 'it''s \\\\ 100%'; ALTER DATABASE {name} SET work_mem = '7MB';
                 ALTER DATABASE {name} SET search_path = '$user', 'a b', public; ALTER ROLE bob IN DATABASE {name} SET work_mem = '9MB';
                 REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT, CREATE ON DATABASE {name} TO bob WITH GRANT OPTION;
                 SET SESSION AUTHORIZATION bob; GRANT CONNECT ON DATABASE {name} TO carol; RESET SESSION AUTHORIZATION;
                 ALTER DATABASE {name} IS_TEMPLATE true"
            ),
        );
        database.sql("CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX ON t (a); GRANT SELECT ON t TO bob");
        let scene = Scene::of(&database, &[]);
        let before = dumped(&database);
        database.sql("CREATE TABLE later AS SELECT 2 AS a");
        let (old, later) = (oid(&database, &name), dumped(&database));

        let out = swap(&database, &scene, &[]);
        assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
        let aside = format!("{name}_pre_restore_bak");
        assert!(out.stdout().contains(&format!("previous: {name} -> {aside}\n")), "{out}");
        assert!(out.stdout().contains(&format!("DROP DATABASE {aside}\n")), "{out}");
        assert_eq!(dumped(&database), before, "on {}", server.major());
        assert_eq!(oid(&database, &aside), old);

        // Over itself, and what has changed of the properties counts, up to the last moment.
        server
            .sql("postgres", &format!("ALTER DATABASE {name} RESET work_mem; COMMENT ON DATABASE {name} IS 'second'"));
        let (before, second) = (dumped(&database), oid(&database, &name));
        let gate = Gate::before(&database, |_, statement| statement.starts_with("COPY"));
        let running = Running::start(&mut swapping(&gate.url, &scene, &["--json"]));
        let held = gate.next();
        server.sql(
            "postgres",
            &format!("ALTER DATABASE {name} SET work_mem = '8MB'; ALTER ROLE bob IN DATABASE {name} RESET ALL"),
        );
        held.let_go();
        let out = running.end();
        assert_eq!(out.code(), 0, "{out}");
        assert_eq!(out.json()["swapped"], true, "{out}");
        assert_eq!(out.json()["previous"]["to"], format!("{aside}_1"), "{out}");
        let setting = format!("ALTER DATABASE {name} SET work_mem TO '8MB';\n");
        let after = dumped(&database);
        assert!(after.contains(&setting) && !after.contains("ALTER ROLE bob"), "{after}");
        let both = |dump: &str| -> String {
            dump.lines().filter(|line| !line.contains("work_mem")).map(|line| format!("{line}\n")).collect()
        };
        assert_eq!(both(&after), both(&before));
        assert_eq!((oid(&database, &aside), oid(&database, &format!("{aside}_1"))), (old, second));
        assert_eq!(server.sql("postgres", LEFT), "0");

        // As the documentation says it is undone.
        let undo = format!(
            "BEGIN; ALTER DATABASE {name} RENAME TO {name}_restored; ALTER DATABASE {aside} RENAME TO {name}; COMMIT"
        );
        run(server.psql_command("postgres").args(["-c", &undo]));
        assert_eq!(dumped(&database), later);
        let drop = format!("ALTER DATABASE {name}_restored IS_TEMPLATE false; DROP DATABASE {name}_restored");
        for sql in drop.split("; ") {
            server.sql("postgres", sql);
        }
    }
}

/// A signal that comes while the names change leaves one of the two states, and says which; once the server was told to commit, it waits.
#[test]
fn a_signal_at_the_last_moment_does_not_part_the_switch() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("signalled");
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::of(&database, &[]);
    for commits in [false, true] {
        let old = oid(&database, database.name());
        let is_renamed = AtomicBool::new(false);
        let gate = Gate::before(&database, move |_, statement| {
            let renames = statement.starts_with("ALTER DATABASE lifeboat_swap_") && statement.contains("RENAME");
            is_renamed.fetch_or(renames, Ordering::SeqCst);
            if commits { statement == "COMMIT" && is_renamed.load(Ordering::SeqCst) } else { renames }
        });
        let running = Running::start(&mut swapping(&gate.url, &scene, &[]));
        let held = gate.next();
        running.signal("TERM");
        held.let_go();
        let out = running.end();
        wait_for_true(server, NOBODY);
        let is_new = oid(&database, database.name()) != old;
        // It has come in time, or it has come too late.
        match out.code() {
            143 if out.stderr().contains("was dropped") => assert!(!is_new && !commits, "{out}"),
            143 => assert!(is_new && out.stderr().contains("all of it was done"), "{out}"),
            code => assert!(code == 0 && is_new, "{out}"),
        }
        assert_eq!(server.sql("postgres", LEFT), "0", "{out}");
    }
}

/// What has the name, whichever of the two it is, is whole.
fn assert_whole(database: &Database<'_>, what: &str) -> String {
    // Who is in the database is ended by --disconnect, and comes back.
    let ask = |sql: &str| {
        wait_for("an answer", || {
            let out = database.try_psql(sql);
            out.success().then(|| out.stdout().trim_end().to_owned())
        })
    };
    assert_eq!(ask("SELECT count(*) || ' ' || sum(a) FROM t"), "1000 500500", "{what}");
    ask("SELECT count(*) FROM pg_tables WHERE tablename = 'later'")
}

#[test]
fn killed_at_any_step_one_whole_database_has_the_name() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("killed");
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT a FROM generate_series(1, 1000) AS a; CREATE INDEX ON t (a)");
    let scene = Scene::of(&database, &[]);
    database.sql("CREATE TABLE later (a integer)");
    let mut left = 0;
    for (step, is_new) in [
        ("CREATE DATABASE lifeboat_swap", false),
        ("REVOKE ALL ON DATABASE lifeboat_swap", false),
        ("COPY public.t", false),
        ("CREATE INDEX", false),
        ("pg_catalog.pg_index AS i WHERE NOT", false),
        ("_pre_restore_bak", false),
        ("pg_terminate_backend", false),
        ("GRANT CONNECT, TEMPORARY", false),
        ("ALTER DATABASE lifeboat_swap", false),
        ("COMMIT", true),
    ] {
        let renamed = AtomicUsize::new(0);
        let gate = Gate::before(&database, move |_, statement| {
            // The last commit is the one after the names have changed.
            if statement.starts_with("ALTER DATABASE") && statement.contains("RENAME") {
                renamed.fetch_add(1, Ordering::SeqCst);
            }
            match step {
                "COMMIT" => statement == step && renamed.load(Ordering::SeqCst) >= 2,
                "ALTER DATABASE lifeboat_swap" => statement.starts_with(step) && statement.contains("RENAME"),
                step => statement.contains(step),
            }
        });
        let running = Running::start(&mut swapping(&gate.url, &scene, &["--disconnect"]));
        let held = gate.next();
        running.kill();
        // Before it arrives, and after. In the transaction that renames, who connects waits for its end.
        if !["ALTER DATABASE lifeboat_swap", "COMMIT"].contains(&step) {
            assert_eq!(assert_whole(&database, step), "1", "{step}");
        }
        held.let_go();
        wait_for_true(server, NOBODY);
        assert_eq!(assert_whole(&database, step) == "0", is_new, "{step}");
        left += usize::from(!is_new && step != "CREATE DATABASE lifeboat_swap");
        let there: usize = server.sql("postgres", LEFT).parse().unwrap();
        assert!(there >= left, "{step}: {there}");
    }
    // What they left is named, and the next one works all the same.
    let out = swap(&database, &scene, &[]);
    assert_eq!(out.code(), 0, "{out}");
    let told = out
        .stderr()
        .matches("a restore with --swap that was killed left it, a copy of all data: DROP DATABASE")
        .count();
    assert!(told >= left && out.stderr().lines().count() == told, "{out}");
    assert_eq!(assert_whole(&database, "in the end"), "0");
}

#[test]
fn sessions_in_the_old_database_are_named_and_ended_only_when_asked_to() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("occupied");
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::of(&database, &[]);
    let old = oid(&database, database.name());
    let untouched = |out: &Output, code: i32| {
        assert_eq!(out.code(), code, "{out}");
        assert_eq!((oid(&database, database.name()), server.sql("postgres", LEFT)), (old.clone(), "0".into()), "{out}");
    };

    // One that is there from the beginning.
    let mut session = Session::open(&database);
    session.send("BEGIN; SELECT a FROM t");
    wait_for_session(&database, "state = 'idle in transaction'");
    let out = swap(&database, &scene, &[]);
    untouched(&out, 4);
    assert!(
        out.stderr().contains("others are connected to it: process ") && out.stderr().contains("SELECT a FROM t;"),
        "{out}"
    );
    assert!(out.stderr().contains("--disconnect, which ends their sessions"), "{out}");
    let out = run(&mut verbs::dry_run(&database.url(), &scene.archive(), &["--swap"]));
    assert!(out.stdout().contains("in the way: process ") && out.stdout().contains("would rename: occupied"), "{out}");
    drop(session);
    wait_for_true(
        server,
        &format!("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{}')", database.name()),
    );

    // One that comes while it is restored.
    let gate = Gate::before(&database, |_, statement| statement.starts_with("COPY public.t"));
    let running = Running::start(&mut swapping(&gate.url, &scene, &[]));
    let held = gate.next();
    let mut session = Session::open(&database);
    session.run("SELECT 1");
    held.let_go();
    untouched(&running.end(), 4);

    // One that does not listen, for its process is halted when it is told to go. (No database is made or dropped meanwhile: a server
    // waits for all its processes then.)
    let pid =
        server.sql("postgres", &format!("SELECT pid FROM pg_stat_activity WHERE datname = '{}'", database.name()));
    let gate = Gate::before(&database, |_, statement| {
        statement.starts_with("ALTER DATABASE occupied") || statement.starts_with("DROP DATABASE")
    });
    let options = ["--disconnect", "--lock-wait-timeout", "100"];
    let running = Running::start(&mut swapping(&gate.url, &scene, &options));
    let held = gate.next();
    run(Command::new("kill").args(["-s", "STOP", &pid]));
    held.let_go();
    let held = gate.next();
    run(Command::new("kill").args(["-s", "CONT", &pid]));
    held.let_go();
    let out = running.end();
    untouched(&out, 4);
    assert!(out.stderr().contains(&format!("others are connected to it: process {pid} of postgres (psql)")), "{out}");

    // And one that goes.
    drop(session);
    let mut session = Session::open(&database);
    session.run("SELECT 1");
    let out = swap(&database, &scene, &["--disconnect"]);
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_ne!(oid(&database, database.name()), old);
}

#[test]
fn what_cannot_come_to_its_end_is_refused_before_it_begins() {
    let config = "wal_level = logical\nmax_prepared_transactions = 5".to_owned();
    let server = &needed!(Server::with(REFERENCE, &Options { config, ..Options::default() }));
    let database = server.database_with("refused", "OWNER alice");
    let name = database.name();
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO alice");
    let scene = Scene::of(&database, &[]);
    let old = oid(&database, name);
    let refused = |url: &str, says: &str| {
        let out = output(&mut verbs::restore(url, &scene.archive(), &["--swap"]));
        assert_eq!(out.code(), 4, "{out}");
        assert!(out.stderr().contains(says) && out.stderr().contains("nothing was changed"), "{says}: {out}");
        assert_eq!((oid(&database, name), server.sql("postgres", LEFT)), (old.clone(), "0".into()), "{out}");
    };
    refused(&database.url_as("alice"), "alice may not create databases");
    server.sql("postgres", "ALTER ROLE alice CREATEDB; ALTER ROLE bob CREATEDB");
    refused(&database.url_as("bob"), "it belongs to alice, and bob may not rename it");
    scene.fails(
        4,
        "there is none of this name",
        &["restore", "archive", "--swap", "--url", &database.url().replace(name, "nowhere")],
    );

    database.sql("BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'half'");
    refused(&database.url(), "prepared transactions, which keep it from being renamed: half");
    database.sql("COMMIT PREPARED 'half'");
    database.sql("SELECT pg_create_logical_replication_slot('readers', 'pgoutput')");
    refused(&database.url(), "replication slots stay with the old database, and hold the server's log back: readers");
    database.sql("SELECT pg_drop_replication_slot('readers')");
    database.sql(
        "CREATE SUBSCRIPTION far CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)",
    );
    server.sql("postgres", "SELECT 1");
    let out = swap(&database, &scene, &["--dry-run"]);
    assert!(out.success() && out.stderr().contains("subscription far: it is switched off, and stays"), "{out}");
    database.sql("DROP SUBSCRIPTION far");
    let pool = needed!(Pool::start(server, "session", ""));
    refused(&pool.url(name), "a pooler is in between");

    // Without --force it says what it would do.
    let archive = scene.archive();
    let out = scene.fails(
        4,
        "--force was not given",
        &["restore", archive.to_str().unwrap(), "--url", &database.url(), "--swap"],
    );
    assert!(
        out.stderr().contains(&format!("the database that is there is kept as \"{name}_pre_restore_bak\"")),
        "{out}"
    );
    // Its owner may, who is no superuser.
    let out = output(&mut verbs::restore(&database.url_as("alice"), &scene.archive(), &["--swap"]));
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_eq!(database.sql("SELECT string_agg(a::text, ',') FROM t"), "1");
}

#[test]
fn a_restore_that_fails_or_is_ended_leaves_the_old_database_and_no_other() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("failing");
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE u (a integer)");
    server.sql("postgres", "CREATE ROLE passing");
    database.sql("ALTER TABLE u OWNER TO passing");
    let scene = Scene::of(&database, &[]);
    database.sql("DROP TABLE u");
    server.sql("postgres", "DROP ROLE passing");
    let old = oid(&database, database.name());
    let untouched = |out: &Output, code: i32, says: &str| {
        assert_eq!(out.code(), code, "{out}");
        assert!(out.stderr().contains(says) || out.stdout().contains(says), "{out}");
        wait_for_true(server, NOBODY);
        assert_eq!((oid(&database, database.name()), server.sql("postgres", LEFT)), (old.clone(), "0".into()), "{out}");
    };
    let out = swap(&database, &scene, &[]);
    untouched(&out, 1, "is as it was, and the new one is dropped");
    assert!(out.stderr().contains("role \"passing\" does not exist"), "{out}");

    let gate = Gate::before(&database, |_, statement| statement.starts_with("COPY public.t"));
    let restore = || verbs::restore(&gate.url, &scene.archive(), &["--swap"]);
    let running = Running::start(&mut restore());
    let held = gate.next();
    let out = running.ended_by("TERM");
    held.let_go();
    untouched(&out, 143, "was dropped");
    // What is done to a property that cannot be had is not begun.
    std::fs::write(scene.archive(), b"PGDMP").unwrap();
    untouched(&swap(&database, &scene, &[]), 1, "could not");
}

#[test]
fn names_may_be_anything() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    for name in ["a\"b'c%d \\e", "ÄÖ ü", "-c", &format!("{}_pre_restore_bak", "x".repeat(47)), "template-ish; DROP"]
    {
        let quoted = name.replace('"', "\"\"");
        server.sql("postgres", &format!("CREATE DATABASE \"{quoted}\""));
        server.sql(name, "CREATE TABLE t AS SELECT 1 AS a");
        let scene = Scene::new();
        let literal = name.replace('\\', "\\\\").replace('\'', "\\'");
        let url = format!("host=127.0.0.1 port={} user=postgres dbname='{literal}'", server.port());
        run(&mut verbs::backup(&url, &scene.archive(), &[]));
        let count_of = "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_pre\\_restore\\_bak%'";
        let before: u32 = server.sql("postgres", count_of).parse().unwrap();
        for count in 1..=3 {
            let out = output(&mut verbs::restore(&url, &scene.archive(), &["--swap", "--disconnect"]));
            assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{name}: {out}");
            assert_eq!(server.sql(name, "SELECT a FROM t"), "1");
            assert_eq!(server.sql("postgres", count_of), (before + count).to_string(), "{name}");
        }
        let all = server.sql("postgres", "SELECT string_agg(quote_ident(datname), E'\\n') FROM pg_database WHERE datname LIKE '%\\_pre\\_restore\\_bak%'");
        for aside in all.lines().chain([format!("\"{quoted}\"").as_str()]) {
            server.sql("postgres", &format!("DROP DATABASE IF EXISTS {aside} WITH (FORCE)"));
        }
    }
    // The one that a client connects to where nothing is said is renamed from another.
    let scene = Scene::new();
    let url = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", server.port());
    server.sql("postgres", "CREATE TABLE t AS SELECT 1 AS a");
    run(&mut verbs::backup(&url, &scene.archive(), &[]));
    let out = output(&mut verbs::restore(&url, &scene.archive(), &["--swap", "--disconnect"]));
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_eq!(
        server.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'postgres_pre_restore_bak'"),
        "1"
    );
}

/// Who may connect to the new database, and who owns it, while it is restored.
const OPEN_TO: &str = "SELECT string_agg(r.rolname, ' ' ORDER BY r.rolname) || ', of ' || pg_get_userbyid(d.datdba)
                       FROM pg_database AS d, pg_roles AS r WHERE d.datname LIKE 'lifeboat\\_swap%' AND r.rolname !~ '^pg_'
                       AND has_database_privilege(r.oid, d.oid, 'CONNECT') GROUP BY d.datdba";

#[test]
fn nobody_else_gets_into_the_new_database_before_it_has_its_name() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database_with("closed", "OWNER alice");
    let name = database.name();
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO alice");
    let scene = Scene::of(&database, &[]);
    server.sql("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    for (more, open_to) in [(&[][..], "postgres, of postgres"), (&["--role", "alice"], "alice postgres, of alice")] {
        let gate = Gate::before(&database, |_, statement| statement.starts_with("COPY public.t"));
        let running = Running::start(&mut verbs::restore(&gate.url, &scene.archive(), &[&["--swap"], more].concat()));
        let held = gate.next();
        assert_eq!(server.sql("postgres", OPEN_TO), open_to);
        held.let_go();
        let out = running.end();
        assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
        let now = format!(
            "SELECT pg_get_userbyid(datdba) || ' ' || datallowconn || ' ' || (SELECT string_agg(p, ' ' ORDER BY p COLLATE \"C\")
             FROM unnest(datacl::text[]) AS p) FROM pg_database WHERE datname = '{name}'"
        );
        assert_eq!(server.sql("postgres", &now), "alice false =Tc/alice alice=CTc/alice");
    }
    server.sql("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    assert_eq!(database.sql("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), "alice");
}

#[test]
fn a_lock_of_others_is_waited_for_no_longer_than_allowed_and_a_signal_ends_the_wait() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("locked");
    let name = database.name();
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::of(&database, &[]);
    let old = oid(&database, name);
    let untouched = |out: &Output, code: i32, says: &str| {
        assert_eq!(out.code(), code, "{out}");
        assert!(out.stderr().contains(says), "{out}");
        wait_for_true(server, NOBODY);
        assert_eq!((oid(&database, name), server.sql("postgres", LEFT)), (old.clone(), "0".into()), "{out}");
    };
    let mut holder = Session::on(server, "postgres");
    holder.run(&format!("BEGIN; GRANT CONNECT ON DATABASE {name} TO bob"));
    for more in [&[][..], &["--disconnect"]] {
        let out = swap(&database, &scene, &[&["--lock-wait-timeout", "300"], more].concat());
        untouched(&out, 4, "others have locks on it: process ");
        assert!(out.stderr().contains(" of postgres (psql), in a transaction since "), "{out}");
        assert!(out.stderr().contains("nothing was changed"), "{out}");
    }
    let waits = format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'ALTER DATABASE {name} RENAME%' AND wait_event_type = 'Lock')"
    );
    let running = Running::start(&mut swapping(&database.url(), &scene, &["--disconnect"]));
    wait_for_true(server, &waits);
    untouched(&running.ended_by("TERM"), 143, "was dropped");
    // It goes on when the other is done.
    let running = Running::start(&mut swapping(&database.url(), &scene, &[]));
    wait_for_true(server, &waits);
    holder.run("COMMIT");
    let out = running.end();
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_eq!(oid(&database, &format!("{name}_pre_restore_bak")), old);
}

#[test]
fn what_is_said_of_the_end_is_what_has_become_of_it() {
    let config = "synchronous_commit = on".to_owned();
    let server = &needed!(Server::with(REFERENCE, &Options { config, ..Options::default() }));
    let database = server.database("uncertain");
    let name = database.name();
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::of(&database, &[]);
    let old = oid(&database, name);
    let switching = || {
        // Those that come later ask what became of it.
        let (renamed, is_held) = (AtomicUsize::new(0), AtomicBool::new(false));
        Gate::before(&database, move |_, statement| {
            let renames = statement.starts_with("ALTER DATABASE") && statement.contains("RENAME");
            renamed.fetch_add(usize::from(renames), Ordering::SeqCst);
            statement == "COMMIT" && renamed.load(Ordering::SeqCst) >= 2 && !is_held.swap(true, Ordering::SeqCst)
        })
    };
    let end = |condition: &str| {
        let pid = format!("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%' AND {condition}");
        wait_for_true(server, &format!("SELECT EXISTS ({pid})"));
        server.sql("postgres", &format!("SELECT pg_terminate_backend(pid) FROM ({pid}) AS p"));
    };

    // The session is lost before the server has the COMMIT.
    let gate = switching();
    let running = Running::start(&mut swapping(&gate.url, &scene, &[]));
    let held = gate.next();
    end("state = 'idle in transaction' AND query NOT LIKE '%FROM pg_stat_activity%'");
    wait_for_true(server, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction')");
    held.let_go();
    let out = running.end();
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("nothing was changed"), "{out}");
    assert_eq!((oid(&database, name), server.sql("postgres", LEFT)), (old.clone(), "0".into()), "{out}");

    // And while it waits for a standby that will never say a word: it is committed, and the answer is lost.
    let gate = switching();
    let running = Running::start(&mut swapping(&gate.url, &scene, &[]));
    let held = gate.next();
    server.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("postgres", "SELECT pg_reload_conf()");
    wait_for_true(server, "SELECT current_setting('synchronous_standby_names') = 'nobody'");
    held.let_go();
    end("wait_event = 'SyncRep'");
    let out = running.end();
    server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
    server.sql("postgres", "SELECT pg_reload_conf()");
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    assert_eq!(oid(&database, &format!("{name}_pre_restore_bak")), old);

    // The new one cannot be dropped: somebody has made it a template.
    std::fs::copy(scene.archive(), scene.path("sound")).unwrap();
    let gate = Gate::before(&database, |_, statement| statement.starts_with("COPY public.t"));
    let running = Running::start(&mut swapping(&gate.url, &scene, &[]));
    let held = gate.next();
    let new = server.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'lifeboat\\_swap%'");
    server.sql("postgres", &format!("ALTER DATABASE {new} IS_TEMPLATE true"));
    server.sql(&new, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
    held.let_go();
    let out = running.end();
    assert_eq!(out.code(), 1, "{out}");
    let left = format!("{new}, a copy of all data, may still be there: DROP DATABASE {new}");
    let said = format!("{}{}", out.stdout(), out.stderr());
    assert!(said.contains(&left) && !said.contains("is dropped"), "{out}");
    server.sql("postgres", &format!("ALTER DATABASE {new} IS_TEMPLATE false"));
    server.sql("postgres", &format!("DROP DATABASE {new} WITH (FORCE)"));
}

#[test]
fn a_database_that_is_not_its_own_is_never_dropped() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("collided");
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::of(&database, &[]);
    // Somebody takes the name right before.
    let gate = Gate::before(&database, |_, statement| statement.starts_with("CREATE DATABASE lifeboat_swap"));
    let running = Running::start(&mut swapping(&gate.url, &scene, &[]));
    let held = gate.next();
    let name = held.statement.split_whitespace().nth(2).unwrap().to_owned();
    server.sql("postgres", &format!("CREATE DATABASE {name}"));
    held.let_go();
    let out = running.end();
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("already exists"), "{out}");
    assert_ne!(oid(&database, &name), "0", "{out}");
    server.sql("postgres", &format!("DROP DATABASE {name}"));

    // Somebody puts another in the place of the one that was made.
    let gate = Gate::before(&database, |_, statement| {
        statement.starts_with("COPY public.t") || statement.contains("WHERE d.oid = $1 AND d.datname = $2")
    });
    let running = Running::start(&mut swapping(&gate.url, &scene, &[]));
    let held = gate.next();
    let name = server.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'lifeboat\\_swap%'");
    server.sql("postgres", &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    held.let_go();
    // It is about to look for its own.
    let held = gate.next();
    server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
    server.sql("postgres", &format!("CREATE DATABASE {name}"));
    let its = oid(&database, &name);
    held.let_go();
    let out = running.end();
    assert_eq!(out.code(), 1, "{out}");
    assert_eq!(oid(&database, &name), its, "{out}");
}

#[test]
fn sessions_that_the_role_may_not_see_are_in_the_way_as_others_are() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database_with("hidden", "OWNER alice");
    let _aside = Aside(&database);
    server.sql("postgres", "ALTER ROLE alice CREATEDB");
    database.sql("CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO alice");
    let scene = Scene::of(&database, &[]);
    let old = oid(&database, database.name());
    let mut session = Session::open(&database);
    session.run("SELECT 1");
    for (more, says) in [
        (&["--swap"][..], "others are connected to it: process "),
        (&["--swap", "--disconnect"], "whose sessions this role may not end: process "),
    ] {
        // It is refused before anything is made.
        let made = "SELECT max(oid) FROM pg_database";
        let before = server.sql("postgres", made);
        let out = output(&mut verbs::restore(&database.url_as("alice"), &scene.archive(), more));
        assert_eq!(out.code(), 4, "{out}");
        assert!(out.stderr().contains(says) && out.stderr().contains("nothing was changed"), "{out}");
        assert_eq!((oid(&database, database.name()), server.sql("postgres", made)), (old.clone(), before), "{out}");
    }
    // One that comes later is found by the switch.
    drop(session);
    wait_until_left(&database);
    let gate = Gate::before(&database, |_, statement| statement.starts_with("COPY public.t"));
    let url = gate.url.replacen("postgres@", "alice@", 1);
    let running = Running::start(&mut verbs::restore(&url, &scene.archive(), &["--swap"]));
    let held = gate.next();
    let mut session = Session::open(&database);
    session.run("SELECT 1");
    held.let_go();
    let out = running.end();
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("others are connected to it: process "), "{out}");
    assert_eq!((oid(&database, database.name()), server.sql("postgres", LEFT)), (old.clone(), "0".into()), "{out}");
}

#[test]
fn names_that_others_take_while_it_is_restored_are_left_to_them() {
    let server = &needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("contended");
    let name = database.name();
    let _aside = Aside(&database);
    database.sql("CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::of(&database, &[]);
    let (old, aside) = (oid(&database, name), format!("{name}_pre_restore_bak"));
    let restore = |gate: &Gate| Running::start(&mut swapping(&gate.url, &scene, &["--json"]));
    let gate = || Gate::before(&database, |_, statement| statement.starts_with("COPY public.t"));
    // Somebody else's, with a session in it.
    let held_by = gate();
    let running = restore(&held_by);
    let held = held_by.next();
    server.sql("postgres", &format!("CREATE DATABASE {aside} OWNER bob"));
    let its = oid(&database, &aside);
    let mut session = Session::on(server, &aside);
    session.run("SELECT 1");
    held.let_go();
    let out = running.end();
    assert_eq!((out.code(), out.json()["previous"]["to"].as_str()), (0, Some(format!("{aside}_1").as_str())), "{out}");
    assert_eq!((oid(&database, &aside), oid(&database, &format!("{aside}_1"))), (its, old));
    drop(session);

    // Two at once: the one that is later finds another database than the one that it looked at.
    let (first, second) = (gate(), gate());
    let (one, other) = (restore(&first), restore(&second));
    let (held, held_longer) = (first.next(), second.next());
    held.let_go();
    let out = one.end();
    assert_eq!(out.code(), 0, "{out}");
    let now = oid(&database, name);
    held_longer.let_go();
    let out = other.end();
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stdout().contains("renamed or made databases meanwhile"), "{out}");
    assert_eq!((oid(&database, name), server.sql("postgres", LEFT)), (now, "0".into()), "{out}");
}
