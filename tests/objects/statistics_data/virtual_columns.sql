-- min: 19
-- options: --statistics
CREATE TABLE t (a integer, b text, v integer GENERATED ALWAYS AS (a * 2) VIRTUAL, w text GENERATED ALWAYS AS (b || 'x') VIRTUAL);
INSERT INTO t SELECT g % 5, 'b' || g % 3 FROM generate_series(1, 100) g;
CREATE STATISTICS alone ON v FROM t;
CREATE STATISTICS several ON v, a, w FROM t;
CREATE STATISTICS expression ON (v + 1), w FROM t;
CREATE STATISTICS kinds (ndistinct, dependencies) ON a, v FROM t;
ANALYZE t;
