-- max: 18
-- changes: settings of the database are not restored into another one
-- Text whose backslashes mean something else when standard_conforming_strings is off.
ALTER DATABASE :"DBNAME" SET standard_conforming_strings = off;
ALTER DATABASE :"DBNAME" SET bytea_output = 'escape';
ALTER DATABASE :"DBNAME" SET IntervalStyle = 'iso_8601';
ALTER DATABASE :"DBNAME" SET extra_float_digits = -5;
ALTER DATABASE :"DBNAME" SET DateStyle = 'SQL, DMY';
ALTER DATABASE :"DBNAME" SET TimeZone = 'Asia/Tokyo';
ALTER DATABASE :"DBNAME" SET quote_all_identifiers = on;
ALTER DATABASE :"DBNAME" SET default_transaction_read_only = off;
ALTER DATABASE :"DBNAME" SET row_security = off;
\c -
SET escape_string_warning = off;
CREATE TABLE t (
    a text DEFAULT E'a\\b''c' CHECK (a <> E'\\'), b bytea DEFAULT E'\\\\000', f double precision, i interval,
    w timestamp with time zone DEFAULT '2026-01-02 03:04:05+00');
COMMENT ON TABLE t IS E'a \\ backslash and a '' quote';
INSERT INTO t VALUES (E'x\\y', E'\\\\001\\\\377abc', 0.1::double precision + 0.2, '1 year 2 days -3 hours', '2026-05-06 07:08:09.123456+02'),
    (DEFAULT, DEFAULT, 'NaN', '-1 mon', DEFAULT);
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN '\\' || E'\n'; END $$;
CREATE VIEW v AS SELECT E'\\d' AS d, a FROM t WHERE a LIKE E'%\\\\%';
CREATE TYPE e AS ENUM (E'a\\b', 'it''s');
SELECT lo_from_bytea(4711, E'\\\\000\\\\134');
COMMENT ON LARGE OBJECT 4711 IS E'back\\slash';
