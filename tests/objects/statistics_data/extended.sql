-- min: 19
-- options: --statistics
SET default_statistics_target = 20;
CREATE SCHEMA "O'Brien\s";
CREATE TABLE t (a integer, b integer, c text, d int4range, e text[], f double precision);
INSERT INTO t SELECT g % 10, g % 10, CASE WHEN g % 7 > 0 THEN E'x''\\"{,' || g % 3 END, int4range(g % 5, g % 5 + g % 4), ARRAY['é' || g % 3, 'b'], g / 7.0
    FROM generate_series(1, 500) g;
CREATE STATISTICS all_kinds ON a, b, c FROM t;
CREATE STATISTICS "O'Brien\s"."N s\" (ndistinct) ON a, b FROM t;
CREATE STATISTICS one_expression ON (a + b) FROM t;
CREATE STATISTICS expressions ON (a + b), c, lower(c), (a / 3) FROM t;
CREATE STATISTICS of_ranges ON (int4range(lower(d), upper(d) + 1)), (e || e), (f * 2), (NULLIF(a, a)) FROM t;
CREATE STATISTICS nulls (mcv) ON a, c FROM t;
ALTER STATISTICS expressions SET STATISTICS 5;
CREATE STATISTICS not_gathered ON a, b FROM t;
ALTER STATISTICS not_gathered SET STATISTICS 0;
CREATE TABLE parted (a integer, b integer) PARTITION BY RANGE (a); CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (100);
INSERT INTO parted SELECT g % 10, g % 10 FROM generate_series(1, 100) g;
CREATE STATISTICS of_parted ON a, b FROM parted;
CREATE TABLE parent (a integer, b integer); CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT g % 4, g % 4 FROM generate_series(1, 50) g; INSERT INTO child SELECT g % 5, g % 5 FROM generate_series(1, 50) g;
CREATE STATISTICS of_both ON a, b FROM parent;
CREATE MATERIALIZED VIEW m AS SELECT a, b FROM t; CREATE STATISTICS of_view ON a, b FROM m;
CREATE TABLE empty (a integer, b integer); CREATE STATISTICS of_nothing ON a, b FROM empty;
COMMENT ON STATISTICS all_kinds IS 'x';
DO $$ BEGIN FOR n IN 1..45 LOOP EXECUTE format('CREATE STATISTICS many_%s ON a, b FROM t', n); END LOOP; END $$;
ANALYZE;
CREATE STATISTICS made_later ON b, c FROM t;
