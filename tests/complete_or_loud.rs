//! What cannot be dumped completely fails the backup with an error that names it, and leaves no file: here, because the
//! catalog is damaged or says something that this lifeboat has never heard of.

use crate::support::archive::{self, Rows};
use crate::support::{REFERENCE, Server, lifeboat, output, run, verbs};

/// A name for the case, the database, what is then done to its catalog, and what the error must say.
const CASES: &[(&str, &str, &str, &[&str])] = &[
    (
        "io_function_gone",
        "CREATE TYPE hollow; \
         CREATE FUNCTION hollow_in(cstring) RETURNS hollow IMMUTABLE STRICT LANGUAGE internal AS 'textin'; \
         CREATE FUNCTION hollow_out(hollow) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout'; \
         CREATE TYPE hollow (INPUT = hollow_in, OUTPUT = hollow_out)",
        "DELETE FROM pg_proc WHERE proname = 'hollow_in'",
        &["\"hollow\"", "dropped"],
    ),
    (
        "base_type_gone",
        "CREATE TYPE base AS ENUM ('a'); CREATE DOMAIN baseless AS base",
        "DELETE FROM pg_type WHERE typname IN ('base', '_base')",
        &["\"baseless\"", "dropped"],
    ),
    (
        "attribute_type_gone",
        "CREATE TYPE part AS ENUM ('a'); CREATE TYPE whole AS (a integer, p part[])",
        "DELETE FROM pg_type WHERE typname IN ('part', '_part')",
        &["\"whole\"", "dropped"],
    ),
    (
        "cast_function_gone",
        "CREATE TYPE source AS ENUM ('a'); \
         CREATE FUNCTION converted(source) RETURNS integer LANGUAGE sql AS 'SELECT 1'; \
         CREATE CAST (source AS integer) WITH FUNCTION converted(source)",
        "DELETE FROM pg_proc WHERE proname = 'converted'",
        &["cast \"source int4\"", "function with OID"],
    ),
    (
        "unknown_alignment",
        "CREATE TYPE tilted; \
         CREATE FUNCTION tilted_in(cstring) RETURNS tilted IMMUTABLE STRICT LANGUAGE internal AS 'textin'; \
         CREATE FUNCTION tilted_out(tilted) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout'; \
         CREATE TYPE tilted (INPUT = tilted_in, OUTPUT = tilted_out)",
        "UPDATE pg_type SET typalign = '?' WHERE typname = 'tilted'",
        &["\"tilted\"", "alignment is '?'"],
    ),
    (
        "unknown_sort_of_type",
        "CREATE TYPE strange AS ENUM ('a')",
        "UPDATE pg_type SET typtype = 'z' WHERE typname = 'strange'",
        &["\"strange\"", "sort of type is 'z'"],
    ),
    (
        "unknown_volatility",
        "CREATE FUNCTION fickle() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "UPDATE pg_proc SET provolatile = '?' WHERE proname = 'fickle'",
        &["\"fickle\"", "volatility is '?'"],
    ),
    (
        "unknown_kind_of_function",
        "CREATE FUNCTION odd() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "UPDATE pg_proc SET prokind = '?' WHERE proname = 'odd'",
        &["\"odd\"", "kind of function is '?'"],
    ),
    (
        "unknown_cast_context",
        "CREATE TYPE source AS ENUM ('a'); CREATE CAST (source AS integer) WITH INOUT",
        "UPDATE pg_cast SET castcontext = '?' WHERE castsource = 'source'::regtype",
        &["\"source int4\"", "context of a cast is '?'"],
    ),
    (
        "owner_gone",
        "CREATE FUNCTION orphan() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "UPDATE pg_proc SET proowner = 4242 WHERE proname = 'orphan'",
        &["owner of \"orphan\"", "4242"],
    ),
    (
        "malformed_setting",
        "CREATE FUNCTION unset() RETURNS integer LANGUAGE sql SET work_mem TO '1MB' AS 'SELECT 1'",
        "UPDATE pg_proc SET proconfig = '{\"search_path=a,,b\"}' WHERE proname = 'unset'",
        &["\"unset\"", "search_path=a,,b"],
    ),
];

#[test]
fn what_is_not_understood_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        for (name, made, damage, expected) in CASES {
            let database = server.database(name);
            database.sql(made);
            database.sql(damage);
            let path = dir.path().join(format!("{name}.{}", server.major()));
            let out = database.try_backup(&path, &["--acl"]);
            assert_eq!(out.code(), 1, "{name} on {}: {out}", server.major());
            for text in *expected {
                assert!(out.stderr().contains(text), "{name} on {}: no {text:?} in {out}", server.major());
            }
            assert!(!path.exists(), "{name} on {}: there is a file", server.major());
            // A check finds it out beforehand.
            if server.major() == REFERENCE {
                let out = output(lifeboat().args(["check", "--acl", "--url", &database.url()]));
                assert_eq!(out.code(), 1, "{name}: {out}");
                let found = out.stdout();
                let told: Vec<&str> = found.lines().filter(|line| line.starts_with("failed   catalog: ")).collect();
                assert_eq!(told.len(), 1, "{name}: {out}");
                assert!(expected.iter().all(|text| told[0].contains(text)), "{name}: {out}");
            }
        }
    }
}

