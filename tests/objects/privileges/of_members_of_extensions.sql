-- extension: pg_stat_statements
-- Members come with CREATE EXTENSION, with the privileges that its script gives them.
CREATE SCHEMA e;
CREATE EXTENSION pg_stat_statements SCHEMA e;
REVOKE SELECT ON e.pg_stat_statements FROM PUBLIC;
GRANT SELECT ON e.pg_stat_statements TO alice;
GRANT SELECT (query) ON e.pg_stat_statements TO bob;
GRANT EXECUTE ON FUNCTION e.pg_stat_statements(boolean) TO carol WITH GRANT OPTION;
