CREATE SCHEMA "Stat";
CREATE TABLE t (a integer, b integer, "C c" text, d date);
INSERT INTO t SELECT n, n % 5, (n % 3)::text, '2026-01-01'::date + n FROM generate_series(1, 200) n;
CREATE STATISTICS "Stat"."All of it" ON a, b, "C c" FROM t;
CREATE STATISTICS distinct_values (ndistinct) ON a, b FROM t;
CREATE STATISTICS dependent (dependencies) ON b, d FROM t;
CREATE STATISTICS common (mcv, ndistinct) ON b, "C c" FROM t;
ALTER STATISTICS common SET STATISTICS 350;
ALTER STATISTICS dependent SET STATISTICS 0;
ALTER STATISTICS distinct_values OWNER TO alice;
COMMENT ON STATISTICS "Stat"."All of it" IS 'it''s all';
CREATE TABLE parted (a integer, b integer) PARTITION BY RANGE (a);
CREATE STATISTICS of_parted ON a, b FROM parted;
CREATE MATERIALIZED VIEW m AS SELECT a, b FROM t;
CREATE STATISTICS of_view ON a, b FROM m;
ANALYZE t;
SELECT :SERVER_VERSION_NUM >= 140000 AS expressions \gset
\if :expressions
CREATE STATISTICS of_expression ON (a % 10), (lower("C c")), b FROM t;
CREATE STATISTICS of_one ON (a + b) FROM t;
\endif
