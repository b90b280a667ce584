//! Queries that have another form for a role that is no superuser, for an older server or with an option are run in each: a
//! database that has something of nearly every kind is dumped by a superuser and by a plain role, on every server, and the
//! archives are those of pg_dump.

use std::path::Path;

use crate::support::archive::{self, Rows};
use crate::support::{Database, Output, REFERENCE, Server, output, run, verbs};

/// What the database's owner makes, alice.
const CONTENT: &str = "
    SET ROLE alice;
    CREATE SCHEMA app;
    CREATE TABLE app.t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE \"C\" NOT NULL DEFAULT 'x' CHECK (name <> ''), n integer UNIQUE);
    INSERT INTO app.t (name, n) SELECT 'n' || g % 7, g FROM generate_series(1, 200) g;
    CREATE TABLE app.child (a integer REFERENCES app.t) INHERITS (app.t);
    CREATE TABLE app.parted (a integer, b text) PARTITION BY RANGE (a);
    CREATE TABLE app.part PARTITION OF app.parted FOR VALUES FROM (1) TO (100);
    INSERT INTO app.parted SELECT g, 'b' FROM generate_series(1, 50) g;
    CREATE INDEX ON app.parted (b);
    CREATE INDEX lower_name ON app.t (lower(name));
    CREATE STATISTICS app.s ON name, n FROM app.t;
    CREATE UNLOGGED TABLE app.u (a integer); INSERT INTO app.u VALUES (1);
    CREATE SEQUENCE app.numbers; SELECT nextval('app.numbers') \\g /dev/null
    CREATE TYPE app.color AS ENUM ('red'); CREATE TYPE app.pair AS (a integer, b text); CREATE TYPE app.span AS RANGE (SUBTYPE = integer);
    CREATE DOMAIN app.positive AS integer CHECK (VALUE > 0);
    CREATE TABLE app.typed (c app.color, p app.pair, s app.span, d app.positive);
    INSERT INTO app.typed VALUES ('red', (1, 'x'), '[1,5)', 3);
    CREATE FUNCTION app.f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
    CREATE PROCEDURE app.p() LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer);
    CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
    CREATE VIEW app.v AS SELECT name FROM app.t; CREATE MATERIALIZED VIEW app.m AS SELECT n FROM app.t;
    CREATE RULE r AS ON DELETE TO app.u DO INSTEAD NOTHING;
    CREATE FUNCTION app.tg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER tg BEFORE INSERT ON app.parted FOR EACH ROW EXECUTE FUNCTION app.tg();
    CREATE POLICY own ON app.u USING (true);
    CREATE COLLATION app.c (LOCALE = 'C');
    CREATE TEXT SEARCH DICTIONARY app.d (TEMPLATE = simple); CREATE TEXT SEARCH CONFIGURATION app.cfg (COPY = simple);
    CREATE PUBLICATION pub FOR TABLE app.t;
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO bob;
    GRANT SELECT (name) ON app.t TO bob;
    COMMENT ON TABLE app.t IS 'a table';
    SELECT lo_from_bytea(0, '\\x01') \\g /dev/null
    CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE USER MAPPING FOR alice SERVER far OPTIONS (password 'x');
    CREATE FOREIGN TABLE app.distant (a integer) SERVER far;
    RESET ROLE;
    ANALYZE app.t; ANALYZE app.parted;";

/// What only a superuser makes, and a plain role meets.
const BY_SUPERUSER: &str = "
    CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION ev();
    CREATE CAST (app.color AS integer) WITH INOUT;
    CREATE ACCESS METHOD heap_of_ours TYPE TABLE HANDLER heap_tableam_handler;";

const SUBSCRIPTION: &str =
    "CREATE SUBSCRIPTION far CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)";

/// Options by which queries differ, or are left out. They do not change what `--no-subscriptions` is for.
const OPTIONS: &[&[&str]] = &[
    &[],
    &["--statistics"],
    &["-s"],
    &["-a"],
    &["--no-toast-compression"],
    &["--no-policies", "--no-publications", "--no-comments", "--no-security-labels"],
    &["--no-unlogged-table-data", "--load-via-partition-root"],
    &["-n", "app"],
    &["-t", "app.t", "--enable-row-security"],
];

