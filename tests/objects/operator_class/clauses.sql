CREATE SCHEMA "Cl ass";
CREATE FUNCTION "Cl ass".cmp(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT pg_catalog.btint4cmp($2, $1)';
CREATE OPERATOR "Cl ass".<< (FUNCTION = pg_catalog.int4gt, LEFTARG = integer, RIGHTARG = integer);
CREATE OPERATOR "Cl ass".<<= (FUNCTION = pg_catalog.int4ge, LEFTARG = integer, RIGHTARG = integer);
-- Downwards, in a family of its own name.
CREATE OPERATOR CLASS "Cl ass"."Down" FOR TYPE integer USING btree AS
    OPERATOR 1 "Cl ass".<<, OPERATOR 2 "Cl ass".<<=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <,
    FUNCTION 1 "Cl ass".cmp(integer, integer);
-- In a family made before, default for its type, and with another type in the index.
CREATE TYPE "Cl ass".mood AS ENUM ('sad', 'glad');
CREATE OPERATOR FAMILY "Cl ass"."Fa mily" USING hash;
CREATE OPERATOR CLASS "Cl ass".moods DEFAULT FOR TYPE "Cl ass".mood USING hash FAMILY "Cl ass"."Fa mily" AS
    OPERATOR 1 = (anyenum, anyenum), FUNCTION 1 ("Cl ass".mood, "Cl ass".mood) pg_catalog.hashenum(anyenum);
CREATE OPERATOR CLASS arrays FOR TYPE integer[] USING gin AS
    OPERATOR 1 &&(anyarray, anyarray), OPERATOR 2 @>(anyarray, anyarray),
    FUNCTION 2 pg_catalog.ginarrayextract(anyarray, internal, internal),
    FUNCTION 3 pg_catalog.ginqueryarrayextract(anyarray, internal, smallint, internal, internal, internal, internal),
    FUNCTION 4 pg_catalog.ginarrayconsistent(internal, smallint, anyarray, integer, internal, internal, internal, internal),
    STORAGE integer;
-- Sorted by distance.
CREATE OPERATOR CLASS points FOR TYPE point USING gist AS
    OPERATOR 6 ~= (point, point), OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.float_ops,
    FUNCTION 1 pg_catalog.gist_point_consistent(internal, point, smallint, oid, internal),
    FUNCTION 2 pg_catalog.gist_box_union(internal, internal),
    FUNCTION 3 pg_catalog.gist_point_compress(internal),
    FUNCTION 5 pg_catalog.gist_box_penalty(internal, internal, internal),
    FUNCTION 6 pg_catalog.gist_box_picksplit(internal, internal),
    FUNCTION 7 pg_catalog.gist_box_same(box, box, internal),
    FUNCTION 8 (point, point) pg_catalog.gist_point_distance(internal, point, smallint, oid, internal),
    STORAGE box;
-- A class with nothing in it but its type.
CREATE OPERATOR CLASS bare FOR TYPE text USING brin AS STORAGE text;

ALTER OPERATOR CLASS "Cl ass"."Down" USING btree OWNER TO alice;
COMMENT ON OPERATOR CLASS "Cl ass"."Down" USING btree IS 'it''s the other way round';
COMMENT ON OPERATOR CLASS bare USING brin IS 'nothing in it';
CREATE TABLE t (a integer, p point, m "Cl ass".mood);
INSERT INTO t SELECT n, point(n, -n), 'glad' FROM generate_series(1, 30) n;
CREATE INDEX downwards ON t (a "Cl ass"."Down");
CREATE INDEX nearby ON t USING gist (p points);
CREATE INDEX moody ON t USING hash (m);
