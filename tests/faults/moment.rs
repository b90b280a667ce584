//! One moment, or a failure: others change what cannot be locked, while a backup reads the catalog or copies rows.

use std::sync::atomic::{AtomicBool, Ordering};

use super::gate::Gate;
use super::{assert_failed, start};
use crate::support::archive::{self, Rows};
use crate::support::needs::Needed;
use crate::support::wait::{wait_for, wait_for_waiting};
use crate::support::{Database, Options, Output, REFERENCE, Scene, Server, Session};

/// A gate for the first statement in which `text` is.
fn gate_for_first(database: &Database<'_>, text: &'static str) -> Gate {
    let is_held = AtomicBool::new(false);
    Gate::before(database, move |_, statement| statement.contains(text) && !is_held.swap(true, Ordering::Relaxed))
}

/// Does what must not wait for the backup that is held back.
fn change(database: &Database<'_>, sql: &str) {
    database.sql(&format!("SET lock_timeout = '30s'; SET synchronous_commit = on; {sql}"));
}

/// Backs up, and has `change` done just before the first statement in which `text` is.
fn backup_with(database: &Database<'_>, text: &'static str, options: &[&str], sql: &str) -> (Scene, Output) {
    let scene = Scene::new();
    let gate = gate_for_first(database, text);
    let options = [&["--acl", "--archive-version", "1.16", "--url", &gate.url], options].concat();
    let running = start(&scene, database, &options);
    let held = gate.next();
    change(database, sql);
    held.let_go();
    (scene, running.end())
}

/// A server for a test that changes roles, or must not meet with one: that is a change for every backup on the same server.
fn own(major: u32) -> Needed<Server> {
    Server::with(major, &Options::default())
}

/// What the server puts into words comes after this.
const DEFINITIONS: &str = "pg_get_viewdef";

