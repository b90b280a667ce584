SELECT :SERVER_VERSION_NUM >= 140000 AS multiranges \gset
CREATE TYPE plain AS RANGE (SUBTYPE = double precision, SUBTYPE_DIFF = pg_catalog.float8mi);
COMMENT ON TYPE plain IS 'from here to there';
ALTER TYPE plain OWNER TO alice;
GRANT USAGE ON TYPE plain TO bob;
CREATE SCHEMA "Ranges";
CREATE TYPE "Ranges"."Of Text" AS RANGE (SUBTYPE = text, SUBTYPE_OPCLASS = pg_catalog.text_pattern_ops, COLLATION = "C");
CREATE FUNCTION "Ranges".difference(integer, integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ($1 - $2)::double precision';
CREATE TYPE "Ranges".ints;
CREATE FUNCTION "Ranges".canonical("Ranges".ints) RETURNS "Ranges".ints
    LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE TYPE "Ranges".ints AS RANGE
    (SUBTYPE = integer, SUBTYPE_DIFF = "Ranges".difference, CANONICAL = "Ranges".canonical);
CREATE TYPE enumerated AS ENUM ('a', 'b', 'c');
CREATE TYPE of_enum AS RANGE (SUBTYPE = enumerated);
\if :multiranges
CREATE TYPE named AS RANGE (SUBTYPE = date, MULTIRANGE_TYPE_NAME = "Ranges"."Many dates");
CREATE TABLE multi (d "Ranges"."Many dates", p plain_multirange);
INSERT INTO multi VALUES ('{[2026-01-01,2026-02-01),[2026-03-01,2026-04-01)}', '{}');
CREATE FUNCTION many("Ranges"."Many dates") RETURNS named LANGUAGE sql AS 'SELECT range_merge($1)';
\endif
CREATE TABLE held (p plain, t "Ranges"."Of Text", i "Ranges".ints, e of_enum[]);
INSERT INTO held VALUES ('[1,2.5)', '[a,b]', '(1,3]', '{"[a,b)",empty}');
