//! Restoring on a server that others manage: as the owner of a database who is no superuser, beside extensions, event
//! triggers and publications that a superuser made.

use std::collections::BTreeSet;
use std::path::Path;

use super::again::failed_in_pg_restore;
use crate::support::{Database, Output, REFERENCE, Scene, Server, lifeboat, output, verbs};

/// What alice has, and what a superuser put beside it.
const CONTENTS: &str = "
    CREATE EXTENSION hstore;
    CREATE SCHEMA app AUTHORIZATION alice;
    SET ROLE alice;
    CREATE TABLE app.t (id serial PRIMARY KEY, v text, h public.hstore);
    INSERT INTO app.t (v, h) SELECT 'x' || g, 'a=>1' FROM generate_series(1, 100) g;
    COMMENT ON TABLE app.t IS 'tee';
    CREATE FUNCTION app.note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
    COMMENT ON FUNCTION app.note() IS 'notes';
    RESET ROLE;";
const OF_SUPERUSER: &str = "
    CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION app.note();
    COMMENT ON EVENT TRIGGER watch IS 'watches';
    CREATE EVENT TRIGGER \"Watch too\" ON sql_drop WHEN TAG IN ('DROP VIEW') EXECUTE FUNCTION app.note();
    ALTER EVENT TRIGGER \"Watch too\" DISABLE;
    CREATE PUBLICATION everything FOR ALL TABLES;
    COMMENT ON PUBLICATION everything IS 'all of it';";

/// A scene with the archive of a database with these contents.
fn archived(server: &Server, contents: &[&str]) -> Scene {
    let origin = server.database("origin");
    origin.sql(&contents.concat());
    Scene::of(&origin, &[])
}

/// Restores it, as alice most often.
fn restore(scene: &Scene, url: &str, options: &[&str]) -> Output {
    scene.restore(url, &[&["--json"], options].concat())
}

/// A database of alice's with an extension that a superuser put there.
fn managed(server: &Server) -> Database<'_> {
    let database = server.database_with("managed", "OWNER alice");
    database.sql("CREATE EXTENSION hstore");
    database
}

/// The entries under a heading of a report, sorted.
fn entries(out: &Output, heading: &str) -> Vec<String> {
    let mut names = out.entries(heading);
    names.sort_unstable();
    names
}

fn as_owner<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&["--owner", "--acl"], options].concat()
}

const WAYS: [&[&str]; 5] =
    [&[], &["--single-transaction"], &["--jobs", "4"], &["--exit-on-error"], &["--transaction-size", "3"]];