const OBJECTS: &str = "
    CREATE SCHEMA s;
    CREATE TYPE s.mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN s.positive AS integer CONSTRAINT above CHECK (VALUE > 0);
    CREATE TYPE s.pair AS (a integer, b integer);
    CREATE FUNCTION s.twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
    CREATE FUNCTION s.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE OPERATOR s.<-> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
    CREATE COLLATION s.plain FROM \"C\";
    CREATE TEXT SEARCH CONFIGURATION s.words (COPY = simple);
    CREATE TEXT SEARCH DICTIONARY s.lower (TEMPLATE = simple);
    CREATE TEXT SEARCH CONFIGURATION s.lowered (PARSER = \"default\");
    ALTER TEXT SEARCH CONFIGURATION s.lowered ADD MAPPING FOR word WITH s.lower;
    CREATE SEQUENCE public.numbers MAXVALUE 100;
    CREATE TABLE s.t (id integer PRIMARY KEY, mood s.mood DEFAULT 'sad', n s.positive, p s.pair, x text);
    CREATE INDEX t_x ON s.t (x COLLATE s.plain);
    CREATE TRIGGER stamped BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.stamp();
    CREATE STATISTICS s.both ON id, x FROM s.t;
    CREATE VIEW s.v AS SELECT id, s.twice(id) AS d, id OPERATOR(s.<->) 1 AS e, mood FROM s.t WHERE mood <> 'happy';
    CREATE VIEW s.w AS SELECT d FROM s.v;
    CREATE TRIGGER instead INSTEAD OF INSERT ON s.w FOR EACH ROW EXECUTE FUNCTION s.stamp();
    CREATE MATERIALIZED VIEW s.m AS SELECT id FROM s.t;
    CREATE INDEX m_id ON s.m (id);
    CREATE VIEW s.c AS SELECT (p).a, to_tsvector('s.words', x) AS words FROM s.t;
    INSERT INTO s.t VALUES (1, 'happy', 1, '(1,2)', 'x')";

/// What the archive holds is from one moment, whatever is changed while the server puts it into words; and each change is
/// named.
#[test]
fn backup_begins_again_if_something_is_changed_while_the_catalog_is_read() {
    let changes = [
        ("schema s", "ALTER SCHEMA s RENAME TO s2"),
        ("type s.mood", "ALTER TYPE s.mood RENAME TO feeling"),
        ("enum label s.mood 'sad'", "ALTER TYPE s.mood RENAME VALUE 'sad' TO 'gloomy'"),
        ("type s.positive", "ALTER DOMAIN s.positive RENAME TO above_zero"),
        ("constraint above", "ALTER DOMAIN s.positive RENAME CONSTRAINT above TO over"),
        ("column s.pair.a", "ALTER TYPE s.pair RENAME ATTRIBUTE a TO first"),
        ("function s.twice", "ALTER FUNCTION s.twice RENAME TO doubled"),
        ("function s.twice", "ALTER FUNCTION s.twice SET SCHEMA public"),
        ("operator s.<->", "ALTER OPERATOR s.<-> (integer, integer) SET SCHEMA public"),
        ("collation s.plain", "ALTER COLLATION s.plain RENAME TO simple"),
        ("text search configuration s.words", "ALTER TEXT SEARCH CONFIGURATION s.words RENAME TO terms"),
        ("relation s.t_x", "ALTER INDEX s.t_x RENAME TO by_x"),
        ("statistics object s.both", "ALTER STATISTICS s.both RENAME TO pairs"),
        ("relation s.v", "ALTER VIEW s.v RENAME TO shown"),
        ("column s.v.d", "ALTER VIEW s.v RENAME COLUMN d TO twofold"),
        ("rule or view s.w", "CREATE OR REPLACE VIEW s.w AS SELECT d + 0 AS d FROM s.v"),
        // Changed back in between, in a transaction of its own.
        ("function s.twice", "ALTER FUNCTION s.twice RENAME TO a;\nALTER FUNCTION s.a RENAME TO twice"),
        ("sequence public.numbers", "ALTER SEQUENCE public.numbers MAXVALUE 1000 RESTART 500"),
        // What was dropped is a number, or nothing, when it is put into words.
        ("", "DROP TEXT SEARCH CONFIGURATION s.lowered; DROP TEXT SEARCH DICTIONARY s.lower"),
        ("", "DROP STATISTICS s.both"),
        ("", "DROP INDEX s.m_id"),
        ("", "DROP TRIGGER instead ON s.w"),
        ("", "DROP VIEW s.w"),
        ("", "DROP MATERIALIZED VIEW s.m"),
        ("", "DROP VIEW s.w, s.v, s.c; DROP FUNCTION s.twice; DROP TEXT SEARCH CONFIGURATION s.words"),
    ];
    for major in [14, REFERENCE] {
        let server = needed!(own(major));
        let template = server.database("moment");
        template.sql(OBJECTS);
        // The watches are the same on all majors, so an older one sees some of them.
        let step = if major == REFERENCE { 1 } else { 4 };
        for (name, sql) in changes.into_iter().step_by(step) {
            let database = server.database_from("moment", template.name());
            let scene = Scene::new();
            let gate = gate_for_first(&database, DEFINITIONS);
            let running = start(&scene, &database, &["--acl", "--archive-version", "1.16", "--url", &gate.url]);
            let held = gate.next();
            sql.split(";\n").for_each(|sql| change(&database, sql));
            held.let_go();
            let out = running.end();
            assert!(out.success(), "{sql}: {out}");
            assert!(out.stderr().contains(name), "{sql}, which does not name {name}: {out}");
            assert_eq!(out.stderr().matches("beginning again").count(), 1, "{sql}: {out}");
            let reference = scene.path("reference");
            database.pg_dump(REFERENCE, &[], &reference);
            archive::assert_same(sql, &reference, &scene.path("out.dump"), Rows::InOrder);
        }
    }
}

/// A transaction that was there before the backup has its number already, so that none is given away while the catalog is read.
#[test]
fn backup_begins_again_if_a_transaction_changes_something_that_has_written_before() {
    for major in [14, REFERENCE] {
        let server = needed!(own(major));
        let database = server.database("moment");
        database.sql(OBJECTS);
        let scene = Scene::new();
        let mut session = Session::open(&database);
        session.run("BEGIN");
        session.run("SELECT pg_current_xact_id()");
        let gate = gate_for_first(&database, DEFINITIONS);
        let running = start(&scene, &database, &["--url", &gate.url]);
        let held = gate.next();
        session.run("ALTER TYPE s.mood RENAME VALUE 'sad' TO 'gloomy'");
        session.run("COMMIT");
        held.let_go();
        let out = running.end();
        assert!(out.success() && out.stderr().contains("enum label s.mood 'sad'"), "on {major}: {out}");
        assert_eq!(out.stderr().matches("beginning again").count(), 1, "on {major}: {out}");
    }
}

#[test]
fn backup_begins_again_if_a_sequence_is_dropped_or_a_composite_type_gets_a_column() {
    let server = needed!(own(REFERENCE));
    for (at, name, sql) in [
        ("pg_get_sequence_data", "\"numbers\"", "DROP SEQUENCE public.numbers"),
        (DEFINITIONS, "s.pair", "ALTER TYPE s.pair ADD ATTRIBUTE c integer"),
    ] {
        let database = server.database("moment");
        database.sql(OBJECTS);
        let scene = Scene::new();
        let gate = gate_for_first(&database, at);
        let running = start(&scene, &database, &["--acl", "--archive-version", "1.16", "--url", &gate.url]);
        let held = gate.next();
        change(&database, sql);
        held.let_go();
        let out = running.end();
        assert!(out.success() && out.stderr().contains(name), "{sql}: {out}");
        assert_eq!(out.stderr().matches("beginning again").count(), 1, "{sql}: {out}");
        let reference = scene.path("reference");
        database.pg_dump(REFERENCE, &[], &reference);
        archive::assert_same(sql, &reference, &scene.path("out.dump"), Rows::InOrder);
    }
}

/// What an application does all the time must not keep a backup from beginning, or fail it.
#[test]
fn what_makes_no_difference_is_no_change() {
    for major in [14, REFERENCE] {
        let server = needed!(own(major));
        let database = server.database("busy");
        database.sql(OBJECTS);
        database.sql("CREATE TABLE s.other (id integer); CREATE VIEW s.o AS SELECT id AS o FROM s.t");
        let work = "
            GRANT USAGE ON SCHEMA s TO alice; GRANT EXECUTE ON FUNCTION s.twice TO alice; GRANT SELECT ON s.v TO alice;
            COMMENT ON VIEW s.v IS 'new'; ALTER FUNCTION s.stamp OWNER TO bob;
            CREATE OR REPLACE FUNCTION s.twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n + n';
            ALTER TYPE s.mood ADD VALUE 'none' BEFORE 'sad';
            CREATE TABLE s.new (id integer); DROP TABLE s.new; CREATE TYPE s.new AS ENUM ('a'); DROP TYPE s.new;
            CREATE TEMPORARY TABLE mine (id integer); CREATE TEMPORARY VIEW my_view AS SELECT * FROM mine;
            ALTER TABLE mine RENAME TO yours; DROP VIEW my_view;
            TRUNCATE s.other; ALTER TABLE s.other RENAME id TO number; ALTER TABLE s.other RENAME TO another;
            CREATE INDEX ON s.another (number); REINDEX TABLE s.another; DROP TABLE s.another;
            CREATE INDEX new_index ON s.t (id); REINDEX INDEX s.t_x; REFRESH MATERIALIZED VIEW s.m; ANALYZE";
        // Before 16, servers keep the locks on views that they have put into words.
        let while_copying = work.replace("ALTER TYPE s.mood ADD VALUE 'none' BEFORE 'sad';", "").replace("REFRESH MATERIALIZED VIEW s.m;", "")
            + "; CREATE ROLE busy_alpha; ALTER ROLE busy_alpha RENAME TO busy_beta; DROP ROLE busy_beta;
            ALTER FUNCTION s.stamp RENAME TO stamped; ALTER TYPE s.pair RENAME TO couple; ALTER TYPE s.couple RENAME TO pair;
            ALTER COLLATION s.plain RENAME TO simple";
        for (text, work) in [(DEFINITIONS, work), ("COPY s.t", &while_copying)] {
            let database = server.database_from("busy", database.name());
            let (reference, exclude) = (Scene::new(), "--exclude-table=s.other");
            database.pg_dump(REFERENCE, &[exclude], &reference.path("reference"));
            let (scene, out) = backup_with(&database, text, &[exclude], work);
            assert!(out.success() && out.stderr().is_empty(), "before {text}: {out}");
            archive::assert_same(text, &reference.path("reference"), &scene.path("out.dump"), Rows::InOrder);
        }
    }
}

/// Values of regclass are names of relations; nobody names the TOAST table that a materialized view gets, and loses, when
/// it is refreshed.
#[test]
fn refresh_does_not_fail_the_copy_of_names() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("names");
    database.sql(
        "CREATE TABLE t AS SELECT 'pg_class'::regclass AS c; CREATE MATERIALIZED VIEW m AS SELECT c::text AS c FROM t",
    );
    let (_, out) = backup_with(&database, "COPY public.t", &[], "REFRESH MATERIALIZED VIEW m");
    assert!(out.success() && out.stderr().is_empty(), "{out}");
}

