-- extension: citext
-- extension: hstore
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE TABLE t (a integer);
CREATE INDEX dependent ON t (a);
ALTER INDEX dependent DEPENDS ON EXTENSION citext;
ALTER INDEX dependent DEPENDS ON EXTENSION hstore;
CREATE FUNCTION dependent() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION dependent() DEPENDS ON EXTENSION citext;
ALTER FUNCTION dependent() DEPENDS ON EXTENSION hstore;
