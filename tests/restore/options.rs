//! What options of a restore do to a database, and which of them contradict each other.

use std::fs;

use pgformat::{Compression, DumpId, Entry, Header, Version, Writer};

use super::sample;
use crate::support::wait::{wait_for_statement, wait_until_left};
use crate::support::{Database, Output, REFERENCE, Scene, Server, Session, lifeboat, output, run};

/// The archive of a database with what `sql` makes.
fn archived(server: &Server, sql: &str) -> Scene {
    let origin = server.database("origin");
    origin.sql(sql);
    Scene::of(&origin, &[])
}

/// Restores it, of which nothing must be said.
fn restore(scene: &Scene, database: &Database<'_>, options: &[&str]) -> Output {
    let out = scene.restore(&database.url(), options);
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    out
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    for options in [
        &["-a", "-s"][..],
        &["-s", "--statistics-only"],
        &["-a", "--statistics-only"],
        &["-a", "--no-data"],
        &["-s", "--no-schema"],
        &["--statistics-only", "--no-statistics"],
        &["--statistics", "--no-statistics"],
        &["-a", "--statistics"],
        &["-s", "--statistics"],
        &["-a", "-c"],
        &["-a", "--if-exists"],
        &["--if-exists", "--no-clean"],
        &["-1", "--transaction-size", "5"],
        &["-1", "-C"],
        &["-1", "-j", "2"],
        &["-1", "-j", "2", "--script", "-"],
        &["--transaction-size", "0"],
        &["--section", "pre"],
        &["--restrict-key", "x"],
        &["--use-set-session-authorization"],
        &["--script", "x.sql", "--restrict-key", "a b"],
        &["--script", "x.sql", "--url", "postgresql:///x"],
    ] {
        let out = output(lifeboat().args(["restore", "nothing.dump"]).args(options));
        assert_eq!(out.code(), 2, "{options:?}: {out}");
        let named = options.iter().map(|option| match *option {
            "-a" => "--data-only",
            "-s" => "--schema-only",
            "-c" => "--clean",
            "-C" => "--create",
            "-j" => "--jobs",
            "-1" => "--single-transaction",
            long => long,
        });
        assert!(named.into_iter().any(|name| out.stderr().contains(name)), "{out}");
    }
}

#[test]
fn options_for_postgresql_are_refused_for_sqlite_by_name() {
    for (options, name) in [
        (&["--schema-only"][..], "--schema-only"),
        (&["-t", "x"], "--table"),
        (&["-O"], "--no-owner"),
        (&["-j", "2"], "--jobs"),
        (&["--quiet", "-L", "x"], "--use-list"),
    ] {
        let out = output(lifeboat().args(["restore", "x", "--force", "--url", "sqlite:///x.db"]).args(options));
        assert_eq!(out.code(), 2, "{out}");
        assert!(out.stderr().contains(&format!("use {name}: it means nothing for an SQLite")), "{out}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let server = needed!(Server::get(REFERENCE));
    let scene = archived(server, "CREATE TABLE a (); CREATE TABLE b ()");
    let with =
        |options: &[&str]| output(lifeboat().arg("restore").arg(scene.archive()).args(["--script", "-"]).args(options));
    let (list, filter) = (scene.path("list"), scene.path("filter"));
    let (list_text, filter_text) = (list.to_str().unwrap(), filter.to_str().unwrap());
    for (options, name) in [(["-L", list_text], list_text), (["--filter", filter_text], filter_text)] {
        let out = with(&options);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains(name), "{out}");
    }
    fs::write(&list, "nonsense\n9999999; x\n").unwrap();
    let out = with(&["-L", list_text]);
    assert_eq!(out.code(), 0, "{out}");
    for line in ["line 1", "line 2"] {
        assert!(out.stderr().contains(&format!("{list_text}, {line}")), "{out}");
    }
    for options in [["--section", "post-data"], ["-n", "public"]] {
        let out = with(&options);
        assert_eq!((out.code(), out.stderr().contains("nothing to restore")), (0, options[0] == "--section"), "{out}");
    }
    fs::write(&filter, "include table a\nexclude table b\n").unwrap();
    let out = with(&["--filter", filter_text]);
    assert_eq!(out.code(), 2, "{out}");
    assert!(out.stderr().contains("line 2") && out.stderr().contains("exclude table"), "{out}");
    for options in [["-t", "c"], ["-n", "nowhere"], ["-I", "a"], ["-P", "f()"], ["-T", "a t"]] {
        let out = with(&[&options[..], &["--strict-names"]].concat());
        assert_eq!(out.code(), 2, "{out}");
        assert!(out.stderr().contains(&format!("\"{}\"", options[1])), "{out}");
        // Without that, it is only said.
        let out = with(&options);
        assert_eq!(out.code(), 0, "{out}");
        assert!(out.stderr().contains(&format!("\"{}\": the archive has nothing", options[1])), "{out}");
    }
}

#[test]
fn schema_and_data_can_be_restored_one_after_the_other() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let scene = Scene::of(&origin, &[]);
    for parts in [
        &[&["--schema-only"][..], &["--data-only", "--disable-triggers"]][..],
        &[&["--section", "pre-data"], &["--section", "data", "--no-clean"], &["--section", "post-data"]],
        &[&["--no-data"], &["--no-schema", "--disable-triggers", "-S", "postgres"]],
    ] {
        let database = server.database("parts");
        for options in parts {
            // What runs when the data come does not belong to them.
            let out = scene.restore(&database.url(), &[&["--owner", "--acl"], *options].concat());
            assert_eq!(out.code(), 0, "{options:?} {out}");
        }
        database.assert_is(&format!("{parts:?}"), &scene.archive());
    }
}