/// Tables are copied one after the other; what a later one's rows are made of may be changed while an earlier one is
/// copied. The archive could not be restored, or not as it was.
#[test]
fn backup_fails_if_what_rows_are_made_of_is_changed_while_they_are_copied() {
    let changes = [
        ("enum label public.mood 'sad'", "ALTER TYPE mood RENAME VALUE 'sad' TO 'gloomy'"),
        ("composite type public.pair", "ALTER TYPE pair ADD ATTRIBUTE c integer"),
        ("schema other", "ALTER SCHEMA other RENAME TO another"),
        ("relation public.i", "ALTER INDEX i RENAME TO j"),
        ("function public.f", "DROP FUNCTION f"),
        ("role moment_role", "ALTER ROLE moment_role RENAME TO moment_other"),
    ];
    for major in [13, REFERENCE] {
        let server = needed!(own(major));
        let sql = "
            CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a integer, b integer);
            CREATE DOMAIN moods AS mood[]; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
            CREATE SCHEMA other; CREATE TABLE other.t ();
            CREATE TABLE a_first AS SELECT 1 AS a; CREATE INDEX i ON a_first (a);
            CREATE TABLE b_last (moods moods, pairs pair[], of regclass, call regproc, who regrole);
            INSERT INTO b_last VALUES ('{sad}', '{\"(1,2)\"}', 'i', 'f', 'moment_role')";
        for (name, change) in changes {
            server.try_psql("postgres", "CREATE ROLE moment_role");
            let database = server.database("made_of");
            database.sql(sql);
            let (scene, out) = backup_with(&database, "COPY public.a_first", &[], change);
            server.try_psql("postgres", "DROP ROLE moment_other");
            assert_failed(&scene, &out, name);
            assert!(out.stderr().contains("run the backup again"), "{out}");
        }
    }
}

