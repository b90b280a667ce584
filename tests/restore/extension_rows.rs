//! Rows of tables that a restore does not make: those of extensions, and those whose tables are there already.

use crate::support::needs::Needed;
use crate::support::{Database, Output, REFERENCE, Scene, Server, extension, lifeboat_reading, output};

/// An extension whose tables refer to each other, and hold rows of its own beside its users'.
const SCRIPT: &str = "
    CREATE TABLE cfg_a (id integer PRIMARY KEY, standard boolean NOT NULL DEFAULT false, text text);
    CREATE TABLE cfg_b (a integer NOT NULL REFERENCES cfg_a, text text);
    INSERT INTO cfg_a VALUES (1, true, 'its own');
    SELECT pg_catalog.pg_extension_config_dump('cfg_a', 'WHERE NOT standard');
    SELECT pg_catalog.pg_extension_config_dump('cfg_b', '');
";

struct Extended {
    scene: Scene,
    server: Server,
}

impl Extended {
    /// A server that has the extension, and an archive of a database with rows in its tables. Those that refer to others are
    /// the most.
    fn new() -> Needed<Self> {
        let scene = Scene::new();
        let server = extension::server_with("cfg", "", SCRIPT, scene.folder())?;
        let origin = server.database("origin");
        origin.sql(
            "CREATE SCHEMA x; CREATE EXTENSION cfg SCHEMA x; CREATE TABLE public.t AS SELECT 1 AS a;
             INSERT INTO x.cfg_a SELECT g, false, 'users' FROM generate_series(2, 11) g;
             INSERT INTO x.cfg_b SELECT 2 + g % 10, md5(g::text) FROM generate_series(1, 20000) g",
        );
        origin.pg_dump(REFERENCE, &[], &scene.archive());
        drop(origin);
        Ok(Self { scene, server })
    }

    fn restore(&self, url: &str, options: &[&str]) -> Output {
        restore(&self.scene, url, options)
    }

    /// A database in which the extension is, with rows that are not those of the archive.
    fn other(&self, more: &str) -> Database<'_> {
        let database = self.server.database_with("other", "OWNER alice");
        database.sql(&format!(
            "CREATE SCHEMA x; CREATE EXTENSION cfg SCHEMA x;
             INSERT INTO x.cfg_a VALUES (2, false, 'other'), (99, false, 'other'), (100, true, 'standard');
             INSERT INTO x.cfg_b VALUES (2, 'other'), (99, 'other'); {more}"
        ));
        database
    }
}

fn restore(scene: &Scene, url: &str, options: &[&str]) -> Output {
    scene.restore(url, &[&["--json"], options].concat())
}

/// How many rows the tables have: the extension's own and the users' of the first, all of the second, and of others' rows.
fn rows(database: &Database<'_>) -> String {
    database.sql(
        "SELECT (SELECT count(*) FROM x.cfg_a WHERE standard), (SELECT count(*) FROM x.cfg_a WHERE NOT standard),
         (SELECT count(*) FROM x.cfg_b), (SELECT count(*) FROM x.cfg_b WHERE text = 'other')",
    )
}

const BOTH: [&str; 2] = ["TABLE DATA x.cfg_a", "TABLE DATA x.cfg_b"];
const WAYS: [&[&str]; 5] = [&[], &["--jobs", "4"], &["-1"], &["--transaction-size", "3"], &["-e"]];

