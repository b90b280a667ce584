-- A type that was named and never made; functions may mention it.
CREATE TYPE some_day;
COMMENT ON TYPE some_day IS 'not yet';
ALTER TYPE some_day OWNER TO bob;
CREATE FUNCTION some_day_in(cstring) RETURNS some_day IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
