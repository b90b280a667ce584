-- What came with the cluster is there after a restore, and so only what was changed is dumped.
GRANT SELECT ON pg_catalog.pg_authid TO alice;
GRANT SELECT (rolname) ON pg_catalog.pg_authid TO bob;
REVOKE SELECT ON pg_catalog.pg_settings FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_class TO carol WITH GRANT OPTION;
REVOKE SELECT (subname) ON pg_catalog.pg_subscription FROM PUBLIC;
GRANT SELECT (subconninfo) ON pg_catalog.pg_subscription TO alice;
REVOKE ALL ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO bob;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO alice;
REVOKE ALL ON SCHEMA pg_catalog FROM PUBLIC;
GRANT USAGE ON SCHEMA pg_catalog TO alice, bob, carol;
GRANT CREATE ON SCHEMA information_schema TO alice;
REVOKE ALL ON TYPE pg_catalog.money FROM PUBLIC;
GRANT USAGE ON TYPE pg_catalog.money TO carol;
