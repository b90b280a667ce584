-- changes: on 13 and 14 what PUBLIC may do in schema public comes back, with PostgreSQL's own tools too
ALTER SCHEMA public OWNER TO alice;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO bob;
COMMENT ON SCHEMA public IS NULL;