#[test]
fn owners_make_their_objects_themselves() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    // Only a superuser may make an event trigger or a base type, whoever is to own it.
    origin.sql("DROP EVENT TRIGGER watch; ALTER FUNCTION app.twice(integer) OWNER TO alice");
    let scene = Scene::of(&origin, &[]);
    let database = server.database("owners");
    database.sql(&format!("GRANT CREATE ON DATABASE \"{}\" TO alice", database.name()));
    let out = restore(&scene, &database, &["--owner", "--acl", "--use-set-session-authorization"]);
    let owner = |what: &str| database.sql(&format!("SELECT {what}"));
    assert_eq!(owner("relowner::regrole FROM pg_class WHERE relname = 'customer'"), "alice", "{out}");
    assert_eq!(owner("proowner::regrole FROM pg_proc WHERE proname = 'twice'"), "alice", "{out}");
    assert_eq!(owner("proowner::regrole FROM pg_proc WHERE proname = 'watch'"), "postgres", "{out}");
    // Once more, over itself.
    restore(&scene, &database, &["--owner", "--acl", "--use-set-session-authorization"]);
    database.assert_is("made by the owners", &scene.archive());
    let out = scene.restore(&database.url_as("bob"), &["--owner", "--use-set-session-authorization"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("--no-owner does without"), "{out}");
}

