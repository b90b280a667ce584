//! Complete or loud: what lifeboat has never heard of is an error that names it, and never left out.

use super::{assert_failed, start};
use crate::support::{Scene, Server};

/// What makes an object, how its catalog row is turned into something unheard of, and what the error has to name.
const CASES: &[(&str, &str, &str)] = &[
    ("CREATE TABLE odd_one (a integer)", "UPDATE pg_class SET relkind = 'Z' WHERE relname = 'odd_one'", "odd_one"),
    (
        "CREATE FUNCTION odd_one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "UPDATE pg_proc SET provolatile = 'Z' WHERE proname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE FUNCTION odd_one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "UPDATE pg_proc SET prokind = 'Z' WHERE proname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE FUNCTION odd_one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "UPDATE pg_proc SET proparallel = 'Z' WHERE proname = 'odd_one'",
        "odd_one",
    ),
    ("CREATE TYPE odd_one AS (a integer)", "UPDATE pg_type SET typtype = 'Z' WHERE typname = 'odd_one'", "odd_one"),
    (
        "CREATE TABLE t (a integer CONSTRAINT odd_one CHECK (a > 0))",
        "UPDATE pg_constraint SET contype = 'Z' WHERE conname = 'odd_one'",
        "the constraints of \"t\"",
    ),
    (
        "CREATE COLLATION odd_one FROM \"C\"",
        "UPDATE pg_collation SET collprovider = 'Z' WHERE collname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE ACCESS METHOD odd_one TYPE TABLE HANDLER heap_tableam_handler",
        "UPDATE pg_am SET amtype = 'Z' WHERE amname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE TYPE odd_one AS ENUM ('a'); CREATE CAST (odd_one AS integer) WITH INOUT",
        "UPDATE pg_cast SET castmethod = 'Z' WHERE castsource = 'odd_one'::regtype",
        "odd_one",
    ),
    (
        "CREATE TYPE odd_one AS ENUM ('a'); CREATE CAST (odd_one AS integer) WITH INOUT",
        "UPDATE pg_cast SET castcontext = 'Z' WHERE castsource = 'odd_one'::regtype",
        "odd_one",
    ),
    (
        "CREATE TABLE t (odd_one integer GENERATED ALWAYS AS IDENTITY)",
        "UPDATE pg_attribute SET attidentity = 'Z' WHERE attname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE TABLE t (a integer, odd_one integer GENERATED ALWAYS AS (a + 1) STORED)",
        "UPDATE pg_attribute SET attgenerated = 'Z' WHERE attname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE TABLE t (odd_one text); ALTER TABLE t ALTER odd_one SET STORAGE external",
        "UPDATE pg_attribute SET attstorage = 'Z' WHERE attname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE TABLE odd_one (a integer)",
        "UPDATE pg_class SET relpersistence = 'Z' WHERE relname = 'odd_one'",
        "odd_one",
    ),
    ("CREATE TABLE odd_one (a integer)", "UPDATE pg_class SET relreplident = 'Z' WHERE relname = 'odd_one'", "odd_one"),
    (
        "CREATE TABLE t (a integer); CREATE POLICY odd_one ON t",
        "UPDATE pg_policy SET polcmd = 'Z' WHERE polname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER odd_one ON ddl_command_end EXECUTE FUNCTION f(); ALTER EVENT TRIGGER odd_one DISABLE",
        "UPDATE pg_event_trigger SET evtenabled = 'Z' WHERE evtname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE t (a integer);
         CREATE TRIGGER odd_one BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "UPDATE pg_trigger SET tgenabled = 'Z' WHERE tgname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE TABLE t (a integer); CREATE RULE odd_one AS ON UPDATE TO t DO ALSO NOTHING",
        "UPDATE pg_rewrite SET ev_enabled = 'Z' WHERE rulename = 'odd_one'",
        "odd_one",
    ),
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT SELECT ON TABLES TO bob",
        "UPDATE pg_default_acl SET defaclobjtype = 'Z'",
        "default privileges",
    ),
    // Of neither a relation nor a domain, as an assertion would be.
    (
        "CREATE DOMAIN d AS integer CONSTRAINT odd_one CHECK (VALUE > 0)",
        "UPDATE pg_constraint SET contypid = 0 WHERE conname = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'; \
         CREATE OPERATOR !+! (RIGHTARG = integer, FUNCTION = f)",
        "UPDATE pg_operator SET oprkind = 'Z' WHERE oprname = '!+!'",
        "!+!",
    ),
    (
        "CREATE AGGREGATE odd_one(integer) (SFUNC = int4pl, STYPE = integer)",
        "UPDATE pg_aggregate SET aggkind = 'Z' WHERE aggfnoid = 'odd_one'::regproc",
        "odd_one",
    ),
    (
        "CREATE TABLE t (a integer); CREATE RULE odd_one AS ON UPDATE TO t DO ALSO NOTHING",
        "UPDATE pg_rewrite SET ev_type = 'Z' WHERE rulename = 'odd_one'",
        "odd_one",
    ),
    (
        "CREATE FUNCTION odd_one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "INSERT INTO pg_init_privs SELECT oid, 1255, 0, 'Z', '{=X/postgres}' FROM pg_proc WHERE proname = 'odd_one'",
        "kind of initial privileges",
    ),
    (
        "CREATE FUNCTION odd_one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "UPDATE pg_proc SET pronamespace = 424242 WHERE proname = 'odd_one'",
        "odd_one",
    ),
    ("CREATE TABLE t (a integer); INSERT INTO t VALUES (1)", "DELETE FROM pg_namespace WHERE nspname = 'public'", "t"),
];

#[test]
fn unknown_kinds_of_things_are_errors_that_name_them() {
    let mut silent = Vec::new();
    for server in Server::each([13, 18]) {
        let major = server.major();
        for (make, change, names) in CASES {
            let database = server.database("unknown");
            database.sql(make);
            database.sql(&format!("SET allow_system_table_mods = on; {change}"));
            let scene = Scene::new();
            let out = start(&scene, &database, &[]).end();
            if out.success() || !out.stderr().contains(names) {
                silent.push(format!("on {major} after {change}: {out}"));
                continue;
            }
            assert_failed(&scene, &out, names);
        }
    }
    assert!(silent.is_empty(), "{} were passed over or not named:\n{}", silent.len(), silent.join("\n"));
}