#[test]
fn what_a_superuser_made_stays_and_all_else_is_restored() {
    for server in Server::all() {
        let scene = archived(server, &[CONTENTS, OF_SUPERUSER]);
        let database = managed(server);
        let url = database.url_as("alice");
        let ways = if server.major() == REFERENCE { &WAYS[..] } else { &WAYS[..2] };
        // What is missing is named, and no more than that; all the rest is there, in one transaction too.
        for way in ways {
            let out = restore(&scene, &url, &as_owner(way));
            assert_eq!((out.code(), out.json()["failed"].as_i64()), (3, Some(0)), "{way:?} {out}");
            assert_eq!(
                entries(&out, "left_to_superuser"),
                [
                    "COMMENT EVENT TRIGGER watch",
                    "COMMENT PUBLICATION everything",
                    "EVENT TRIGGER Watch too",
                    "EVENT TRIGGER watch",
                    "PUBLICATION everything",
                ],
                "{way:?} {out}"
            );
            assert_eq!(entries(&out, "stays"), ["EXTENSION hstore"], "{out}");
            // A line for each, one for their comments, one for the extension.
            let lines = out.stderr();
            assert!(lines.lines().all(|line| line.starts_with("lifeboat: warning: ")), "{out}");
            let of = |what: &str| lines.lines().filter(|line| line.contains(what)).count();
            assert_eq!((of(": left to a superuser"), of("left along with those"), of("EXTENSION")), (3, 1, 1), "{out}");
            assert_eq!(database.sql("SELECT count(*) FROM app.t"), "100");
        }
        // Where a superuser has added it, nothing is missing, and it can be done over and over.
        database.sql(OF_SUPERUSER);
        for way in ways {
            let out = restore(&scene, &url, &as_owner(way));
            assert_eq!(out.code(), 0, "{way:?} {out}");
            assert_eq!(
                entries(&out, "stays"),
                ["EVENT TRIGGER Watch too", "EVENT TRIGGER watch", "EXTENSION hstore", "PUBLICATION everything"]
            );
            assert_eq!(out.stderr().lines().count(), 3, "{out}");
            assert!(out.stderr().contains("they belong to postgres, and alice may not replace them"), "{out}");
        }
        database.assert_is("what a superuser made stays", &scene.archive());
        // A superuser who takes her role may do no more than she.
        let out = restore(&scene, &database.url(), &["--role", "alice", "-1"]);
        assert_eq!((out.code(), entries(&out, "stays").len()), (0, 4), "{out}");
        let out = restore(&scene, &database.url(), &["--role", "nobody at all"]);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stdout().contains("nobody at all"), "{out}");
        // What is another than in the archive is left, and said to be.
        database.sql(
            "DROP EVENT TRIGGER watch; CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION app.note();
             COMMENT ON EXTENSION hstore IS 'other words'; ALTER PUBLICATION everything SET (publish = 'insert')",
        );
        let out = restore(&scene, &url, &["-1", "-n", "app"]);
        assert_eq!(out.code(), 0, "a part without them: {out}");
        let out = restore(&scene, &url, &[]);
        assert_eq!(out.code(), 3, "{out}");
        let left = entries(&out, "left_to_superuser");
        assert!(
            left.contains(&"EVENT TRIGGER watch".to_owned()) && left.contains(&"PUBLICATION everything".to_owned()),
            "{left:?}"
        );
        assert_eq!(entries(&out, "stays"), ["COMMENT EXTENSION hstore", "EVENT TRIGGER Watch too", "EXTENSION hstore"]);
        assert_eq!(database.sql("SELECT evtevent FROM pg_event_trigger WHERE evtname = 'watch'"), "ddl_command_start");
    }
}

/// The entries that pg_restore, in alice's name, has an error for.
fn fails_with_pg_restore(archive: &Path, database: &Database<'_>) -> BTreeSet<i64> {
    failed_in_pg_restore(&database.pg_restore(
        REFERENCE,
        &["-v", "--clean", "--if-exists", "-O", "-x", "-U", "alice"],
        archive,
    ))
}

#[test]
fn refusal_brings_no_chain_of_errors() {
    for server in Server::each([14, 15, REFERENCE]) {
        let major = server.major();
        let contents = "
            CREATE FUNCTION app.c(text) RETURNS oid LANGUAGE internal STRICT AS 'regclassin';
            COMMENT ON FUNCTION app.c(text) IS 'see'; GRANT EXECUTE ON FUNCTION app.c(text) TO alice;
            CREATE TYPE app.word;
            CREATE FUNCTION app.word_in(cstring) RETURNS app.word LANGUAGE internal IMMUTABLE STRICT AS 'textin';
            CREATE FUNCTION app.word_out(app.word) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
            CREATE TYPE app.word (INPUT = app.word_in, OUTPUT = app.word_out, LIKE = text);
            COMMENT ON TYPE app.word IS 'a word';
            CREATE CAST (app.word AS text) WITHOUT FUNCTION;
            CREATE TABLE app.words AS SELECT 'x'::app.word AS w;
            COMMENT ON SCHEMA public IS 'ours';";
        let scene = archived(server, &[CONTENTS, contents]);
        let database = managed(server);
        let usual = fails_with_pg_restore(&scene.archive(), &managed(server));
        for way in [&[][..], &["--jobs", "3"]] {
            let out = restore(&scene, &database.url_as("alice"), &[way, &["--acl"]].concat());
            assert_eq!(out.code(), 3, "{out}");
            let report = out.json();
            for error in report["left_to_superuser"].as_array().unwrap() {
                let id = error["id"].as_i64().unwrap();
                assert!(usual.contains(&id) || error["entry"].as_str().unwrap().starts_with("ACL"), "{error}");
            }
            // The rows that have no table now are errors, and no less.
            assert_eq!(entries(&out, "errors"), ["TABLE app.words"], "{out}");
            assert_eq!(entries(&out, "skipped"), ["TABLE DATA app.words"], "{out}");
            let lines = out.stderr();
            let of = |what: &str| lines.lines().filter(|line| line.contains(what)).count();
            assert_eq!((of("app.c(text): left to"), of("app.word: left to"), of("does not exist")), (1, 1, 1), "{out}");
            assert!(lines.contains("COMMENT app.TYPE word") && lines.contains("CAST CAST (app.word AS text)"), "{out}");
            // Before 15, schema public belongs to a superuser.
            let is_public_left = entries(&out, "left_to_superuser").contains(&"COMMENT SCHEMA public".to_owned());
            assert_eq!(is_public_left, major < 15, "{out}");
        }
        // All or nothing is still nothing where the contents would not be whole.
        let out = restore(&scene, &database.url_as("alice"), &["-1"]);
        assert_eq!((out.code(), out.json()["rolled_back"].as_bool()), (1, Some(true)), "{out}");
        assert_eq!(entries(&out, "errors"), ["SHELL TYPE app.word"], "{out}");
        assert_eq!(database.sql("SELECT count(*) FROM app.t"), "100");
    }
}

