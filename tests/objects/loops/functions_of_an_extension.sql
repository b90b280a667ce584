-- irrecoverable: the extension does not bring what was added to it by hand
-- A type whose functions are an extension's: the shell is dumped for functions that are not.
CREATE TYPE own;
CREATE FUNCTION own_in(cstring) RETURNS own IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION own_out(own) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
CREATE TYPE own (INPUT = own_in, OUTPUT = own_out, LIKE = text);
ALTER EXTENSION plpgsql ADD FUNCTION own_in(cstring);
ALTER EXTENSION plpgsql ADD FUNCTION own_out(own);
CREATE TABLE t (o own);
