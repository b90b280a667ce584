CREATE SCHEMA "Op s";
CREATE TYPE "Op s"."Pa ir" AS (a integer, b integer);
CREATE FUNCTION "Op s".eq("Op s"."Pa ir", "Op s"."Pa ir") RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT ($1).a = ($2).a';
CREATE FUNCTION "Op s".ne("Op s"."Pa ir", "Op s"."Pa ir") RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT ($1).a <> ($2).a';
CREATE FUNCTION "Op s".less(integer, "Op s"."Pa ir") RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < ($2).a';
CREATE FUNCTION "Op s".more("Op s"."Pa ir", integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a > $2';
CREATE FUNCTION size("Op s"."Pa ir"[]) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT cardinality($1)';

CREATE OPERATOR "Op s".=== (FUNCTION = "Op s".eq, LEFTARG = "Op s"."Pa ir", RIGHTARG = "Op s"."Pa ir",
    COMMUTATOR = OPERATOR("Op s".===), NEGATOR = OPERATOR("Op s".!==), RESTRICT = pg_catalog.eqsel,
    JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
CREATE OPERATOR "Op s".!== (FUNCTION = "Op s".ne, LEFTARG = "Op s"."Pa ir", RIGHTARG = "Op s"."Pa ir",
    COMMUTATOR = OPERATOR("Op s".!==), NEGATOR = OPERATOR("Op s".===), RESTRICT = neqsel, JOIN = neqjoinsel);
-- Each the other's commutator, in two schemas.
CREATE OPERATOR public.<% (FUNCTION = "Op s".less, LEFTARG = integer, RIGHTARG = "Op s"."Pa ir",
    COMMUTATOR = OPERATOR("Op s".%>));
CREATE OPERATOR "Op s".%> (FUNCTION = "Op s".more, LEFTARG = "Op s"."Pa ir", RIGHTARG = integer,
    COMMUTATOR = OPERATOR(public.<%), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
-- A prefix operator, of an array, and one whose commutator was never made.
CREATE OPERATOR public.## (FUNCTION = size, RIGHTARG = "Op s"."Pa ir"[]);
CREATE OPERATOR public.@#@ (FUNCTION = pg_catalog.int4pl, LEFTARG = integer, RIGHTARG = integer,
    COMMUTATOR = OPERATOR(public.#@#));
-- Of a name that PostgreSQL has too.
CREATE OPERATOR public.+ (FUNCTION = pg_catalog.textcat, LEFTARG = text, RIGHTARG = text);

ALTER OPERATOR public.+ (text, text) OWNER TO alice;
ALTER OPERATOR public.## (NONE, "Op s"."Pa ir"[]) OWNER TO bob;
COMMENT ON OPERATOR public.+ (text, text) IS 'it''s concatenation';
COMMENT ON OPERATOR public.## (NONE, "Op s"."Pa ir"[]) IS 'how many %s
there are';
CREATE VIEW users AS SELECT 'a'::text OPERATOR(public.+) 'b'::text AS ab, 1 OPERATOR(public.@#@) 2 AS three,
    ROW(1, 2)::"Op s"."Pa ir" OPERATOR("Op s".===) ROW(1, 3)::"Op s"."Pa ir" AS same;
