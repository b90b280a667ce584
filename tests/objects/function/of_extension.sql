-- extension: hstore
-- Members come with the extension; privileges that were changed afterwards do not.
CREATE EXTENSION hstore;
REVOKE EXECUTE ON FUNCTION akeys(hstore) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION skeys(hstore) TO alice;
GRANT USAGE ON TYPE hstore TO bob;
CREATE FUNCTION keys(hstore) RETURNS text[] LANGUAGE sql AS 'SELECT akeys($1)';
ALTER FUNCTION keys(hstore) DEPENDS ON EXTENSION hstore;
CREATE TABLE t (h hstore DEFAULT 'a=>1');