/// A value of regdatabase is the name of a database, which others may change.
#[test]
fn database_that_is_renamed_while_its_name_is_copied_fails_the_backup() {
    let server = needed!(Server::get(19));
    let database = server.database("names_of_databases");
    let (named, other) = (server.database("named"), server.database("other"));
    database.sql(&format!(
        "CREATE TABLE a_first AS SELECT 1 AS a; CREATE TABLE b_last AS SELECT ARRAY['{}'::regdatabase] AS of",
        named.name()
    ));
    for (changed, says) in [(&named, format!("database {}", named.name())), (&other, "database ".to_owned())] {
        let renamed = format!("ALTER DATABASE {0} RENAME TO {0}_renamed", changed.name());
        let (scene, out) = backup_with(&database, "COPY public.a_first", &[], &renamed);
        server.sql("postgres", &format!("ALTER DATABASE {0}_renamed RENAME TO {0}", changed.name()));
        assert_failed(&scene, &out, &says);
    }
    // Where no value is one, it is no matter.
    database.sql("DROP TABLE b_last");
    let renamed = format!("ALTER DATABASE {0} RENAME TO {0}_renamed", named.name());
    let (_scene, out) = backup_with(&database, "COPY public.a_first", &[], &renamed);
    server.sql("postgres", &format!("ALTER DATABASE {0}_renamed RENAME TO {0}", named.name()));
    assert!(out.success(), "{out}");
}

