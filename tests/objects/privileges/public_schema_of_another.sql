-- changes: on 13 and 14 what PUBLIC may do in schema public comes back, with PostgreSQL's own tools too
DO $$
BEGIN
    CREATE ROLE "lifeboat ""quoted"" role";
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
ALTER SCHEMA public OWNER TO "lifeboat ""quoted"" role";
SET SESSION AUTHORIZATION "lifeboat ""quoted"" role";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO bob WITH GRANT OPTION;
SET SESSION AUTHORIZATION bob;
GRANT USAGE ON SCHEMA public TO carol;
RESET SESSION AUTHORIZATION;
