-- min: 19
CREATE SCHEMA "Sup port";
CREATE FUNCTION "Sup port"."supp ort"(internal) RETURNS internal LANGUAGE internal AS 'int8inc_support';
CREATE FUNCTION plus(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE plain (integer) (SFUNC = plus, STYPE = integer, INITCOND = '0', SUPPORT = "Sup port"."supp ort");
CREATE AGGREGATE unbounded (integer) (SFUNC = plus, STYPE = integer, SSPACE = -1, SUPPORT = int8inc_support);
CREATE AGGREGATE every_clause (integer) (SFUNC = plus, STYPE = integer, COMBINEFUNC = plus, MSFUNC = plus, MINVFUNC = plus,
    MSTYPE = integer, MSSPACE = -5, SORTOP = <, SUPPORT = int8inc_support, PARALLEL = safe);
CREATE AGGREGATE hypothetical (VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal,
    FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL, SUPPORT = "Sup port"."supp ort");
CREATE AGGREGATE star (*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0', SUPPORT = int8inc_support);
COMMENT ON AGGREGATE plain (integer) IS 'helped';
CREATE AGGREGATE unaided (integer) (SFUNC = plus, STYPE = integer, SSPACE = -1);
