-- irrecoverable: a table needs the rows' type of a view that cannot be made before the data
CREATE TABLE keyed (id integer PRIMARY KEY, name text, v numeric);
INSERT INTO keyed VALUES (1, 'a', 2), (2, 'b', 3);
CREATE MATERIALIZED VIEW m AS SELECT id, name, count(*) AS n FROM keyed GROUP BY id;
CREATE FUNCTION rows_of_m(m) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
CREATE TABLE t (m m, ms m[], d text DEFAULT rows_of_m(NULL::m));
CREATE TABLE child () INHERITS (t);
CREATE DOMAIN d AS m CHECK (VALUE IS NOT NULL);