#[test]
fn a_database_is_made_under_its_name_and_made_anew() {
    let server = needed!(Server::get(REFERENCE));
    let origin = sample(server);
    let name = origin.name().to_owned();
    origin.sql(&format!("ALTER DATABASE \"{name}\" SET work_mem = '7MB'; COMMENT ON DATABASE \"{name}\" IS 'made'"));
    let scene = Scene::of(&origin, &[]);
    let maintenance = server.database("maintenance");
    let run_with = |options: &[&str]| {
        output(lifeboat().arg("restore").arg(scene.archive()).args(["--create", "--owner", "--acl"]).args(options))
    };
    let url = maintenance.url();
    // It is there, and is asked for.
    let out = run_with(&["--url", &url]);
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains(&name) && out.stderr().contains("dropped"), "{out}");
    let out = run_with(&["--url", &url, "--force", "--no-clean"]);
    assert_eq!(out.code(), 4, "{out}");
    let out = run_with(&["--url", &origin.url(), "--force"]);
    assert_eq!(out.code(), 2, "{out}");
    // Somebody is connected: nothing is restored into what is there.
    let before = origin.sql("SELECT count(*) FROM pg_class");
    let mut busy = Session::open(&origin);
    busy.send("SELECT pg_sleep(60)");
    wait_for_statement(&origin, "SELECT pg_sleep%");
    let out = run_with(&["--url", &url, "--force"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("being accessed"), "{out}");
    assert_eq!(origin.sql("SELECT count(*) FROM pg_class"), before);
    drop(busy);
    server.sql("postgres", &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    wait_until_left(&origin);
    for options in [&[][..], &["--transaction-size", "3"]] {
        origin.sql("CREATE SCHEMA intruder");
        let out = run_with(&[&["--url", &url, "--force"], options].concat());
        assert!(out.code() == 4 && out.stderr().contains("SCHEMA intruder"), "{out}");
        let out = run_with(&[&["--url", &url, "--force", "--drop-dependents"], options].concat());
        assert_eq!((out.code(), out.stderr().lines().count()), (0, 1), "{out}");
        assert!(out.stdout().contains(&format!("database: \"{name}\"")), "{out}");
        origin.assert_is("created", &scene.archive());
    }
    assert_eq!(maintenance.sql("SELECT count(*) FROM pg_class WHERE relname = 'customer'"), "0");
}

#[test]
fn transactions_of_so_many_objects_leave_what_was_committed_before_the_first_error() {
    let server = needed!(Server::get(REFERENCE));
    let scene = archived(
        server,
        "CREATE TABLE a (n integer); INSERT INTO a SELECT generate_series(1, 10); CREATE TABLE b (n integer);
         INSERT INTO b SELECT generate_series(1, 20); CREATE TABLE c (n integer); SELECT lo_create(n) FROM generate_series(7001, 7040) n",
    );
    // Over and over again, and in one piece.
    let database = server.database("sized");
    for size in ["1", "2", "3", "50", "2", "1000"] {
        restore(&scene, &database, &["--transaction-size", size]);
        assert_eq!(database.sql("SELECT count(*), (SELECT count(*) FROM pg_largeobject_metadata) FROM b"), "20|40");
    }
    // The rows of b meet a constraint that the archive does not know of, in a table that is not made anew.
    let database = server.database("sized");
    database.sql("CREATE TABLE b (n integer CHECK (n < 15)); CREATE VIEW keeps AS SELECT * FROM b");
    let out = scene.restore(&database.url(), &["--no-clean", "--data-only", "--transaction-size", "1", "--json"]);
    assert_eq!(out.code(), 1, "{out}");
    let out = scene.restore(&database.url(), &["--no-clean", "--transaction-size", "1", "--json"]);
    let said = out.json();
    assert_eq!(out.code(), 1, "{out}");
    assert_eq!((said["stopped"].as_bool(), said["rolled_back"].as_bool()), (Some(true), Some(false)), "{out}");
    assert_eq!(database.sql("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'c')"), "1");
}

#[test]
fn what_the_commit_finds_fails_the_restore() {
    let server = needed!(Server::get(REFERENCE));
    let scene = archived(server, "CREATE TABLE child (n integer); INSERT INTO child VALUES (1), (2)");
    let database = server.database("deferred");
    database.sql(
        "CREATE TABLE parent (n integer PRIMARY KEY);
         CREATE TABLE child (n integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    );
    for (options, code) in [(["-a", "-1"], 1), (["-a", "--transaction-size=1000"], 1)] {
        let out = scene.restore(&database.url(), &options);
        assert_eq!(out.code(), code, "{out}");
        assert!(out.stderr().contains("commit") && out.stderr().contains("child_n_fkey"), "{out}");
        assert_eq!(database.sql("SELECT count(*) FROM child"), "0");
    }
}

#[test]
fn what_became_of_a_commit_without_an_answer_is_not_claimed() {
    let server = needed!(Server::get(REFERENCE));
    let scene = archived(server, "CREATE TABLE child (n integer); INSERT INTO child VALUES (1)");
    let database = server.database("lost");
    database.sql(
        "CREATE TABLE child (n integer);
         CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON child DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()",
    );
    for options in [["-a", "-1"], ["-a", "--transaction-size=1000"]] {
        let out = scene.restore(&database.url(), &options);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("commit") && out.stderr().contains("look what is there"), "{out}");
        assert!(!out.stderr().contains("nothing was changed"), "{out}");
    }
}

#[test]
fn rows_without_their_end_mark_are_no_success() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let table = Entry::new(DumpId(1), "TABLE")
        .tag("t")
        .schema("public")
        .definition("CREATE TABLE public.t (n integer);\n")
        .drop_statement("DROP TABLE public.t;\n");
    let rows = Entry::new(DumpId(2), "TABLE DATA")
        .has_data(true)
        .tag("t")
        .schema("public")
        .copy_statement("COPY public.t FROM stdin;\n")
        .dependencies(vec![DumpId(1)]);
    for (content, code) in [("1\n2\n\\.\n\n\n", 0), ("1\n2\n", 3), ("1\n2", 3), ("1\n2\n\\.", 3), ("1\n2\n\\.\n3\n", 3)]
    {
        let header = Header::new(Version::V1_14, Compression::None);
        let mut writer = Writer::new(Vec::new(), header, vec![table.clone(), rows.clone()]).unwrap();
        let mut data = writer.data(DumpId(2)).unwrap();
        std::io::Write::write_all(&mut data, content.as_bytes()).unwrap();
        data.finish().unwrap();
        fs::write(scene.archive(), writer.finish().unwrap()).unwrap();
        let database = server.database("rows");
        // Before the restore it is an error, and in it as well.
        let out = scene.restore(&database.url(), &[]);
        assert_eq!(out.code(), if code == 0 { 0 } else { 1 }, "{content:?}: {out}");
        let out = scene.restore(&database.url(), &["--no-verify"]);
        assert_eq!(out.code(), code, "{content:?}: {out}");
        let out = scene.restore(&database.url(), &["-1", "--no-verify"]);
        assert_eq!(out.code(), if code == 0 { 0 } else { 1 }, "{content:?}: {out}");
    }
}