/// `REPACK (CONCURRENTLY)` leaves an empty table to whoever looks with a snapshot from before; ours comes after the lock.
#[test]
fn table_that_is_repacked_while_its_lock_is_waited_for_keeps_its_rows() {
    let server = needed!(Server::get(19));
    let database = server.database("repacked");
    database.sql(
        "CREATE TABLE t (a integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); DELETE FROM t WHERE a > 500",
    );
    let wait_for_locks = |count: &str| {
        let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        wait_for("sessions that wait for the table", || (database.sql(sql) == count).then_some(()));
    };
    let mut reader = Session::open(&database);
    reader.run("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE");
    let mut repacking = Session::open(&database);
    repacking.send("REPACK (CONCURRENTLY) t");
    wait_for_locks("1");
    let scene = Scene::new();
    let running = start(&scene, &database, &[]);
    wait_for_locks("2");
    reader.run("COMMIT");
    let out = running.end();
    assert!(out.success(), "{out}");
    let copy = server.database("repacked_copy");
    let restored = copy.try_restore(&scene.path("out.dump"), &[]);
    assert!(restored.success(), "{restored}");
    assert_eq!(copy.sql("SELECT count(*) FROM t"), "500");
}

/// The names of schemas are not held by the locks on the tables in them.
#[test]
fn schemas_that_change_names_and_change_back_fail_the_backup() {
    for server in Server::all() {
        let database = server.database("schemas");
        database.sql(
            "CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA gone;
             CREATE TABLE a.t AS SELECT 'of a' AS rows; CREATE TABLE b.t AS SELECT 'of b' AS rows",
        );
        // What no table is found by is no danger.
        let (_scene, out) = backup_with(&database, "COPY a.t", &[], "DROP SCHEMA gone; CREATE SCHEMA new");
        assert!(out.success(), "{out}");
        let swap = "ALTER SCHEMA a RENAME TO x; ALTER SCHEMA b RENAME TO a; ALTER SCHEMA x RENAME TO b";
        let (scene, out) = backup_with(&database, "COPY a.t", &[], swap);
        assert_failed(&scene, &out, "schema a, schema b");
        // And back, before the second table.
        let scene = Scene::new();
        let gate = Gate::before(&database, |_, statement| statement.starts_with("COPY "));
        let running = start(&scene, &database, &["--url", &gate.url]);
        for _ in 0..2 {
            let held = gate.next();
            change(&database, swap);
            held.let_go();
        }
        assert_failed(&scene, &running.end(), "schema a, schema b");
    }
}

/// A schema that is gone, or has another name, when its table's turn comes.
#[test]
fn table_that_is_not_found_any_more_is_a_change() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("away");
    database.sql("CREATE SCHEMA a; CREATE TABLE a.t (a integer)");
    let (scene, out) = backup_with(&database, "COPY a.t", &[], "ALTER SCHEMA a RENAME TO b");
    assert_failed(&scene, &out, "run the backup again");
}

/// Versions of roles only superusers may see.
#[test]
fn backup_without_a_superuser_sees_what_is_changed() {
    for major in [13, REFERENCE] {
        let server = needed!(own(major));
        let database = server.database("plain");
        server.try_psql("postgres", "CREATE ROLE moment_plain");
        database.sql("CREATE TYPE mood AS ENUM ('sad'); CREATE VIEW v AS SELECT 'sad'::mood AS m; GRANT SELECT ON v TO moment_plain");
        let change = "ALTER TYPE mood RENAME VALUE 'sad' TO 'gloomy'; ALTER ROLE moment_plain RENAME TO moment_renamed";
        let (scene, out) = backup_with(&database, DEFINITIONS, &["--role", "alice"], change);
        let reference = scene.path("reference");
        database.pg_dump(REFERENCE, &["--role", "alice"], &reference);
        database.sql("DROP OWNED BY moment_renamed; DROP ROLE moment_renamed");
        assert!(out.success() && out.stderr().contains("role moment_plain"), "{out}");
        assert!(out.stderr().contains("enum label public.mood 'sad'"), "{out}");
        archive::assert_same("plain", &reference, &scene.path("out.dump"), Rows::InOrder);
    }
}

