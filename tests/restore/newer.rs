//! Archives of servers that are newer than the target: what it does not understand is told with the version that does.

use crate::support::Server;

/// A statement of a newer server's, the major that has it, and what is told.
const CASES: &[(u32, &str, &str)] = &[
    (
        14,
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
        "PostgreSQL 14 (functions with SQL bodies)",
    ),
    (14, "ALTER TABLE t ALTER b SET COMPRESSION pglz", "PostgreSQL 14 (compression methods of columns)"),
    (15, "ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a)", "PostgreSQL 15 (NULLS NOT DISTINCT)"),
    (15, "CREATE VIEW v WITH (security_invoker = true) AS SELECT 1 AS a", "PostgreSQL 15 (security_invoker views)"),
    (15, "CREATE PUBLICATION p FOR TABLES IN SCHEMA public", "PostgreSQL 15 (schemas in publications)"),
    (18, "ALTER TABLE t ADD CONSTRAINT unchecked CHECK (a > 0) NOT ENFORCED", "PostgreSQL 18 (NOT ENFORCED)"),
    (18, "ALTER TABLE t ADD c integer GENERATED ALWAYS AS (a * 2) VIRTUAL", "perhaps a newer server"),
    (
        19,
        "CREATE AGGREGATE s (integer) (SFUNC = int4pl, STYPE = integer, SUPPORT = int8inc_support)",
        "PostgreSQL 19 (support functions of aggregates)",
    ),
    (
        19,
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql SET search_path TO NULL AS 'SELECT 1'",
        "PostgreSQL 19 (settings that are empty lists)",
    ),
    (
        19,
        "CREATE VIEW v AS SELECT lag(a) IGNORE NULLS OVER (ORDER BY b) FROM t",
        "PostgreSQL 19 (window functions that ignore NULLs)",
    ),
    (
        19,
        "ALTER TABLE t ADD UNIQUE (a); CREATE FUNCTION f() RETURNS integer LANGUAGE sql BEGIN ATOMIC
         INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO SELECT RETURNING a; END",
        "PostgreSQL 19 (ON CONFLICT DO SELECT)",
    ),
    (
        19,
        "CREATE TABLE u (a integer) WITH (autovacuum_parallel_workers = 1)",
        "PostgreSQL 19 (autovacuum_parallel_workers)",
    ),
    (19, "CREATE TABLE u (a oid8)", "PostgreSQL 19 (the type oid8)"),
    (19, "CREATE TABLE u (a regdatabase[])", "PostgreSQL 19 (the type regdatabase)"),
    (19, "CREATE PUBLICATION p FOR ALL SEQUENCES", "PostgreSQL 19 (publications of all sequences)"),
    (19, "CREATE PUBLICATION p FOR ALL TABLES EXCEPT (TABLE t)", "PostgreSQL 19 (publications of all tables but some)"),
];

#[test]
fn version_that_a_statement_needs_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (since, made, told) in CASES {
        let (Ok(newer), Ok(older)) = (Server::get(*since), Server::get(since - 1)) else { continue };
        let origin = newer.database("newer");
        origin.sql("CREATE TABLE t (a integer, b text); INSERT INTO t VALUES (1)");
        origin.sql(made);
        let path = dir.path().join("archive");
        origin.pg_dump((*since).max(18), &[], &path);
        for jobs in ["1", "2"] {
            let target = older.database("newer");
            let out = target.try_restore(&path, &["-j", jobs]);
            assert_eq!(out.code(), 3, "{made}: {out}");
            assert!(out.stderr().contains(&format!("it needs {told}")), "{made}: no {told:?} in {out}");
        }
        // A server that has it has nothing to say.
        let target = newer.database("newer");
        let out = target.try_restore(&path, &[]);
        assert!(out.success() && !out.stderr().contains("it needs"), "{made}: {out}");
    }
}