fn made(server: &'static Server) -> Database<'static> {
    let database = server.database_with("second", "OWNER alice");
    database.sql("CREATE FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN DATA WRAPPER w TO alice; GRANT CREATE ON SCHEMA public TO alice");
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.sql");
    std::fs::write(&script, format!("{CONTENT}{BY_SUPERUSER}")).unwrap();
    database.load_file(&script);
    database
}

fn backup(url: &str, options: &[&str], path: &Path) -> Output {
    output(&mut verbs::backup(
        url,
        path,
        &[&["--force", "--owner", "--acl", "--archive-version", "1.16"], options].concat(),
    ))
}

fn pg_dump(database: &Database<'_>, role: &str, options: &[&str], path: &Path) {
    let mut command = database.tool(REFERENCE.max(database.server().major()), "pg_dump");
    run(command.args(["-Fc", "-U", role]).args(options).arg("-f").arg(path));
}

#[test]
fn a_plain_role_and_a_superuser_dump_as_pg_dump_does() {
    let dir = tempfile::tempdir().unwrap();
    let (reference, ours) = (dir.path().join("reference"), dir.path().join("ours"));
    for server in Server::all() {
        let major = server.major();
        let database = made(server);
        database.sql(SUBSCRIPTION);
        // Superuser, owner, one who may read everything, and a superuser who becomes the owner.
        let mut roles = vec![("postgres", None), ("alice", None), ("postgres", Some("alice"))];
        if major >= 14 {
            // Of its own, and it stays: what other tests' roles may read is theirs, and a role that goes is a change to all backups.
            server.try_psql("postgres", "CREATE ROLE second_reader LOGIN; GRANT pg_read_all_data TO second_reader");
            roles.push(("second_reader", None));
        }
        for (role, becomes) in roles {
            // What a superuser dumps is compared everywhere else, too.
            let few = if (role, becomes) == ("alice", None) { OPTIONS.len() } else { 2 };
            for options in &OPTIONS[..few] {
                let mut options = [*options, &["--no-subscriptions"]].concat();
                options.extend(becomes.into_iter().flat_map(|role| ["--role", role]));
                let what = format!("{role}, {options:?}, on {major}");
                // A mapping of another's can only be left out, and pg_dump has no option for that; large objects are no part of
                // all data.
                if role == "second_reader" {
                    let out = backup(
                        &database.url_as(role),
                        &[options, vec!["--no-user-mappings", "--no-large-objects"]].concat(),
                        &ours,
                    );
                    assert!(out.success(), "{what}: {out}");
                    continue;
                }
                pg_dump(&database, role, &options, &reference);
                let out = backup(&database.url_as(role), &options, &ours);
                assert!(out.success() && out.stderr().is_empty(), "{what}: {out}");
                archive::assert_same(&what, &reference, &ours, Rows::InOrder);
            }
        }
    }
}

#[test]
fn a_plain_role_beside_a_subscription_is_told_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    for server in Server::all() {
        let major = server.major();
        let database = server.database_with("second", "OWNER alice");
        database.sql("SET ROLE alice; CREATE TABLE t (a integer)");
        database.sql(SUBSCRIPTION);
        let (alice, postgres) = (database.url_as("alice"), database.url());
        for (url, more) in [(&alice, &[][..]), (&postgres, &["--role", "alice"])] {
            let out = backup(url, more, &path);
            assert_eq!(out.code(), 1, "on {major}: {out}");
            for says in ["dump the subscription \"far\"", "--no-subscriptions"] {
                assert!(out.stderr().contains(says), "on {major}: no {says:?} in {out}");
            }
            // What the hint says, and whatever leaves subscriptions out.
            for options in [&["--no-subscriptions"][..], &["-a"], &["-n", "public"], &["-t", "t"], &["--section=data"]]
            {
                let out = backup(url, &[more, options].concat(), &path);
                assert!(out.success(), "{options:?} on {major}: {out}");
            }
        }
        let out = backup(&postgres, &[], &path);
        assert!(
            out.success()
                && archive::read(&path).unwrap().entries.iter().any(|e| e.desc.as_deref() == Some(b"SUBSCRIPTION")),
            "on {major}: {out}"
        );
        // What is in a target of others' is asked for by whoever restores, whatever he may read.
        let target = server.database_with("second", "OWNER alice");
        target.sql(
            "CREATE PUBLICATION all_of_it FOR ALL TABLES; CREATE SCHEMA foreign_to_alice;
             CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
             CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION ev(); GRANT CREATE ON SCHEMA public TO alice",
        );
        target.sql(SUBSCRIPTION);
        let backed_up = backup(&alice, &["--no-subscriptions"], &path);
        assert!(backed_up.success(), "on {major}: {backed_up}");
        for more in [&["--owner", "--acl"][..], &["--no-owner"]] {
            let out = output(&mut verbs::restore(&target.url_as("alice"), &path, more));
            assert!(out.success() && !out.stderr().contains("not known"), "{more:?} on {major}: {out}");
        }
        // Another database's is nobody's business.
        let other = server.database_with("second", "OWNER alice");
        let out = backup(&other.url_as("alice"), &[], &path);
        assert!(out.success(), "on {major}: {out}");
    }
}
