-- Roles are the cluster's, and other cases may make them in the same moment.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['lifeboat "quoted" role', 'lifeboat=/role', 'lifeboat,{role}', 'Lifeboat', 'lifeboat_rôle',
                                E'lifeboat\\role', E'lifeboat\nrole', '9lifeboat', 'lifeboat''role', 'lifeboat%s']
    LOOP
        -- From 19 on there are no line ends in names of roles.
        name := CASE WHEN current_setting('server_version_num')::integer < 190000 THEN name ELSE translate(name, E'\n', ' ') END;
        BEGIN
            EXECUTE format('CREATE ROLE %I', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END $$;
CREATE TABLE t (a integer);
ALTER TABLE t OWNER TO "lifeboat ""quoted"" role";
SET SESSION AUTHORIZATION "lifeboat ""quoted"" role";
GRANT SELECT ON t TO "lifeboat=/role" WITH GRANT OPTION;
SET SESSION AUTHORIZATION "lifeboat=/role";
GRANT SELECT ON t TO "lifeboat,{role}", "Lifeboat", "lifeboat_rôle", "lifeboat\role", "9lifeboat", "lifeboat'role", "lifeboat%s";
SELECT CASE WHEN :SERVER_VERSION_NUM < 190000 THEN E'lifeboat\nrole' ELSE 'lifeboat role' END AS broken \gset
GRANT SELECT (a) ON t TO :"broken";
RESET SESSION AUTHORIZATION;
CREATE SCHEMA "S ""s""" AUTHORIZATION "lifeboat=/role";
GRANT USAGE ON SCHEMA "S ""s""" TO "Lifeboat";