#[test]
fn what_belongs_to_others_is_not_touched_and_named() {
    let server = needed!(Server::get(REFERENCE));
    server.sql(
        "postgres",
        "CREATE ROLE managed_group; CREATE ROLE managed_member LOGIN IN ROLE managed_group; CREATE ROLE managed_other",
    );
    let scene = archived(
        server,
        &["CREATE SCHEMA s AUTHORIZATION managed_group; CREATE TABLE s.a AS SELECT 1 AS a; CREATE TABLE s.b AS SELECT 2 AS b;
           CREATE FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION s.f() IS 'eff';
           ALTER TABLE s.a OWNER TO managed_group; ALTER TABLE s.b OWNER TO managed_other; ALTER FUNCTION s.f() OWNER TO managed_other"],
    );
    {
        // A member of a role can give objects to it; that it cannot to another is said once.
        let database = server.database_with("managed", "OWNER managed_member");
        let url = database.url_as("managed_member");
        for _ in 0..2 {
            let out = restore(&scene, &url, &["--owner"]);
            assert_eq!(out.code(), 3, "{out}");
            assert_eq!(entries(&out, "left_to_superuser"), ["FUNCTION s.f()", "TABLE s.b"], "{out}");
            assert_eq!(out.stderr().lines().count(), 1, "{out}");
            assert!(
                out.stderr().contains("owner managed_other: left to a superuser: 2 objects, FUNCTION s.f()"),
                "{out}"
            );
            assert_eq!(
                database.sql("SELECT relowner::regrole FROM pg_class WHERE oid = 's.a'::regclass"),
                "managed_group"
            );
        }
        // In one transaction it is all or nothing.
        let out = restore(&scene, &url, &["--owner", "-1"]);
        assert_eq!((out.code(), out.json()["rolled_back"].as_bool()), (1, Some(true)), "{out}");
        // What another owns is left as it is; a table's rows do not go on top of it.
        database.sql(
            "ALTER TABLE s.b OWNER TO managed_other; ALTER FUNCTION s.f() OWNER TO managed_other;
             ALTER SCHEMA s OWNER TO postgres; GRANT ALL ON SCHEMA s TO managed_member",
        );
        let out = restore(&scene, &url, &[]);
        assert_eq!(out.code(), 3, "{out}");
        assert_eq!(entries(&out, "errors"), ["TABLE s.b"], "{out}");
        assert_eq!(entries(&out, "skipped"), ["TABLE DATA s.b"], "{out}");
        assert_eq!(entries(&out, "left_to_superuser"), ["COMMENT s.FUNCTION f()", "FUNCTION s.f()"], "{out}");
        assert!(out.stderr().contains("it stays as it was, for managed_member may not replace it"), "{out}");
        assert_eq!(database.sql("SELECT count(*) FROM s.b"), "1");
        // Where nothing can be made anew nothing is dropped, and it is said what to do.
        database.sql(
            "DROP SCHEMA s CASCADE; CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO managed_member;
             CREATE TABLE s.a AS SELECT 'precious' AS a; ALTER TABLE s.a OWNER TO managed_member",
        );
        let out = restore(&scene, &url, &[]);
        let advice = "SCHEMA s: managed_member may not make anything in it, so nothing is dropped; its owner can allow it: GRANT CREATE ON SCHEMA s TO managed_member";
        assert!(out.stderr().contains(advice), "{out}");
        assert_eq!((out.code(), database.sql("SELECT a FROM s.a")), (3, "precious".to_owned()), "{out}");
        database.sql("GRANT CREATE ON SCHEMA s TO managed_member");
        let out = restore(&scene, &url, &["-1"]);
        assert_eq!((out.code(), entries(&out, "stays")), (0, vec!["SCHEMA s".to_owned()]), "{out}");
        // So it is with the database itself.
        let database = server.database("managed");
        database.sql("CREATE SCHEMA s AUTHORIZATION managed_member");
        for _ in 0..2 {
            let out = restore(&scene, &database.url_as("managed_member"), &["-1"]);
            assert_eq!((out.code(), entries(&out, "stays")), (0, vec!["SCHEMA s".to_owned()]), "{out}");
            let advice = format!("GRANT CREATE ON DATABASE {} TO managed_member", database.name());
            assert!(out.stderr().contains("SCHEMA s: not dropped") && out.stderr().contains(&advice), "{out}");
        }
        database.sql("DROP SCHEMA s CASCADE");
        let out = restore(&scene, &database.url_as("managed_member"), &["-1"]);
        assert_eq!(entries(&out, "errors"), ["SCHEMA s"], "{out}");
        assert!(out.stderr().contains("can allow it with GRANT CREATE ON DATABASE"), "{out}");
        database.sql("CREATE SCHEMA s AUTHORIZATION managed_member");
        // A role that cannot be taken is said, and a dry run says what a restore would.
        let out = restore(&scene, &url, &["--role", "managed_other"]);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stdout().contains("could not take the role \\\"managed_other\\\": permission denied"), "{out}");
        // What would be replaced is said before.
        let unforced = ["--role", "managed_other", "--url", &url];
        let out = output(lifeboat().arg("restore").arg(scene.archive()).args(unforced));
        assert_eq!((out.code(), out.stderr().contains("without --force")), (4, true), "{out}");
        let out = output(&mut verbs::dry_run(&database.url_as("managed_member"), &scene.archive(), &[]));
        assert_eq!(out.code(), 0, "{out}");
        assert!(out.stderr().contains("SCHEMA s: not dropped"), "{out}");
    }
    server.sql("postgres", "DROP ROLE managed_member; DROP ROLE managed_group; DROP ROLE managed_other");
}

