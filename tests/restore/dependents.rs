//! What is not in the archive does not go along with what is replaced, unless that is asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::again::wait_for_statement;
use crate::support::roundtrip::Case;
use crate::support::{Database, Options, Output, REFERENCE, Server, lifeboat, output};

pub(super) struct Scene {
    _dir: tempfile::TempDir,
    pub(super) archive: PathBuf,
}

impl Scene {
    /// The archive of a database.
    pub(super) fn of(database: &Database<'_>, options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let archive = dir.path().join("archive");
        database.pg_dump(REFERENCE, options, &archive);
        Self { _dir: dir, archive }
    }

    pub(super) fn restore(&self, database: &Database<'_>, options: &[&str]) -> Output {
        restore(&self.archive, database, options)
    }
}

fn restore(archive: &Path, database: &Database<'_>, options: &[&str]) -> Output {
    output(lifeboat().arg("restore").arg(archive).args(["--force", "--url", &database.url()]).args(options))
}

/// What a dry run says would be lost.
pub(super) fn lost(archive: &Path, database: &Database<'_>, options: &[&str]) -> Vec<String> {
    let mut command = lifeboat();
    command.arg("restore").arg(archive).args(["--dry-run", "--json", "--url", &database.url()]).args(options);
    let out = output(&mut command);
    assert_eq!(out.code(), 0, "{out}");
    let said: Value = serde_json::from_str(&out.stdout()).unwrap();
    let lost = said["would_lose"].as_array().unwrap();
    lost.iter()
        .map(|lost| match lost["rows"].as_u64() {
            Some(rows) => format!("{} {rows}", lost["object"].as_str().unwrap()),
            None => lost["object"].as_str().unwrap().to_owned(),
        })
        .collect()
}

/// What a dry run says may be lost: the objects, or what it is about.
pub(super) fn doubtful(archive: &Path, database: &Database<'_>) -> Vec<String> {
    let out = output(lifeboat().arg("restore").arg(archive).args(["--dry-run", "--json", "--url", &database.url()]));
    assert_eq!(out.code(), 0, "{out}");
    let said: Value = serde_json::from_str(&out.stdout()).unwrap();
    let doubts = said["may_lose"].as_array().unwrap().iter().flat_map(|doubt| {
        let objects = doubt["objects"].as_array().unwrap();
        if objects.is_empty() { vec![&doubt["about"]] } else { objects.iter().collect() }
    });
    doubts.map(|object| object.as_str().unwrap().to_owned()).collect()
}

/// Every object of the database, with its OID: what is made anew has another.
pub(super) fn contents(database: &Database<'_>) -> String {
    database.psql(
        "SELECT string_agg(what, ',' ORDER BY what) FROM (
             SELECT oid || ' ' || relname || ' ' || relfilenode AS what FROM pg_class WHERE oid > 16384
             UNION ALL SELECT oid || ' ' || tgname FROM pg_trigger UNION ALL SELECT oid || ' ' || conname FROM pg_constraint
             UNION ALL SELECT oid || ' ' || polname FROM pg_policy UNION ALL SELECT oid::text FROM pg_publication_rel
         ) AS every",
    )
}

const BEFORE: &str = "
    CREATE SCHEMA app; CREATE SCHEMA other;
    CREATE TABLE app.p (id integer, day date NOT NULL) PARTITION BY RANGE (day);
    CREATE TABLE app.p_2026 PARTITION OF app.p (id DEFAULT 3) FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE INDEX ON app.p (id); INSERT INTO app.p VALUES (1, '2026-05-05');
    CREATE TABLE app.t (id serial PRIMARY KEY, name text DEFAULT 'x', v integer CONSTRAINT positive CHECK (v > 0), r int4range);
    INSERT INTO app.t (v) VALUES (1), (2);
    CREATE TABLE app.parent (a integer); CREATE TABLE app.child () INHERITS (app.parent);
    CREATE TABLE app.heir (a integer DEFAULT 5, b integer) INHERITS (app.parent);
    CREATE TYPE app.pair AS (a integer, b integer); CREATE TABLE app.typed OF app.pair (a DEFAULT 1);
    CREATE TABLE other.u (id integer PRIMARY KEY);
    CREATE TABLE app.\"I d\" (\"n r\" integer GENERATED ALWAYS AS IDENTITY, later integer NOT NULL);
    CREATE VIEW app.v AS SELECT id, name FROM app.t; ALTER VIEW app.v ALTER name SET DEFAULT 'z';
    CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.t;
    CREATE DOMAIN app.d AS integer CONSTRAINT pos CHECK (VALUE > 0);
    CREATE TYPE app.e AS ENUM ('a');
    CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION app.compare(app.e, app.e) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
    CREATE FUNCTION app.is(app.e, app.e) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE OPERATOR app.=== (LEFTARG = app.e, RIGHTARG = app.e, FUNCTION = app.is);
    CREATE OPERATOR FAMILY app.fam USING btree;
    CREATE PUBLICATION pub FOR TABLE app.t;";

