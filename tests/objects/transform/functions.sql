-- By functions that came with the cluster, with both directions and with one.
CREATE TRANSFORM FOR integer LANGUAGE sql (
    FROM SQL WITH FUNCTION pg_catalog.prsd_lextype(internal), TO SQL WITH FUNCTION pg_catalog.int4recv(internal));
CREATE TRANSFORM FOR text LANGUAGE sql (FROM SQL WITH FUNCTION pg_catalog.prsd_lextype(internal));
COMMENT ON TRANSFORM FOR integer LANGUAGE sql IS 'seen through';
CREATE TYPE "Ty pe" AS (a integer);
CREATE FUNCTION "From"(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'prsd_lextype';
CREATE TRANSFORM FOR "Ty pe" LANGUAGE plpgsql (FROM SQL WITH FUNCTION "From"(internal));
CREATE FUNCTION transformed(integer, text) RETURNS integer
    TRANSFORM FOR TYPE integer, FOR TYPE text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION seen("Ty pe") RETURNS integer TRANSFORM FOR TYPE "Ty pe" LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