#[test]
fn a_role_is_taken_and_names_choose() {
    let server = needed!(Server::get(REFERENCE));
    let scene = archived(
        server,
        "CREATE SCHEMA s; CREATE TABLE s.a (n integer); CREATE TABLE s.b (n integer); CREATE INDEX i ON s.a (n);
         INSERT INTO s.a VALUES (1); CREATE TABLE public.\"A\" (n integer); COMMENT ON TABLE s.b IS 'b'",
    );
    let database = server.database("named");
    database.sql(&format!("GRANT CREATE ON DATABASE \"{}\" TO alice", database.name()));
    let tables = "SELECT string_agg(relname || ' ' || relowner::regrole, ', ' ORDER BY relname) FROM pg_class WHERE relkind IN ('r', 'i')
                  AND relnamespace IN ('public'::regnamespace, coalesce(to_regnamespace('s')::oid, 0))";
    // A selection by schema does not make the schema, as in pg_restore.
    database.sql("CREATE SCHEMA s AUTHORIZATION alice");
    restore(&scene, &database, &["--role", "alice", "-n", "s", "-t", "a", "--strict-names"]);
    assert_eq!(database.sql(tables), "a alice");
    restore(&scene, &database, &["-I", "i"]);
    assert_eq!(database.sql(tables), "a alice, i alice");
    fs::write(scene.path("filter"), "include table b\n").unwrap();
    let filter = scene.path("filter");
    restore(&scene, &database, &["--filter", filter.to_str().unwrap(), "--no-comments"]);
    assert_eq!(database.sql("SELECT obj_description('s.b'::regclass) IS NULL"), "t");
    // The schema s is not in a schema, and so not left out; it stays as it is.
    let out = scene.restore(&database.url(), &["-N", "s"]);
    assert_eq!(out.code(), 0, "{out}");
    assert!(out.stderr().contains("SCHEMA s: it stays"), "{out}");
    let list = run(lifeboat().arg("list").arg(scene.archive())).stdout();
    let list: String = list.lines().filter(|line| line.contains(" TABLE DATA s a ")).collect();
    fs::write(scene.path("list"), list).unwrap();
    restore(&scene, &database, &["-L", scene.path("list").to_str().unwrap()]);
    assert_eq!(database.sql("SELECT count(*) FROM s.a"), "2");
    assert_eq!(database.sql(tables), "A postgres, a alice, b postgres, i alice");
}
