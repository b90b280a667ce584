-- min: 14
CREATE TYPE listed;
CREATE FUNCTION listed_in(cstring) RETURNS listed IMMUTABLE STRICT LANGUAGE internal AS 'namein';
CREATE FUNCTION listed_out(listed) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'nameout';
CREATE TYPE listed (
    INPUT = listed_in, OUTPUT = listed_out, LIKE = name, ELEMENT = "char", SUBSCRIPT = pg_catalog.raw_array_subscript_handler,
    STORAGE = plain
);
CREATE FUNCTION first_of(listed) RETURNS "char" LANGUAGE sql IMMUTABLE RETURN $1[0];
