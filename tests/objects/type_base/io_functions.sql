CREATE TYPE mytext;
CREATE FUNCTION mytext_in(cstring) RETURNS mytext IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION mytext_out(mytext) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
CREATE FUNCTION mytext_recv(internal) RETURNS mytext STABLE STRICT LANGUAGE internal AS 'textrecv';
CREATE FUNCTION mytext_send(mytext) RETURNS bytea STABLE STRICT LANGUAGE internal AS 'textsend';
CREATE TYPE mytext (
    INTERNALLENGTH = variable, INPUT = mytext_in, OUTPUT = mytext_out, RECEIVE = mytext_recv, SEND = mytext_send,
    ANALYZE = pg_catalog.array_typanalyze, COLLATABLE = true, DEFAULT = 'it''s \ a default', CATEGORY = 'S',
    PREFERRED = true, DELIMITER = ';', STORAGE = extended
);
COMMENT ON TYPE mytext IS 'text''s twin';
ALTER TYPE mytext OWNER TO alice;
GRANT USAGE ON TYPE mytext TO bob;
REVOKE USAGE ON TYPE mytext FROM PUBLIC;

-- Functions in another schema, names that need quotes, by value, with type modifiers.
CREATE SCHEMA "Other %s";
CREATE TYPE "Other %s"."Num ""b""er";
CREATE FUNCTION "Other %s"."In"(cstring, oid, integer) RETURNS "Other %s"."Num ""b""er"
    IMMUTABLE STRICT LANGUAGE internal AS 'bpcharin';
CREATE FUNCTION "Other %s"."Out"("Other %s"."Num ""b""er") RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'bpcharout';
CREATE FUNCTION "Other %s"."Modifiers in"(cstring[]) RETURNS integer IMMUTABLE STRICT LANGUAGE internal AS 'bpchartypmodin';
CREATE FUNCTION "Other %s"."Modifiers out"(integer) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'bpchartypmodout';
CREATE TYPE "Other %s"."Num ""b""er" (
    INPUT = "Other %s"."In", OUTPUT = "Other %s"."Out", TYPMOD_IN = "Other %s"."Modifiers in",
    TYPMOD_OUT = "Other %s"."Modifiers out", STORAGE = external, ALIGNMENT = double
);
CREATE TABLE numbers (a "Other %s"."Num ""b""er"(3), b mytext, c mytext[] COLLATE "C");
INSERT INTO numbers VALUES ('abc', 'x', '{a;b}');

CREATE TYPE small;
CREATE FUNCTION small_in(cstring) RETURNS small IMMUTABLE STRICT LANGUAGE internal AS 'int2in';
CREATE FUNCTION small_out(small) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int2out';
CREATE TYPE small (INPUT = small_in, OUTPUT = small_out, LIKE = int2, DEFAULT = 7);

-- Before 14, types of a fixed length could have elements; since then they need a function for it (see subscript.sql).
SELECT :SERVER_VERSION_NUM < 140000 AS simple_elements \gset
\if :simple_elements
CREATE TYPE listed;
CREATE FUNCTION listed_in(cstring) RETURNS listed IMMUTABLE STRICT LANGUAGE internal AS 'namein';
CREATE FUNCTION listed_out(listed) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'nameout';
CREATE TYPE listed (INPUT = listed_in, OUTPUT = listed_out, LIKE = name, ELEMENT = "char");
\endif