const AFTER: &str = "
    CREATE TABLE app.p_2027 PARTITION OF app.p FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
    ALTER TABLE app.p_2027 ADD PRIMARY KEY (id); CREATE SEQUENCE app.of_2027 OWNED BY app.p_2027.id;
    CREATE TABLE other.p_2028 PARTITION OF app.p FOR VALUES FROM ('2028-01-01') TO ('2029-01-01') PARTITION BY LIST (id);
    CREATE TABLE other.p_2028_1 PARTITION OF other.p_2028 FOR VALUES IN (1);
    INSERT INTO app.p VALUES (1, '2027-05-05'), (2, '2027-05-05'), (1, '2028-05-05');
    CREATE INDEX by_day ON app.p (day);
    CREATE SEQUENCE app.own OWNED BY app.t.id;
    ALTER TABLE app.t ADD extra text DEFAULT 'y', ADD number integer GENERATED ALWAYS AS IDENTITY;
    ALTER TABLE app.t ALTER v SET DEFAULT 7; ALTER VIEW app.v ALTER id SET DEFAULT 7;
    ALTER TABLE app.p_2026 ALTER day SET DEFAULT '2026-01-01'; ALTER TABLE app.typed ALTER b SET DEFAULT 7;
    ALTER TABLE app.child ALTER a SET DEFAULT 7; ALTER TABLE app.p ALTER id SET DEFAULT 7;
    ALTER TABLE app.child ADD own integer; ALTER TYPE app.pair ADD ATTRIBUTE c integer CASCADE;
    ALTER TABLE app.\"I d\" ALTER later ADD GENERATED BY DEFAULT AS IDENTITY;
    ALTER SEQUENCE app.\"I d_n r_seq\" RENAME TO renamed;
    CREATE INDEX by_name ON app.t (name); CREATE INDEX of_m ON app.m (id);
    ALTER TABLE app.t ADD CONSTRAINT small CHECK (v < 100), ADD CONSTRAINT one_name UNIQUE (id, name),
        ADD CONSTRAINT to_u FOREIGN KEY (v) REFERENCES other.u NOT VALID,
        ADD CONSTRAINT apart EXCLUDE USING gist (r WITH &&);
    CREATE TRIGGER trig BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f();
    CREATE RULE rule AS ON DELETE TO app.t DO INSTEAD NOTHING; CREATE RULE rule AS ON DELETE TO app.v DO INSTEAD NOTHING;
    CREATE POLICY pol ON app.t USING (true); CREATE STATISTICS other.stat ON id, v FROM app.t;
    ALTER DOMAIN app.d ADD CONSTRAINT few CHECK (VALUE < 10);
    ALTER OPERATOR FAMILY app.fam USING btree ADD OPERATOR 3 app.=== (app.e, app.e);
    ALTER OPERATOR FAMILY app.fam USING btree ADD FUNCTION 1 app.compare(app.e, app.e);
    CREATE OPERATOR CLASS other.class FOR TYPE integer USING btree FAMILY app.fam AS OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer);
    CREATE PUBLICATION mine FOR TABLE app.t; ALTER PUBLICATION pub ADD TABLE other.u;";