#[test]
fn rows_of_an_extensions_tables_come_in_order_and_replace_those_of_before() {
    let scene = needed!(Extended::new());
    // Where the extension is made anew.
    let database = scene.server.database("made");
    for way in WAYS.iter().chain(&WAYS) {
        let out = scene.restore(&database.url(), way);
        assert_eq!((out.code(), rows(&database)), (0, "1|10|20000|0".to_owned()), "{way:?}: {out}");
    }
    // Where it stays, because something depends on it that is not in the archive.
    for way in WAYS {
        let database = scene.other("CREATE VIEW mine AS SELECT id FROM x.cfg_a");
        for _ in 0..2 {
            // Stopping at the first error needs that there is none, and that the extension stays is none.
            let out = scene.restore(&database.url(), way);
            assert_eq!((out.code(), rows(&database)), (0, "2|10|20000|0".to_owned()), "{way:?}: {out}");
        }
    }
    let database = scene.other("CREATE VIEW mine AS SELECT id FROM x.cfg_a");
    for _ in 0..2 {
        let mut command = lifeboat_reading(&scene.scene.archive(), true);
        let out = output(command.args(["restore", "-", "--force", "--url", &database.url()]));
        assert_eq!((out.code(), rows(&database)), (0, "2|10|20000|0".to_owned()), "{out}");
    }
    // Where it is not among what is restored.
    for way in [&["-n", "x"][..], &["-n", "x", "--jobs", "2"], &["--section", "data"]] {
        let database = scene.other("CREATE TABLE t (a integer)");
        for _ in 0..2 {
            let out = scene.restore(&database.url(), way);
            assert_eq!((out.code(), rows(&database)), (0, "2|10|20000|0".to_owned()), "{way:?}: {out}");
        }
    }
}

#[test]
fn rows_that_cannot_be_replaced_stay_and_are_named() {
    let scene = needed!(Extended::new());
    // A role that is no superuser may not replace the extension, and its rows only where it is let.
    for way in &WAYS[..3] {
        let database = scene.other("");
        let url = database.url_as("alice");
        let out = scene.restore(&url, way);
        assert_eq!((out.code(), rows(&database)), (3, "2|2|2|2".to_owned()), "{way:?}: {out}");
        assert_eq!(out.entries("skipped"), BOTH, "{out}");
        database.sql("GRANT USAGE ON SCHEMA x TO alice; GRANT ALL ON x.cfg_a, x.cfg_b TO alice");
        for _ in 0..2 {
            let out = scene.restore(&url, way);
            assert_eq!((out.code(), rows(&database)), (0, "2|10|20000|0".to_owned()), "{way:?}: {out}");
        }
    }
    // Where nothing is dropped, an extension that is there stays with its rows, as a table does.
    let database = scene.other("");
    for way in [&["--no-clean"][..], &["--no-clean", "--jobs", "2"]] {
        let out = scene.restore(&database.url(), way);
        assert_eq!((out.code(), rows(&database)), (3, "2|2|2|2".to_owned()), "{way:?}: {out}");
        assert!(BOTH.iter().all(|entry| out.entries("skipped").contains(&(*entry).to_owned())), "{out}");
    }
    // A table of somebody else's would lose rows along with them.
    let depends = "CREATE TABLE mine (a integer REFERENCES x.cfg_a ON DELETE CASCADE); INSERT INTO mine VALUES (99)";
    for (more, left) in [(depends, 1), (&depends.replace("ON DELETE CASCADE", ""), 1)] {
        for way in [&[][..], &["--jobs", "2"]] {
            let database = scene.other(more);
            let out = scene.restore(&database.url(), way);
            assert_eq!((out.code(), rows(&database)), (3, "2|2|2|2".to_owned()), "{way:?}: {out}");
            assert_eq!(database.sql("SELECT count(*) FROM mine"), left.to_string(), "{out}");
        }
    }
    // Rows that do not go in are no reason to lose those that are there.
    for way in [&[][..], &["--jobs", "2"], &["-1"], &["-e"]] {
        let database =
            scene.other("ALTER TABLE x.cfg_b ADD CHECK (text = 'other'); CREATE VIEW mine AS SELECT id FROM x.cfg_a");
        let out = scene.restore(&database.url(), way);
        let code = if way.contains(&"-1") || way.contains(&"-e") { 1 } else { 3 };
        assert_eq!((out.code(), rows(&database)), (code, "2|2|2|2".to_owned()), "{way:?}: {out}");
        assert!(out.entries("errors").contains(&BOTH[1].to_owned()), "{out}");
    }
}