/// Functions that policies call decide which rows there are.
#[test]
fn function_of_a_policy_that_is_replaced_while_rows_are_copied_fails_the_backup() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("policies");
    database.sql(
        "CREATE FUNCTION visible(a integer) RETURNS boolean LANGUAGE sql AS 'SELECT a > 1';
         CREATE TABLE a_first AS SELECT 1 AS a; CREATE TABLE b_last AS SELECT generate_series(1, 3) AS a;
         ALTER TABLE b_last ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON b_last USING (visible(a));
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO alice",
    );
    let change = "CREATE OR REPLACE FUNCTION visible(a integer) RETURNS boolean LANGUAGE sql AS 'SELECT a > 2'";
    let options = ["--role", "alice", "--enable-row-security"];
    let (scene, out) = backup_with(&database, "COPY public.a_first", &options, change);
    assert_failed(&scene, &out, "function public.visible");
    let (_scene, out) = backup_with(&database, "COPY public.a_first", &[], &change.replace("> 2", "> 0"));
    assert!(out.success(), "{out}");
}

/// Which policies count for a role depends on what it is a member of.
#[test]
fn membership_that_changes_while_rows_are_copied_fails_the_backup() {
    // The catalog of memberships has other columns from 16 on.
    for major in [13, REFERENCE] {
        let server = needed!(own(major));
        let database = server.database("members");
        for (change, undo, named) in [
            (
                "GRANT moment_group TO moment_reader",
                "REVOKE moment_group FROM moment_reader",
                "membership in role moment_group",
            ),
            (
                "REVOKE moment_old FROM moment_reader",
                "GRANT moment_old TO moment_reader",
                "membership in role moment_old",
            ),
            (
                "ALTER ROLE moment_reader BYPASSRLS",
                "ALTER ROLE moment_reader NOBYPASSRLS",
                "row security for table public.b_last",
            ),
        ] {
            let options = ["--role", "moment_reader", "--enable-row-security"];
            server.try_psql("postgres", "CREATE ROLE moment_reader; CREATE ROLE moment_group; CREATE ROLE moment_old;");
            database.sql(
                "GRANT moment_old TO moment_reader;
                 CREATE TABLE IF NOT EXISTS a_first AS SELECT 1 AS a;
                 CREATE TABLE IF NOT EXISTS b_last AS SELECT generate_series(1, 3) AS a;
                 DROP POLICY IF EXISTS p ON b_last; DROP POLICY IF EXISTS q ON b_last;
                 CREATE POLICY p ON b_last TO moment_old USING (a = 1);
                 CREATE POLICY q ON b_last TO moment_group USING (a > 1);
                 ALTER TABLE b_last ENABLE ROW LEVEL SECURITY;
                 GRANT SELECT ON ALL TABLES IN SCHEMA public TO moment_reader",
            );
            let (scene, out) = backup_with(&database, "COPY public.a_first", &options, change);
            database.sql(undo);
            assert_failed(&scene, &out, named);
            let (_scene, out) = backup_with(&database, "COPY public.a_first", &options, "GRANT alice TO bob");
            database.sql("REVOKE alice FROM bob");
            assert!(out.success(), "{out}");
        }
        database.sql(
            "DROP OWNED BY moment_reader, moment_group, moment_old; DROP ROLE moment_reader, moment_group, moment_old",
        );
    }
}

/// An update of an extension replaces what is made of its members.
#[test]
fn extension_that_is_updated_while_the_catalog_is_read_is_seen() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("updated");
    database.sql("CREATE EXTENSION hstore VERSION '1.4'");
    let (_scene, out) = backup_with(&database, DEFINITIONS, &[], "ALTER EXTENSION hstore UPDATE TO '1.6'");
    assert!(out.success() && out.stderr().contains("extension hstore"), "{out}");
}