/// What says something about an object and is none.
const ABOUT: &str = "
    COMMENT ON TABLE app.t IS 'mine'; GRANT SELECT ON app.t TO bob; ALTER TABLE app.t SET (fillfactor = 50);
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO bob; ALTER TABLE app.t ALTER name SET NOT NULL;
    ALTER TYPE app.e ADD VALUE 'b'; ALTER TABLE app.t ENABLE ROW LEVEL SECURITY; CREATE TABLE app.standing AS SELECT 1 AS a;
    CREATE INDEX ON app.standing (a); CREATE TABLE other.heir () INHERITS (app.parent); DROP TABLE other.heir;
    CREATE VIEW other.standing AS SELECT * FROM app.standing";

const LOST: &[&str] = &[
    "ATTRIBUTE app.pair c",
    "COLUMN app.child own",
    "COLUMN app.t extra",
    "COLUMN app.t number",
    "CONSTRAINT app.d few",
    "CONSTRAINT app.t apart",
    "CONSTRAINT app.t one_name",
    "CONSTRAINT app.t small",
    "CONSTRAINT app.t to_u",
    "DEFAULT app.child a",
    "DEFAULT app.p id",
    "DEFAULT app.p_2026 day",
    "DEFAULT app.t v",
    "DEFAULT app.typed b",
    "DEFAULT app.v id",
    "INDEX app.by_day",
    "INDEX app.by_name",
    "INDEX app.of_m",
    "MEMBER OF OPERATOR FAMILY app.fam FUNCTION 1 app.compare(app.e,app.e)",
    "MEMBER OF OPERATOR FAMILY app.fam OPERATOR 3 app.===(app.e,app.e)",
    "OPERATOR CLASS other.DROP OPERATOR CLASS other.class USING btree",
    "POLICY app.t pol",
    "PUBLICATION TABLE app.mine t",
    "PUBLICATION TABLE other.pub u",
    "RULE app.t rule",
    "RULE app.v rule",
    "SEQUENCE app.I d_later_seq",
    "SEQUENCE app.own",
    "STATISTICS other.stat",
    "TABLE app.p_2027 2",
    "TABLE other.p_2028",
    "TABLE other.p_2028_1 1",
    "TRIGGER app.t trig",
];

#[test]
fn what_was_made_later_on_what_is_replaced_is_named_and_not_dropped() {
    for server in Server::each([13, REFERENCE]) {
        let major = server.major();
        let database = server.database("later");
        database.psql(BEFORE);
        let scene = Scene::of(&database, &[]);
        // Over itself, there is nothing to lose.
        assert_eq!(lost(&scene.archive, &database, &[]), Vec::<String>::new());
        database.psql(ABOUT);
        let out = scene.restore(&database, &[]);
        assert_eq!(out.code(), 0, "{out}");
        database.psql(AFTER);
        let mut expected = LOST.to_vec();
        if major >= 15 {
            database.psql("CREATE PUBLICATION all_of_it FOR TABLES IN SCHEMA other");
            // The schema itself stays: what it holds is not all in the archive.
        }
        let mut found = lost(&scene.archive, &database, &[]);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "on {major}");

        let before = contents(&database);
        for options in [&[][..], &["-1"], &["-e"], &["--transaction-size", "3"], &["--jobs", "2"]] {
            let out = scene.restore(&database, options);
            assert_eq!(out.code(), 4, "{options:?}: {out}");
            for word in ["TABLE app.p_2027 (a partition of TABLE app.p, 2 rows)", "more", "--drop-dependents"] {
                assert!(out.stderr().contains(word), "{out}");
            }
        }
        assert_eq!(contents(&database), before);
        // Asked for, it goes, and is told.
        let out = scene.restore(&database, &["--drop-dependents"]);
        assert_eq!(out.code(), 0, "{out}");
        let told = out.stderr().lines().filter(|line| line.contains("dropped along with what is replaced")).count();
        assert_eq!(told, LOST.len(), "{out}");
        assert_eq!(database.psql("SELECT count(*) FROM app.p"), "1");
        assert_eq!(database.psql("SELECT to_regclass('app.p_2027') IS NULL"), "t");
        assert_eq!(lost(&scene.archive, &database, &[]), Vec::<String>::new());
    }
}

