-- max: 18
-- changes: the setting is the database's, which is not restored, so the second dump says on
SELECT format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database()) \gexec
CREATE TYPE slashes AS ENUM (E'a\\b', E'\\');
CREATE DOMAIN slashed AS text DEFAULT E'\\x' CHECK (VALUE <> E'\\');
CREATE FUNCTION slashing() RETURNS text LANGUAGE sql SET my.own TO E'a\\b' AS $$ SELECT '\n'::text $$;
COMMENT ON FUNCTION slashing() IS E'a \\ and a ''';
CREATE FUNCTION in_c() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION sumof(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE slashing(text) (SFUNC = sumof, STYPE = text, INITCOND = E'\\');
CREATE TABLE t (a slashes, b slashed);
INSERT INTO t VALUES (E'a\\b', E'\\\\');
