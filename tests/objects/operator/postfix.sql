-- max: 13
CREATE FUNCTION thrice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 3 * $1';
CREATE OPERATOR public.!!! (FUNCTION = thrice, LEFTARG = integer);
COMMENT ON OPERATOR public.!!! (integer, NONE) IS 'behind its argument';
ALTER OPERATOR public.!!! (integer, NONE) OWNER TO carol;
CREATE VIEW users AS SELECT 2 OPERATOR(public.!!!) AS six;
