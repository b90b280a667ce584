-- min: 14
-- Bodies that the server has parsed, which need what comes only after the data: a key.
CREATE TABLE keyed (id integer PRIMARY KEY, name text);
INSERT INTO keyed VALUES (1, 'a');
CREATE FUNCTION late() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM (SELECT id, name FROM keyed GROUP BY id) x; END;
CREATE PROCEDURE late_procedure() LANGUAGE sql BEGIN ATOMIC INSERT INTO keyed SELECT id + 1, name FROM keyed GROUP BY id; END;
COMMENT ON FUNCTION late() IS 'late';
GRANT EXECUTE ON FUNCTION late() TO bob;
ALTER FUNCTION late() OWNER TO alice;
GRANT SELECT ON keyed TO alice;
-- What needs it goes with it.
CREATE FUNCTION later() RETURNS bigint LANGUAGE sql RETURN late() + 1;
CREATE FUNCTION adds(bigint, integer) RETURNS bigint LANGUAGE sql RETURN $1 + late();
CREATE AGGREGATE adding(integer) (SFUNC = adds, STYPE = bigint, INITCOND = '0');
CREATE OPERATOR |+| (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = adds);
CREATE VIEW v AS SELECT later() AS n, adding(id) AS s FROM keyed;
CREATE MATERIALIZED VIEW m AS SELECT n |+| 1 AS n FROM v;
CREATE TABLE t (n bigint DEFAULT later(), CHECK (n > late()));
CREATE FUNCTION of_v(v) RETURNS bigint LANGUAGE sql RETURN ($1).n;
CREATE VIEW of_v AS SELECT of_v(v) AS n FROM v;
CREATE DOMAIN d AS bigint DEFAULT 1 CHECK (VALUE > later());
CREATE TABLE u (a d);
CREATE INDEX ON keyed ((name || 'x'));