#[test]
fn parts_of_an_archive_lose_nothing_that_is_in_it() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("parts");
    database.psql(BEFORE);
    database
        .psql("DROP PUBLICATION pub; CREATE INDEX by_name ON app.t (name); CREATE POLICY pol ON app.t USING (true)");
    let scene = Scene::of(&database, &[]);
    for options in [
        &["--table", "t"][..],
        &["--section", "pre-data"],
        &["--section", "post-data"],
        &["--schema", "app"],
        &["--schema-only"],
        &["--index", "by_name"],
        &["--no-policies"],
        &["--data-only"],
        &["--no-clean"],
    ] {
        assert_eq!(lost(&scene.archive, &database, options), Vec::<String>::new(), "{options:?}");
    }
    // But a partition would go with its parent, and not come back.
    for options in [&["--table", "p"][..], &["--table", "p", "--schema-only"]] {
        assert_eq!(lost(&scene.archive, &database, options), ["TABLE app.p_2026 1"], "{options:?}");
        assert_eq!(scene.restore(&database, options).code(), 4, "{options:?}");
    }
    assert_eq!(database.psql("SELECT count(*) FROM app.p"), "1");
    // A column under another name is none that was added.
    database.psql("ALTER TABLE app.t RENAME name TO called");
    assert_eq!(lost(&scene.archive, &database, &[]), Vec::<String>::new());
    assert_eq!(doubtful(&scene.archive, &database), ["COLUMN app.t called"]);
    database.psql("ALTER TABLE app.t RENAME called TO name");
    // An archive of a part has only that.
    let part = Scene::of(&database, &["--section=pre-data"]);
    let found = lost(&part.archive, &database, &[]);
    assert!(found.contains(&"INDEX app.by_name".to_owned()), "{found:?}");
    assert!(found.contains(&"CONSTRAINT app.t t_pkey".to_owned()), "{found:?}");
}

#[test]
fn rows_that_the_archive_does_not_hold_are_named() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("rows");
    database.psql(BEFORE);
    database.psql("CREATE TABLE app.log AS SELECT generate_series(1, 3) AS a");
    let without = Scene::of(&database, &["--exclude-table-data=app.log"]);
    let none = Scene::of(&database, &["--schema-only"]);
    assert_eq!(lost(&without.archive, &database, &[]), ["rows of TABLE app.log 3"]);
    let maintenance = server.database("maintenance");
    assert_eq!(lost(&without.archive, &maintenance, &["--create"]), ["rows of TABLE app.log 3"]);
    let mut found = lost(&none.archive, &database, &[]);
    found.sort_unstable();
    assert_eq!(found, ["rows of TABLE app.log 3", "rows of TABLE app.p_2026 1", "rows of TABLE app.t 2"]);
    for options in [&[][..], &["-1"], &["--jobs", "2"]] {
        let out = without.restore(&database, options);
        assert!(out.code() == 4 && out.stderr().contains("rows of TABLE app.log (3 rows)"), "{options:?}: {out}");
    }
    assert_eq!(database.psql("SELECT count(*) FROM app.log"), "3");
    // What is left alone, or has no rows, loses none.
    assert_eq!(lost(&without.archive, &database, &["--table", "t"]), Vec::<String>::new());
    database.psql("TRUNCATE app.log");
    let out = without.restore(&database, &[]);
    assert_eq!(out.code(), 0, "{out}");
}

