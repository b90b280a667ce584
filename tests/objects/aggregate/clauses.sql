CREATE SCHEMA "Agg";
CREATE FUNCTION "Agg"."Next"(numeric[], integer) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS 'SELECT $1 || $2::numeric';
CREATE FUNCTION "Agg".last(numeric[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1[1]';
CREATE FUNCTION "Agg".last(numeric[], integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1[1]';
CREATE FUNCTION "Agg".both(numeric[], numeric[]) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS 'SELECT $1 || $2';
CREATE FUNCTION "Agg".back(numeric[], integer) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE AGGREGATE "Agg"."All of it"(integer) (
    SFUNC = "Agg"."Next", STYPE = numeric[], SSPACE = 100, INITCOND = '{}', FINALFUNC = "Agg".last, FINALFUNC_EXTRA,
    FINALFUNC_MODIFY = READ_WRITE, COMBINEFUNC = "Agg".both, MSFUNC = "Agg"."Next", MINVFUNC = "Agg".back,
    MSTYPE = numeric[], MSSPACE = 200, MINITCOND = '{1}', MFINALFUNC = "Agg".last, MFINALFUNC_EXTRA,
    MFINALFUNC_MODIFY = SHAREABLE, PARALLEL = safe
);
CREATE AGGREGATE stars(*) (SFUNC = pg_catalog.int8inc, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE least_of(a integer) (SFUNC = pg_catalog.int4smaller, STYPE = integer, SORTOP = OPERATOR(pg_catalog.<), PARALLEL = restricted);
CREATE AGGREGATE serial(numeric) (
    SFUNC = pg_catalog.numeric_avg_accum, STYPE = internal, FINALFUNC = pg_catalog.numeric_avg, SERIALFUNC = pg_catalog.numeric_avg_serialize,
    DESERIALFUNC = pg_catalog.numeric_avg_deserialize, COMBINEFUNC = pg_catalog.numeric_avg_combine, PARALLEL = safe
);
CREATE AGGREGATE ordered(double precision ORDER BY anyelement) (
    SFUNC = pg_catalog.ordered_set_transition, STYPE = internal, FINALFUNC = pg_catalog.percentile_disc_final, FINALFUNC_EXTRA
);
CREATE AGGREGATE hypothetical(VARIADIC "any" ORDER BY VARIADIC "any") (
    SFUNC = pg_catalog.ordered_set_transition_multi, STYPE = internal, FINALFUNC = pg_catalog.rank_final, FINALFUNC_EXTRA,
    FINALFUNC_MODIFY = READ_ONLY, HYPOTHETICAL
);
CREATE AGGREGATE quoted(text) (SFUNC = pg_catalog.textcat, STYPE = text, INITCOND = 'it''s \ "');
CREATE AGGREGATE quoted(integer) (SFUNC = pg_catalog.int4pl, STYPE = integer);
CREATE FUNCTION add_all(integer, VARIADIC integer[]) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE many(VARIADIC items integer[]) (SFUNC = add_all, STYPE = integer);
COMMENT ON AGGREGATE stars(*) IS 'counts';
COMMENT ON AGGREGATE ordered(double precision ORDER BY anyelement) IS 'in order';
ALTER AGGREGATE ordered(double precision ORDER BY anyelement) OWNER TO alice;
ALTER AGGREGATE stars(*) OWNER TO bob;
GRANT EXECUTE ON FUNCTION stars() TO alice;
REVOKE EXECUTE ON FUNCTION stars() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ordered(double precision, anyelement) TO carol WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION quoted(text) FROM PUBLIC;