/// The server shows a user mapping's options to those whom they concern, and to all others a mapping without any.
#[test]
fn user_mapping_whose_options_may_not_be_read_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = server.database_with("mapping", "OWNER alice");
        database.sql(
            "CREATE FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN DATA WRAPPER w TO alice; SET ROLE alice;
             CREATE SERVER far FOREIGN DATA WRAPPER w;
             CREATE USER MAPPING FOR alice SERVER far OPTIONS (password 'x')",
        );
        let backup = |name: &str, url: &str| {
            let path = dir.path().join(format!("{name}.{}", server.major()));
            output(&mut verbs::backup(url, &path, &[]))
        };
        let out = backup("mine", &database.url_as("alice"));
        assert!(out.success(), "on {}: {out}", server.major());
        database.sql("CREATE USER MAPPING FOR bob SERVER far OPTIONS (password 'secret')");
        let out = backup("hidden", &database.url_as("alice"));
        assert_eq!(out.code(), 1, "on {}: {out}", server.major());
        assert!(out.stderr().contains("user mapping for \"bob\" on the server \"far\""), "{out}");
        assert!(!dir.path().join(format!("hidden.{}", server.major())).exists());
        let out = backup("all", &database.url());
        assert!(out.success(), "on {}: {out}", server.major());
    }
}

#[test]
fn index_whose_building_failed_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = server.database("invalid_index");
        database.sql("CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (1); CREATE INDEX valid ON t (a)");
        let path = dir.path().join(format!("{}.dump", server.major()));
        let backup = || database.try_backup(&path, &["--force"]);
        let out = backup();
        assert!(out.success() && !out.stderr().contains("warning"), "on {}: {out}", server.major());
        assert!(!database.try_psql("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)").success());
        let out = backup();
        assert!(out.success() && out.stderr().contains("index public.broken"), "on {}: {out}", server.major());
    }
}

/// pg_dump, too, breaks such loops anywhere, at the same place.
#[test]
fn loop_that_no_rule_resolves_is_named() {
    let depend = |from: &str, on: &str| {
        format!(
            "INSERT INTO pg_depend VALUES ('pg_collation'::regclass, '{from}'::regcollation, 0, 'pg_collation'::regclass, '{on}'::regcollation, 0, 'n');"
        )
    };
    let two = depend("first", "second") + &depend("second", "first");
    let three = depend("first", "second") + &depend("second", "third") + &depend("third", "first");
    let collations = "CREATE COLLATION third (LOCALE = 'C'); CREATE COLLATION second (LOCALE = 'C'); CREATE COLLATION first (LOCALE = 'C');";
    // Each is replaced once, for pg_dump goes by the order of the rows in pg_proc.
    let bodies = "CREATE FUNCTION first() RETURNS integer LANGUAGE sql RETURN 1;
        CREATE FUNCTION second() RETURNS integer LANGUAGE sql RETURN 1;
        CREATE FUNCTION third() RETURNS integer LANGUAGE sql RETURN 1;
        CREATE OR REPLACE FUNCTION first() RETURNS integer LANGUAGE sql RETURN third();
        CREATE OR REPLACE FUNCTION second() RETURNS integer LANGUAGE sql RETURN first();
        CREATE OR REPLACE FUNCTION third() RETURNS integer LANGUAGE sql RETURN second();";
    // What is made, what is done to it, the first server that can have it, and what is named.
    let cases: [(&str, &str, u32, &[&str]); 3] = [
        (collations, &two, 13, &["\"first\" (pg_collation ", "\"second\" (pg_collation "]),
        (collations, &three, 13, &["\"first\" (", "\"second\" (", "\"third\" ("]),
        (bodies, "", 14, &["\"first\" (pg_proc ", "\"second\" (pg_proc ", "\"third\" (pg_proc "]),
    ];
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        for (made, more, min, named) in cases {
            if server.major() < min {
                continue;
            }
            let database = server.database("loop");
            database.sql(&format!("CREATE FUNCTION lone() RETURNS integer LANGUAGE sql AS 'SELECT 1'; {made}"));
            database.sql(&format!("SET allow_system_table_mods = on; {more}"));
            let (reference, ours) = (dir.path().join("reference"), dir.path().join("ours"));
            let said = run(database.tool(REFERENCE, "pg_dump").arg("-Fc").arg("-f").arg(&reference));
            assert!(said.stderr().contains("could not resolve dependency loop"), "on {}: {said}", server.major());
            let out = database.backup(&ours, &["--force", "--owner", "--acl", "--archive-version", "1.16"]);
            archive::assert_same("a loop", &reference, &ours, Rows::InOrder);
            let warnings: Vec<String> = out.stderr().lines().map(str::to_owned).collect();
            assert_eq!(warnings.len(), 1, "on {}: {out}", server.major());
            assert!(warnings[0].contains("in a loop"), "on {}: {out}", server.major());
            for name in named {
                assert!(warnings[0].contains(name), "{name} is not named on {}: {out}", server.major());
            }
            assert!(!warnings[0].contains("lone"), "on {}: {out}", server.major());
        }
    }
}