/// A table that is made between the first look and the snapshot was not locked in time.
#[test]
fn table_that_is_made_meanwhile_is_locked_before_it_is_looked_at() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("made");
    database.sql("CREATE TABLE t (a integer)");
    let change = "CREATE TABLE new AS SELECT 1 AS a; ALTER TABLE t RENAME TO t_old; ALTER TABLE new RENAME TO t";
    let (_scene, out) = backup_with(&database, "LOCK TABLE", &[], change);
    assert!(out.success(), "{out}");
    assert_eq!(out.stderr().matches("beginning again").count(), 1, "{out}");
    assert!(out.stderr().contains("public.t_old"), "{out}");
}

/// Who changes things all the time does not make a backup go on for ever.
#[test]
fn backup_that_never_gets_to_begin_gives_up() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("never");
    database.sql("CREATE TABLE t (a integer); CREATE SCHEMA s0");
    let scene = Scene::new();
    let gate = Gate::before(&database, |_, statement| statement.contains(DEFINITIONS));
    let running = start(&scene, &database, &["--url", &gate.url]);
    for number in 0..10 {
        let held = gate.next();
        change(&database, &format!("ALTER SCHEMA s{number} RENAME TO s{}", number + 1));
        held.let_go();
    }
    let out = running.end();
    assert_eq!(out.code(), 1, "{out}");
    assert_eq!(out.stderr().matches("beginning again").count(), 9, "{out}");
    assert!(out.stderr().contains("schema s9"), "{out}");
    assert_eq!(scene.names(), Vec::<String>::new());
}

/// Two who wait for each other's locks: the server has one of them give up. The backup notices first that it waits, and
/// the other one not at all.
#[test]
fn backup_that_a_deadlock_ends_begins_again() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("deadlock");
    database.sql("CREATE TABLE a AS SELECT 1 AS n; CREATE TABLE b AS SELECT 2 AS n");
    database.sql(&format!("ALTER DATABASE \"{}\" SET deadlock_timeout = '5s'", database.name()));
    let mut session = Session::open(&database);
    session.run("SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE b IN ACCESS EXCLUSIVE MODE");
    let scene = Scene::new();
    let running = start(&scene, &database, &[]);
    wait_for_waiting(&database);
    session.run("LOCK TABLE a IN ACCESS EXCLUSIVE MODE; COMMIT");
    let out = running.end();
    assert!(out.success(), "{out}");
    assert!(out.stderr().contains("deadlock detected") && out.stderr().contains("beginning again"), "{out}");
    let restored = server.database("deadlock");
    restored.restore(&scene.path("out.dump"), &[]);
    assert_eq!(restored.sql("SELECT a.n + b.n FROM a, b"), "3");
}

/// Views, materialized views and their like cannot be locked by us, but by others: the server waits when it puts them
/// into words.
#[test]
fn lock_on_a_view_that_does_not_come_in_time_is_an_error() {
    for server in Server::all() {
        let database = server.database("locked");
        database.sql("CREATE TABLE t (a integer); CREATE VIEW v AS SELECT a FROM t; CREATE MATERIALIZED VIEW m AS SELECT a FROM t");
        for (change, name) in [("DROP VIEW v", "public.v"), ("REFRESH MATERIALIZED VIEW m", "public.m")] {
            let mut session = Session::open(&database);
            session.run("BEGIN");
            session.run(change);
            let scene = Scene::new();
            let running = start(&scene, &database, &["--lock-wait-timeout", "300"]);
            let out = running.end();
            assert_failed(&scene, &out, "canceling statement due to lock timeout");
            assert!(out.stderr().contains(&format!("{name} (by process ")), "{out}");
            session.run("ROLLBACK");
        }
    }
}

