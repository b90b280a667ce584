-- irrecoverable: the function is made before the domain that it takes, and the domain's default needs the function
CREATE DOMAIN d AS integer;
CREATE FUNCTION from_d(d) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
ALTER DOMAIN d SET DEFAULT from_d(3::d);
CREATE TABLE t (a d);
