-- Functions that came with the cluster, nothing of them is dumped but privileges that were changed.
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO alice;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO bob;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_reset() TO bob WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION pg_catalog.sum(integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.count() FROM PUBLIC;
