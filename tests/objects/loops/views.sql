-- Views, materialized views and their columns' defaults.
CREATE TABLE keyed (id integer PRIMARY KEY, name text, v numeric);
INSERT INTO keyed VALUES (1, 'a', 2), (2, 'b', 3);
-- A default of a view's column that needs the view's rows.
CREATE VIEW v AS SELECT id, name FROM keyed;
CREATE FUNCTION v_id(v) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.id';
ALTER VIEW v ALTER id SET DEFAULT v_id(ROW(1, 'x')::v), ALTER name SET DEFAULT 'nobody';
-- A view over itself, by way of one function and of two views.
CREATE VIEW one AS SELECT 1 AS a;
CREATE FUNCTION of_one() RETURNS SETOF one LANGUAGE sql AS 'SELECT 2';
CREATE OR REPLACE VIEW one AS SELECT a FROM of_one();
CREATE VIEW first AS SELECT 1 AS a, 'x'::text COLLATE "C" AS b;
CREATE VIEW second AS SELECT a, b FROM first;
CREATE VIEW third AS SELECT a, b FROM second WHERE a > 0;
CREATE FUNCTION of_third() RETURNS SETOF third LANGUAGE sql AS 'SELECT 1, ''y''::text';
CREATE OR REPLACE VIEW first AS SELECT a, b FROM of_third();
COMMENT ON VIEW first IS 'first a stand-in';
COMMENT ON COLUMN first.b IS 'of it, too';
GRANT SELECT ON first TO bob;
ALTER VIEW third OWNER TO alice;
-- Rules that are no view's.
CREATE RULE adding AS ON INSERT TO first DO INSTEAD INSERT INTO keyed (id, name) SELECT a, b FROM third;
CREATE RULE hiding AS ON DELETE TO third DO INSTEAD NOTHING;
-- Grouped by a key, which there is only after the data: a view, and chains of materialized views and what is made of them.
CREATE VIEW grouped AS SELECT id, name, sum(v) AS s FROM keyed GROUP BY id;
CREATE MATERIALIZED VIEW m1 AS SELECT id, name, count(*) AS n FROM keyed GROUP BY id;
CREATE UNIQUE INDEX ON m1 (id);
CREATE MATERIALIZED VIEW m2 AS SELECT id, s FROM grouped;
CREATE MATERIALIZED VIEW a3 AS SELECT m1.id, m1.name, m2.s FROM m1 JOIN m2 USING (id);
CREATE VIEW b4 AS SELECT count(*) AS n FROM a3;
CREATE MATERIALIZED VIEW a5 AS SELECT n FROM b4 WITH NO DATA;
CREATE FUNCTION rows_of_m1(m1) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
CREATE VIEW c6 AS SELECT rows_of_m1(m1) AS name FROM m1;
COMMENT ON MATERIALIZED VIEW a3 IS 'late';
GRANT SELECT ON a3 TO bob;
ALTER MATERIALIZED VIEW m2 OWNER TO alice;
GRANT SELECT ON grouped, keyed TO alice;