#[test]
fn what_the_server_permits_is_made_whoever_is_no_superuser() {
    let server = needed!(Server::get(REFERENCE));
    // From 16 on, a superuser can let others make subscriptions.
    server.sql("postgres", "CREATE ROLE managed_sub LOGIN IN ROLE pg_create_subscription");
    let origin = server.database("origin");
    origin.sql(
        "CREATE TABLE t AS SELECT 1 AS a;
         CREATE SUBSCRIPTION one CONNECTION 'host=nowhere password=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
         CREATE SUBSCRIPTION two CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)",
    );
    let scene = Scene::of(&origin, &[]);
    {
        let database = server.database_with("managed", "OWNER managed_sub");
        let count = "SELECT string_agg(subname, ' ') FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid
                     WHERE datname = current_database()";
        // The other one has no password, which is another error than not being permitted.
        let out = restore(&scene, &database.url_as("managed_sub"), &[]);
        assert_eq!((out.code(), entries(&out, "errors")), (3, vec!["SUBSCRIPTION two".to_owned()]), "{out}");
        assert_eq!(database.sql(count), "one");
        let out = restore(&scene, &database.url_as("managed_sub"), &["-1"]);
        assert_eq!((out.code(), out.json()["rolled_back"].as_bool()), (1, Some(true)), "{out}");
        let out = restore(&scene, &server.database_with("managed", "OWNER alice").url_as("alice"), &["-1"]);
        assert_eq!((out.code(), out.json()["rows"].as_i64()), (3, Some(1)), "{out}");
        assert_eq!(entries(&out, "left_to_superuser"), ["SUBSCRIPTION one", "SUBSCRIPTION two"], "{out}");
        assert!(
            out.stderr()
                .contains("SUBSCRIPTION two: left to a superuser: it was not tried, for SUBSCRIPTION one was refused"),
            "{out}"
        );
        assert!(!out.stderr().contains("password"), "{out}");
    }
    server.sql("postgres", "DROP ROLE managed_sub");
}
