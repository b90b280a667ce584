//! What other sessions made for themselves, and what somebody put where it does not belong: no part of a backup, and no
//! reason to refuse one.

use crate::support::archive::{self, Rows};
use crate::support::{Database, REFERENCE, Server, Session};

/// Backs up, and gives what was said; the archive must be pg_dump's.
fn backup(database: &Database<'_>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let (reference, ours) = (dir.path().join("reference"), dir.path().join("ours"));
    database.pg_dump(REFERENCE, &[], &reference);
    let out = database.backup(&ours, &["--owner", "--acl", "--archive-version", "1.16"]);
    archive::assert_same("the backup", &reference, &ours, Rows::InOrder);
    out.stderr()
}

#[test]
fn temporary_objects_of_others_are_no_part_of_a_backup() {
    for server in Server::all() {
        let database = server.database("temporary");
        database.sql("CREATE TABLE lasting (a integer); INSERT INTO lasting VALUES (1)");
        let mut session = Session::open(&database);
        session.run(
            "CREATE TEMP TABLE t (a serial PRIMARY KEY, b text CHECK (b <> ''), c integer DEFAULT 3);
             COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.a IS 'y'; CREATE INDEX ON t (b);
             CREATE TEMP TABLE child () INHERITS (t); CREATE TEMP TABLE of_lasting () INHERITS (lasting);
             CREATE TEMP TABLE refers (a integer REFERENCES t); CREATE TEMP VIEW v AS SELECT * FROM t;
             CREATE TEMP TABLE p (a integer) PARTITION BY LIST (a); CREATE TEMP TABLE p1 PARTITION OF p FOR VALUES IN (1);
             CREATE INDEX ON p (a); CREATE TEMP SEQUENCE s;
             CREATE TYPE pg_temp.e AS ENUM ('a'); CREATE DOMAIN pg_temp.d AS integer CHECK (VALUE > 0);
             CREATE TYPE pg_temp.c AS (a integer, b pg_temp.e); CREATE TYPE pg_temp.r AS RANGE (SUBTYPE = integer);
             CREATE FUNCTION pg_temp.f(t) RETURNS integer LANGUAGE sql AS 'SELECT 1';
             CREATE AGGREGATE pg_temp.sum(integer) (SFUNC = int4pl, STYPE = integer);
             CREATE OPERATOR pg_temp.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
             CREATE OPERATOR FAMILY pg_temp.family USING btree; CREATE COLLATION pg_temp.collation FROM \"C\";
             CREATE CONVERSION pg_temp.conversion FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
             CREATE TEXT SEARCH DICTIONARY pg_temp.dictionary (TEMPLATE = simple);
             CREATE FUNCTION pg_temp.fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER fired BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.fired();
             CREATE RULE rule AS ON UPDATE TO t DO NOTHING; CREATE STATISTICS pg_temp.statistics ON a, b FROM t;
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY policy ON t USING (true);
             GRANT SELECT ON t TO PUBLIC; GRANT EXECUTE ON FUNCTION pg_temp.f(t) TO PUBLIC",
        );
        assert_eq!(database.sql("SELECT count(*) > 10 FROM pg_class WHERE relpersistence = 't'"), "t");
        assert_eq!(backup(&database), "", "on {}", server.major());
    }
}

#[test]
fn objects_in_system_schemas_are_left_out_and_named() {
    for server in Server::all() {
        let database = server.database("misplaced");
        database.sql("CREATE TABLE t (a integer)");
        database.sql(
            "SET allow_system_table_mods = on;
             CREATE FUNCTION pg_catalog.misplaced() RETURNS integer LANGUAGE sql AS 'SELECT 1';
             CREATE TABLE pg_toast.misplaced (a integer); CREATE VIEW information_schema.misplaced AS SELECT 1 AS a;
             CREATE TYPE information_schema.misplaced_type AS ENUM ('a');
             CREATE COLLATION pg_catalog.misplaced FROM \"C\"",
        );
        let said = backup(&database);
        assert_eq!(said.lines().count(), 1, "on {}: {said}", server.major());
        for name in [
            "function misplaced()",
            "table pg_toast.misplaced",
            "view information_schema.misplaced",
            "type information_schema.misplaced_type",
            "collation misplaced",
        ] {
            assert!(said.contains(name), "{name} is not named on {}: {said}", server.major());
        }
    }
}