#[test]
fn rows_of_tables_that_are_there_come_in_the_archives_order() {
    let server = needed!(Server::get(REFERENCE));
    let tables = "CREATE TABLE z_parent (id integer PRIMARY KEY); CREATE TABLE a_child (id integer REFERENCES z_parent, text text);
                  CREATE TABLE alone (id integer)";
    let origin = server.database("origin");
    origin.sql(tables);
    origin.sql(
        "INSERT INTO z_parent SELECT generate_series(1, 10); INSERT INTO alone SELECT generate_series(1, 30000);
         INSERT INTO a_child SELECT 1 + g % 10, md5(g::text) FROM generate_series(1, 20000) g",
    );
    let scene = Scene::of(&origin, &["--data-only"]);
    for jobs in ["1", "4"] {
        let target = server.database("target");
        target.sql(tables);
        let out = restore(&scene, &target.url(), &["--data-only", "--jobs", jobs]);
        assert_eq!(out.code(), 0, "{jobs}: {out}");
        let count =
            "SELECT (SELECT count(*) FROM z_parent), (SELECT count(*) FROM a_child), (SELECT count(*) FROM alone)";
        assert_eq!(target.sql(count), "10|20000|30000");
    }
}

#[test]
fn nothing_goes_into_what_stayed() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("origin");
    // Rows of partitions that go through their root, sequences, and a large object.
    let contents =
        "CREATE TABLE whole (a integer) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
         CREATE TABLE other PARTITION OF whole FOR VALUES IN (2);
         INSERT INTO whole VALUES (1); CREATE SEQUENCE s; SELECT setval('s', 5); CREATE TABLE t (a integer);";
    origin.sql(&format!("{contents} SELECT lo_from_bytea(4711, 'archive')"));
    let state = "SELECT (SELECT count(*) FROM whole), (SELECT last_value FROM s), convert_from(lo_get(4711), 'UTF8')";
    for form in [&["--load-via-partition-root"][..], &["--load-via-partition-root", "--inserts"]] {
        let scene = Scene::of(&origin, form);
        for way in [&[][..], &["--jobs", "4"]] {
            let target = server.database("target");
            target.sql(&format!(
                "{contents} SELECT setval('s', 70); SELECT lo_from_bytea(4711, 'what is here');
                 CREATE VIEW mine AS SELECT a FROM whole; CREATE TABLE mine_too (a integer DEFAULT nextval('s'))"
            ));
            let out = restore(&scene, &target.url(), way);
            assert_eq!((out.code(), target.sql(state)), (3, "1|70|archive".to_owned()), "{form:?} {way:?}: {out}");
            let skipped = out.entries("skipped");
            assert_eq!(skipped, ["SEQUENCE SET public.s"], "{out}");
            // Nor where rows could come into a partition that stayed.
            let target = server.database("target");
            target.sql(&format!("{contents} CREATE VIEW mine AS SELECT a FROM part"));
            let out = restore(&scene, &target.url(), way);
            let mut skipped = out.entries("skipped");
            skipped.sort_unstable();
            assert_eq!(skipped, ["TABLE DATA public.other", "TABLE DATA public.part"], "{out}");
            assert_eq!(target.sql("SELECT count(*) FROM part"), "1", "{out}");
            // Where nothing is dropped, a large object stays as well.
            let target = server.database("target");
            target.sql(&format!("{contents} SELECT setval('s', 70); SELECT lo_from_bytea(4711, 'what is here')"));
            let out = restore(&scene, &target.url(), &[way, &["--no-clean"]].concat());
            assert_eq!((out.code(), target.sql(state)), (3, "1|70|what is here".to_owned()), "{way:?}: {out}");
        }
    }
}