/// A standby takes over what the primary does; it can be neither locked nor written, but sees versions of rows as well.
#[test]
fn change_on_the_primary_fails_the_backup_of_its_standby() {
    let primary = needed!(Server::with(REFERENCE, &Options::default()));
    let database = primary.database("standby");
    database.sql(
        "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE a_first AS SELECT 1 AS a;
         CREATE TABLE b_last AS SELECT 'sad'::mood AS m; CREATE VIEW v AS SELECT m FROM b_last",
    );
    let standby = needed!(primary.standby());
    standby.catch_up(&primary);
    for (text, fails) in [(DEFINITIONS, false), ("COPY public.a_first", true)] {
        let scene = Scene::new();
        let is_held = AtomicBool::new(false);
        let port = standby.port();
        let gate = Gate::to(
            &database,
            move |_| port,
            move |_, statement| statement.contains(text) && !is_held.swap(true, Ordering::Relaxed),
        );
        let running = start(&scene, &database, &["--url", &gate.url]);
        let held = gate.next();
        let (from, to) = if fails { ("gloomy", "glum") } else { ("sad", "gloomy") };
        change(&database, &format!("ALTER TYPE mood RENAME VALUE '{from}' TO '{to}'"));
        standby.catch_up(&primary);
        held.let_go();
        let out = running.end();
        assert!(out.stderr().contains(&format!("enum label public.mood '{from}'")), "{out}");
        assert_eq!(out.success(), !fails, "{out}");
    }
}

/// Connections that lead to different servers do not have one snapshot.
#[test]
fn connections_to_different_servers_are_an_error() {
    let server = needed!(Server::get(REFERENCE));
    let other = needed!(Server::with(REFERENCE, &Options::default()));
    let database = server.database("apart");
    database.sql("CREATE TABLE t (a integer)");
    other.sql("postgres", &format!("CREATE DATABASE \"{}\"", database.name()));
    let scene = Scene::new();
    let ports = [server.port(), other.port()];
    let gate = Gate::to(&database, move |number| ports[number % 2], |_, _| false);
    let out = start(&scene, &database, &["--jobs", "2", "--url", &gate.url]).end();
    assert_failed(&scene, &out, "they do not all lead to the same server");
}

/// Foreign tables cannot be locked before they are read.
#[test]
fn foreign_table_that_is_altered_while_rows_are_copied_fails_the_backup() {
    let server = needed!(Server::get(REFERENCE));
    for (name, sql) in [
        (
            "column of foreign table public.z.a",
            "ALTER FOREIGN TABLE z RENAME a TO x; ALTER FOREIGN TABLE z RENAME b TO a; ALTER FOREIGN TABLE z RENAME x TO b",
        ),
        (
            "foreign table public.z",
            "ALTER FOREIGN TABLE z RENAME TO x; ALTER FOREIGN TABLE y RENAME TO z; ALTER FOREIGN TABLE x RENAME TO y",
        ),
        ("options of foreign table z", "ALTER FOREIGN TABLE z OPTIONS (SET program 'echo 5,6')"),
    ] {
        let database = server.database("foreign");
        database.sql(
            "CREATE EXTENSION file_fdw; CREATE SERVER programs FOREIGN DATA WRAPPER file_fdw;
             CREATE TABLE here AS SELECT 1 AS a;
             CREATE FOREIGN TABLE y (a text, b text) SERVER programs OPTIONS (program 'echo 1,2', format 'csv');
             CREATE FOREIGN TABLE z (a text, b text) SERVER programs OPTIONS (program 'echo 3,4', format 'csv')",
        );
        let options = ["--include-foreign-data", "programs"];
        let (scene, out) = backup_with(&database, "COPY public.here", &options, sql);
        assert_failed(&scene, &out, name);
        let (_scene, out) = backup_with(&database, "COPY public.here", &options, "COMMENT ON FOREIGN TABLE y IS 'y'");
        assert!(out.success(), "{out}");
    }
}

/// To lock a row of a catalog is not to change it.
#[test]
fn row_of_a_catalog_that_is_locked_is_no_change() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("catalog_rows");
    database.sql("CREATE VIEW v AS SELECT 1 AS a");
    let sql = "BEGIN; SELECT FROM pg_class FOR UPDATE; SELECT FROM pg_rewrite FOR UPDATE; COMMIT";
    let (_scene, out) = backup_with(&database, DEFINITIONS, &[], sql);
    assert!(out.success() && out.stderr().is_empty(), "{out}");
}
