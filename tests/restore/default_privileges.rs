//! Objects get the privileges that the archive means, whatever default privileges the target has.

use crate::support::{Output, REFERENCE, Scene, Server};

/// Of every kind of object that default privileges are for, one that is closed, and one with privileges of its own.
const CONTENTS: &str = "
    CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO alice; CREATE SCHEMA closed;
    CREATE TABLE s.t (id serial PRIMARY KEY, a integer); INSERT INTO s.t (a) SELECT generate_series(1, 10);
    CREATE TABLE s.granted (id integer GENERATED ALWAYS AS IDENTITY); GRANT SELECT ON s.granted TO alice;
    GRANT UPDATE (id) ON s.granted TO alice; CREATE TABLE public.t (a integer);
    CREATE VIEW s.v AS SELECT a FROM s.t; CREATE MATERIALIZED VIEW s.m AS SELECT a FROM s.t;
    CREATE FUNCTION s.f(a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION s.\"Odd; name\"(s.t[], VARIADIC text[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION s.closed() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    REVOKE ALL ON FUNCTION s.closed() FROM PUBLIC; GRANT EXECUTE ON FUNCTION s.closed() TO alice;
    CREATE PROCEDURE s.p(a integer) LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE s.sum(integer) (SFUNC = int4pl, STYPE = integer); CREATE AGGREGATE s.n(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
    CREATE TYPE s.e AS ENUM ('a'); CREATE TYPE s.c AS (a integer); CREATE DOMAIN s.d AS integer; CREATE TYPE s.r AS RANGE (SUBTYPE = integer);
    CREATE EXTENSION hstore SCHEMA public; CREATE EXTENSION pg_stat_statements SCHEMA s;
    SELECT lo_from_bytea(4711, 'x');";

/// Default privileges that open everything to bob, and take from everybody what all have.
const OPEN: &str = "
    ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO bob; ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO bob WITH GRANT OPTION;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO bob; ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO bob;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO bob; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM postgres;
    ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO carol";

/// All privileges in a database that are not those that every object has, initial ones included, and all default ones.
const ALL: &str = "
    WITH acl AS (
        SELECT 'relation' AS kind, oid::regclass::text AS name, relacl AS acl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", relowner) AS usual FROM pg_class
        UNION ALL SELECT 'routine', oid::regprocedure::text, proacl, acldefault('f', proowner) FROM pg_proc
        UNION ALL SELECT 'type', oid::regtype::text, typacl, acldefault('T', typowner) FROM pg_type
        UNION ALL SELECT 'schema', nspname::text, nspacl, acldefault('n', nspowner) FROM pg_namespace WHERE nspname !~ '^pg_'
        UNION ALL SELECT 'object', oid::text, lomacl, acldefault('L', lomowner) FROM pg_largeobject_metadata
        UNION ALL SELECT 'initial ' || classoid::regclass, pg_describe_object(classoid, objoid, objsubid), initprivs, '{}' FROM pg_init_privs WHERE privtype = 'e'
        UNION ALL SELECT 'column', attrelid::regclass || '.' || attname, attacl, '{}' FROM pg_attribute
    ), one AS (
        SELECT kind, name, ARRAY(SELECT i::text FROM unnest(acl) i ORDER BY 1) AS acl, ARRAY(SELECT i::text FROM unnest(usual) i ORDER BY 1) AS usual FROM acl WHERE acl IS NOT NULL
    ) SELECT string_agg(kind || ' ' || name || ' ' || acl::text, E'\\n' ORDER BY kind, name) FROM one WHERE acl <> usual";

const DEFAULTS: &str = "SELECT string_agg(one, E'\\n' ORDER BY one) FROM (SELECT pg_get_userbyid(defaclrole) || ' '
    || defaclnamespace::regnamespace || ' ' || defaclobjtype::text || ' ' || defaclacl::text FROM pg_default_acl) AS d (one)";

fn restore(scene: &Scene, url: &str, options: &[&str]) -> Output {
    scene.restore(url, &[&["--json"], options].concat())
}

/// The default privileges that a server can have.
fn open(server: &Server) -> String {
    let of_objects = "; ALTER DEFAULT PRIVILEGES GRANT ALL ON LARGE OBJECTS TO bob";
    format!("{OPEN}{}", if server.major() >= 18 { of_objects } else { "" })
}

const WAYS: [&[&str]; 5] = [&[], &["--jobs", "4"], &["-1"], &["--transaction-size", "5"], &["-e"]];

#[test]
fn what_is_made_has_the_privileges_of_the_archive_whatever_the_target_gives() {
    for server in Server::all() {
        let origin = server.database("origin");
        origin.sql(CONTENTS);
        let scene = Scene::of(&origin, &[]);
        let ways = if server.major() == REFERENCE { &WAYS[..] } else { &WAYS[..1] };
        for privileges in [&["--acl"][..], &[], &["--acl", "--owner", "--use-set-session-authorization"]] {
            // What there is where nothing interferes.
            let pure = server.database("pure");
            assert_eq!(restore(&scene, &pure.url(), privileges).code(), 0);
            let expected = pure.sql(ALL);
            if privileges.contains(&"--acl") {
                assert_eq!(expected, origin.sql(ALL), "on {}", server.major());
            }
            for way in ways {
                let target = server.database("open");
                target.sql(&open(server));
                let defaults = target.sql(DEFAULTS);
                for _ in 0..2 {
                    let out = restore(&scene, &target.url(), &[*way, privileges].concat());
                    assert_eq!(out.code(), 0, "{way:?} {privileges:?} on {}: {out}", server.major());
                    assert_eq!(target.sql(ALL), expected, "{way:?} {privileges:?} on {}", server.major());
                    // Those of schemas that are made anew go with them; here there are none.
                    assert_eq!(target.sql(DEFAULTS), defaults, "{way:?} {privileges:?} on {}", server.major());
                }
            }
            // On request, they count.
            let target = server.database("open");
            target.sql(&open(server));
            let out = restore(&scene, &target.url(), &[privileges, &["--target-default-privileges"]].concat());
            assert_eq!(out.code(), 0, "{out}");
            assert_eq!(target.sql("SELECT has_table_privilege('bob', 's.t', 'SELECT')"), "t");
        }
    }
}

#[test]
fn default_privileges_of_an_archive_take_the_place_of_those_that_are_there() {
    for server in Server::each([14, REFERENCE]) {
        let major = server.major();
        let origin = server.database("origin");
        origin.sql(&format!(
            "{CONTENTS} {}; ALTER DEFAULT PRIVILEGES FOR ROLE alice IN SCHEMA s GRANT SELECT ON TABLES TO bob",
            open(server)
        ));
        let scene = Scene::of(&origin, &[]);
        let options = ["--owner", "--acl"];
        let target = server.database("target");
        // Others for the same, and more than the archive has.
        target.sql(
            "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO carol; ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO PUBLIC;
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO alice",
        );
        for way in WAYS {
            let out = restore(&scene, &target.url(), &[way, &options].concat());
            assert_eq!(out.code(), 0, "{way:?} on {major}: {out}");
            assert_eq!(target.sql(DEFAULTS), origin.sql(DEFAULTS), "{way:?} on {major}");
            assert_eq!(target.sql(ALL), origin.sql(ALL), "{way:?} on {major}");
        }
        target.assert_is("restored over itself", &scene.archive());
    }
}

#[test]
fn what_others_default_privileges_add_is_named() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database_with("origin", "OWNER alice");
    origin.sql("CREATE EXTENSION hstore; SET ROLE alice; CREATE TABLE t AS SELECT 1 AS a");
    let scene = Scene::of(&origin, &[]);
    let target = server.database_with("target", "OWNER alice");
    // What an extension makes that anybody may have belongs to a superuser.
    target.sql("ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO bob WITH GRANT OPTION; ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT ALL ON TABLES TO bob");
    target.sql("GRANT ALL ON SCHEMA public TO alice");
    for way in &WAYS[..2] {
        let out = restore(&scene, &target.url_as("alice"), way);
        assert_eq!(out.code(), 3, "{way:?}: {out}");
        assert!(
            out.stderr().contains("EXTENSION hstore: left to a superuser: what the target's default privileges"),
            "{out}"
        );
        assert_eq!(target.sql("SELECT has_table_privilege('bob', 't', 'SELECT')"), "f", "{out}");
    }
    // A role that is taken makes things with its own.
    let target = server.database_with("target", "OWNER alice");
    target.sql("ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT ALL ON TABLES TO bob; GRANT ALL ON SCHEMA public TO alice; CREATE EXTENSION hstore");
    let out = restore(&scene, &target.url(), &["--role", "alice"]);
    assert_eq!((out.code(), target.sql("SELECT relacl IS NULL OR NOT has_table_privilege('bob', 't', 'SELECT') FROM pg_class WHERE oid = 't'::regclass")), (0, "t".to_owned()), "{out}");
}

#[test]
fn privileges_on_an_extension_that_is_there_already_stay() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("extended");
    origin.sql("CREATE EXTENSION hstore");
    let scene = Scene::of(&origin, &[]);
    let database = server.database("granted");
    database.sql("CREATE EXTENSION hstore; GRANT EXECUTE ON FUNCTION hstore_in(cstring) TO alice");
    database.sql(&open(server));
    let before = database.sql(ALL);
    for way in [&["--no-clean"][..], &["--no-clean", "--jobs", "2"], &["--no-clean", "-1"]] {
        let out = restore(&scene, &database.url(), way);
        assert_eq!((out.code(), database.sql(ALL)), (0, before.clone()), "{way:?}: {out}");
    }
}