/// Every case of every kind, over itself and as a whole database: nothing of it is taken for something else.
#[test]
fn nothing_that_an_archive_holds_is_taken_for_lost() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects");
    let mut cases = Vec::new();
    for kind in fs::read_dir(root).unwrap().flatten().filter(|kind| kind.path().is_dir()) {
        cases.extend(Case::all(&kind.path()).unwrap());
    }
    let mut wrong = Vec::new();
    // A table that a user has put into an extension is one of its tables, and its rows are not in the archive.
    let is_lost = Path::new("statistics_data/extension.sql");
    cases.retain(|case| !case.path.ends_with(is_lost));
    for case in &cases {
        // On 19, those that only it has.
        let Some(major) = [REFERENCE, 19].into_iter().find(|major| case.is_for(*major)) else { continue };
        let Ok(server) = case.server(major) else { continue };
        let maintenance = server.database("maintenance");
        let (database, archive) = case.dumped(server).unwrap_or_else(|why| panic!("{}: {why}", case.path.display()));
        let found = lost(&archive, &database, &[]);
        if !found.is_empty() {
            wrong.push(format!("{}: {found:?}", case.path.display()));
        }
        let whole = lost(&archive, &maintenance, &["--create"]);
        if !whole.is_empty() {
            wrong.push(format!("{} as a whole: {whole:?}", case.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without its exception, a publication of all tables would have the table that is made anew.
#[test]
fn what_a_publication_leaves_out_stays_left_out() {
    let server = needed!(Server::get(19));
    let database = server.database("left_out");
    database.psql(
        "CREATE TABLE t (a integer); CREATE TABLE tt (a integer); CREATE TABLE \"t u\" (a integer);
         CREATE PUBLICATION p FOR ALL TABLES EXCEPT (TABLE t, TABLE \"t u\")",
    );
    let exceptions = "SELECT string_agg(pubname || ' ' || relname, ',' ORDER BY relname)
        FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid JOIN pg_class c ON c.oid = prrelid WHERE prexcept";
    let scene = Scene::of(&database, &[]);
    assert_eq!(lost(&scene.archive, &database, &[]), Vec::<String>::new());
    assert_eq!(lost(&scene.archive, &database, &["--table", "tt"]), Vec::<String>::new());
    let one = ["EXCEPTION OF PUBLICATION public.p t"];
    assert_eq!(lost(&scene.archive, &database, &["--table", "t"]), one);
    let both = ["EXCEPTION OF PUBLICATION public.p t", "EXCEPTION OF PUBLICATION public.p t u"];
    assert_eq!(lost(&scene.archive, &database, &["--no-publications"]), both);
    for options in [&["--table", "t"][..], &["--no-publications", "-1"]] {
        let out = scene.restore(&database, options);
        let why = "(without it, PUBLICATION p has the table, too)";
        assert!(out.code() == 4 && out.stderr().contains(why), "{out}");
    }
    assert_eq!(database.psql(exceptions), "p t,p t u");
    // Replaced along with the publication, they are made anew.
    let out = scene.restore(&database, &[]);
    assert_eq!(out.code(), 0, "{out}");
    assert_eq!(database.psql(exceptions), "p t,p t u");
    // A publication that is not in the archive, and one that leaves out more than the archive's.
    database.psql("CREATE PUBLICATION later FOR ALL TABLES EXCEPT (TABLE t)");
    database.psql("ALTER PUBLICATION p SET ALL TABLES EXCEPT (TABLE t, TABLE tt)");
    let mut found = lost(&scene.archive, &database, &[]);
    found.sort_unstable();
    assert_eq!(found, ["EXCEPTION OF PUBLICATION public.later t", "EXCEPTION OF PUBLICATION public.p tt"]);
    let out = scene.restore(&database, &["--drop-dependents"]);
    assert_eq!(out.code(), 0, "{out}");
    assert_eq!(database.psql(exceptions), "p t,p t u");
}

#[test]
fn a_database_is_not_dropped_with_what_is_not_in_the_archive() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("whole");
    database.psql(BEFORE);
    database.psql("SELECT lo_create(7)");
    let scene = Scene::of(&database, &[]);
    let maintenance = server.database("maintenance");
    assert_eq!(lost(&scene.archive, &maintenance, &["--create"]), Vec::<String>::new());
    // What a part of the archive does not bring back goes with the database.
    let part = ["--create", "--exclude-schema", "other"];
    assert_eq!(lost(&scene.archive, &maintenance, &part), ["TABLE other.u 0"]);
    assert_eq!(scene.restore(&maintenance, &part).code(), 4);
    database.psql(
        "CREATE TABLE mine AS SELECT 1 AS a; CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         CREATE CAST (app.e AS integer) WITH INOUT; CREATE EXTENSION hstore; SELECT lo_create(8);
         CREATE TYPE kind AS (a integer); CREATE TRIGGER trig BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
    );
    let mut found = lost(&scene.archive, &maintenance, &["--create"]);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "1 large object",
            "CAST DROP CAST (app.e AS integer)",
            "EXTENSION hstore",
            "FUNCTION public.mine()",
            "TABLE public.mine 1",
            "TRIGGER app.t trig",
            "TYPE public.kind",
        ]
    );
    let before = contents(&database);
    let out = scene.restore(&maintenance, &["--create"]);
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("TABLE public.mine (1 row)"), "{out}");
    assert_eq!(contents(&database), before);
    // What cannot be looked into is not dropped either.
    let name = database.name();
    server.psql("postgres", &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false"));
    let out = scene.restore(&maintenance, &["--create"]);
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("look at what is in database") && out.stderr().contains("drop-dependents"), "{out}");
    server.psql("postgres", &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true"));
    let out = scene.restore(&maintenance, &["--create", "--drop-dependents"]);
    assert_eq!(out.code(), 0, "{out}");
    assert_eq!(database.psql("SELECT to_regclass('mine') IS NULL, count(*) FROM app.t"), "t|2");
}

#[test]
fn rows_in_tables_of_extensions_that_the_archive_does_not_hold_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let scripts = dir.path().join("extension");
    fs::create_dir(&scripts).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(scripts.join("rowed.control"), "default_version = '1.0'\nrelocatable = false\nschema = public\n")
        .unwrap();
    let script = "CREATE TABLE fixed (a integer); INSERT INTO fixed VALUES (1), (2); CREATE TABLE log (a integer);
        CREATE TABLE config (a integer, own boolean); INSERT INTO config VALUES (1, false);
        CREATE FUNCTION known() RETURNS integer LANGUAGE sql AS 'SELECT 1';
        SELECT pg_extension_config_dump('config', 'WHERE own');";
    fs::write(scripts.join("rowed--1.0.sql"), script).unwrap();
    // Older servers look for extensions in their installation and nowhere else.
    let config = format!("extension_control_path = '{}:$system'", dir.path().display());
    let server = needed!(Server::with(18, &Options { config, ..Options::default() }));
    let database = server.database("rowed");
    database.psql("CREATE EXTENSION rowed; INSERT INTO config VALUES (2, true)");
    let scene = Scene::of(&database, &[]);
    let without = Scene::of(&database, &["--schema-only"]);
    for _ in 0..2 {
        assert_eq!(lost(&scene.archive, &database, &[]), Vec::<String>::new());
        let out = scene.restore(&database, &[]);
        assert_eq!(out.code(), 0, "{out}");
    }
    assert_eq!(lost(&without.archive, &database, &[]), ["rows of TABLE public.config 1"]);
    database.psql(
        "INSERT INTO fixed VALUES (3); INSERT INTO log VALUES (1), (2);
         CREATE FUNCTION along() RETURNS integer LANGUAGE sql AS 'SELECT known()'; ALTER FUNCTION along() DEPENDS ON EXTENSION rowed",
    );
    let expected = ["FUNCTION public.along()", "rows of TABLE public.fixed 1", "rows of TABLE public.log 2"];
    assert_eq!(lost(&scene.archive, &database, &[]), expected);
    let out = scene.restore(&database, &[]);
    assert_eq!(out.code(), 4, "{out}");
    assert_eq!(database.psql("SELECT count(*), (SELECT count(*) FROM log) FROM fixed"), "3|2");
    // An extension that stays loses nothing.
    database.psql("CREATE VIEW mine AS SELECT known() AS a; DROP FUNCTION along()");
    let out = scene.restore(&database, &[]);
    assert_eq!(out.code(), 0, "{out}");
    assert_eq!(database.psql("SELECT count(*), (SELECT count(*) FROM log) FROM fixed"), "3|2");
}

#[test]
fn what_appears_before_the_tables_are_locked_is_not_lost_either() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("late");
    database.psql(BEFORE);
    let scene = Scene::of(&database, &[]);
    for options in [["-1"], ["-e"]] {
        let mut psql = server.psql_command(database.name());
        let mut other = psql.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut to = other.stdin.take().unwrap();
        use std::io::Write;
        writeln!(
            to,
            "BEGIN; CREATE TABLE app.p_2027 PARTITION OF app.p FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
             INSERT INTO app.p VALUES (1, '2027-05-05'); SELECT pg_advisory_lock(4711);"
        )
        .unwrap();
        while database.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND granted")
            == "0"
        {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let mut command = lifeboat();
        command.arg("restore").arg(&scene.archive).args(["--force", "--url", &database.url()]).args(options);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_statement(&database, "%LOCK TABLE%");
        writeln!(to, "COMMIT;").unwrap();
        drop(to);
        other.wait().unwrap();
        let out = Output::of("lifeboat restore", child.wait_with_output().unwrap());
        assert_eq!(out.code(), 4, "{out}");
        assert!(out.stderr().contains("TABLE app.p_2027"), "{out}");
        assert_eq!(database.psql("SELECT count(*) FROM app.p"), "2");
        database.psql("DROP TABLE app.p_2027");
    }
}

/// A table of which the last column is gone, and another has come; what the restore says to that.
#[test]
fn a_column_that_was_added_is_told_from_one_under_another_name() {
    for server in Server::each([13, REFERENCE]) {
        let major = server.major();
        let made = server.database("columns");
        made.psql("CREATE TABLE t (gone integer, a integer, x integer, b text); ALTER TABLE t DROP gone; INSERT INTO t VALUES (1, 2, 'x'), (2, 3, 'y')");
        let scene = Scene::of(&made, &[]);
        let tried = |sql: &[&str]| {
            let database = server.database_from("columns", made.name());
            for sql in sql {
                database.psql(sql);
            }
            let (lost, doubtful) = (lost(&scene.archive, &database, &[]), doubtful(&scene.archive, &database));
            let out = scene.restore(&database, &[]);
            let code = if lost.is_empty() { 0 } else { 4 };
            assert_eq!(out.code(), code, "{sql:?} on {major}: {out}");
            let (said, rows) = if lost.is_empty() { (&doubtful, "2 rows") } else { (&lost, "") };
            for name in said {
                assert!(out.stderr().contains(name.as_str()), "{sql:?} on {major}: {out}");
            }
            assert!(out.stderr().contains(rows), "{sql:?} on {major}: {out}");
            (lost, doubtful)
        };
        let refused = |name: &str| (vec![format!("COLUMN public.t {name}")], Vec::new());
        let taken = |names: &[&str]| (Vec::new(), names.iter().map(|name| format!("COLUMN public.t {name}")).collect());
        for sql in [
            // One in the middle goes, and one comes at the end, of whatever type.
            &["ALTER TABLE t DROP x, ADD z integer"][..],
            &["ALTER TABLE t DROP a", "ALTER TABLE t ADD z integer DEFAULT 7"],
            // The last one goes, and one comes in its place.
            &["ALTER TABLE t DROP b, ADD z text"],
            &["ALTER TABLE t DROP b", "ALTER TABLE t ADD z text"],
            &[
                "ALTER TABLE t DROP b",
                "ALTER TABLE t ADD z integer",
                "CREATE INDEX ON t (a)",
                "GRANT SELECT ON t TO bob",
            ],
            &["ALTER TABLE t ADD z text", "ALTER TABLE t DROP b"],
            &["ALTER TABLE t RENAME b TO c", "ALTER TABLE t ADD z text"],
        ] {
            let (mut lost, doubtful) = tried(sql);
            lost.retain(|object| !object.starts_with("DEFAULT") && !object.starts_with("INDEX"));
            let others: Vec<String> = doubtful.into_iter().filter(|object| object != "COLUMN public.t c").collect();
            assert_eq!((lost, others), refused("z"), "{sql:?} on {major}");
        }
        for (sql, names) in [
            (&["ALTER TABLE t RENAME b TO z"][..], &["z"][..]),
            (&["ALTER TABLE t RENAME x TO z", "ALTER TABLE t RENAME a TO y"], &["y", "z"]),
            (&["ALTER TABLE t RENAME b TO z", "ALTER TABLE t ADD more integer", "ALTER TABLE t DROP more"], &["z"]),
            // The one that was dropped last could be older than the backup.
            (&["ALTER TABLE t DROP b", "ALTER TABLE t ADD z text", "GRANT SELECT ON t TO bob"], &["z"]),
        ] {
            assert_eq!(tried(sql), taken(names), "{sql:?} on {major}");
        }
    }
}
