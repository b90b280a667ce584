CREATE SCHEMA "Fun ctions";
CREATE TYPE pair AS (a integer, b text);
CREATE TABLE a_table (x integer, y text);
CREATE FUNCTION nothing() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION plain(integer, text DEFAULT 'it''s') RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION named(IN a integer, INOUT b text, OUT c numeric, VARIADIC "Rest of it" integer[] DEFAULT '{1,2}')
    LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER LEAKPROOF COST 3.5 PARALLEL SAFE
    AS $f$ BEGIN c := a; END; $f$;
CREATE FUNCTION rows_of() RETURNS SETOF a_table LANGUAGE sql IMMUTABLE ROWS 42 PARALLEL RESTRICTED AS 'TABLE public.a_table';
CREATE FUNCTION table_of(n integer) RETURNS TABLE (a integer, "B" pair[]) LANGUAGE sql COST 1 AS 'SELECT n, NULL::pair[]';
CREATE FUNCTION usual_estimates() RETURNS SETOF integer LANGUAGE sql COST 100 ROWS 1000 AS 'SELECT 1';
CREATE FUNCTION of_every(anyelement, anyarray, a_table, a_table[], pair, double precision, timestamp with time zone)
    RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION "Fun ctions"."Select"("Mixed" integer = 1, "in" text = NULL::text) RETURNS SETOF record
    LANGUAGE plpgsql AS 'BEGIN RETURN; END';
CREATE FUNCTION settings() RETURNS integer LANGUAGE sql
    SET search_path TO 'public', "$user", '', 'Quoted "schema', pg_temp SET work_mem TO '4MB' SET DateStyle TO 'ISO, DMY'
    SET my.own TO 'it''s = \ this' SET temp_tablespaces TO '' AS 'SELECT 1';
CREATE FUNCTION dollars() RETURNS text LANGUAGE sql AS $x$ SELECT '$$'::text || '$_$' || '$_X$' $x$;
CREATE FUNCTION lines() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	-- größer \ ' "
	RETURN '';
END
$$;
CREATE FUNCTION in_c(text) RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION internal_one(integer) RETURNS integer LANGUAGE internal IMMUTABLE STRICT COST 2 AS 'int4abs';
CREATE FUNCTION windowed() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE STRICT AS 'window_row_number';
CREATE FUNCTION supported(integer, integer) RETURNS SETOF integer
    LANGUAGE internal IMMUTABLE STRICT SUPPORT pg_catalog.generate_series_int4_support AS 'generate_series_int4';
CREATE FUNCTION event_triggered() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION triggered() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION leaves() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION leaves() DEPENDS ON EXTENSION plpgsql;

-- Overloaded: told apart, and ordered, by the number and the names of the types of the arguments.
CREATE FUNCTION over(text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION over(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION over(pair) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION over(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION over() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION over(integer[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';

COMMENT ON FUNCTION named(integer, text, integer[]) IS 'by name';
COMMENT ON FUNCTION "Fun ctions"."Select"(integer, text) IS E'quoted\nin lines';
ALTER FUNCTION named(integer, text, integer[]) OWNER TO alice;
REVOKE ALL ON FUNCTION named(integer, text, integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION named(integer, text, integer[]) TO bob WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION "Fun ctions"."Select"(integer, text) TO carol;
REVOKE EXECUTE ON FUNCTION plain(integer, text) FROM PUBLIC;
