-- Types that came with the cluster, nothing of them is dumped but privileges that were changed.
REVOKE USAGE ON TYPE pg_catalog.point FROM PUBLIC;
GRANT USAGE ON TYPE pg_catalog.point TO alice WITH GRANT OPTION;
GRANT USAGE ON TYPE pg_catalog.int8range TO bob;
GRANT USAGE ON DOMAIN information_schema.cardinal_number TO bob;
