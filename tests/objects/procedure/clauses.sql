CREATE SCHEMA p;
CREATE PROCEDURE nothing() LANGUAGE sql AS '';
CREATE PROCEDURE p."Do it"(IN a integer, INOUT b text DEFAULT 'x', c numeric DEFAULT 1.5)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path TO '' AS $$ BEGIN b := a; COMMIT; END $$;
CREATE PROCEDURE over(integer) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION over(text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE many(VARIADIC integer[]) LANGUAGE sql AS 'SELECT 1';
COMMENT ON PROCEDURE p."Do it"(integer, text, numeric) IS 'does it';
ALTER PROCEDURE p."Do it"(integer, text, numeric) OWNER TO alice;
GRANT EXECUTE ON PROCEDURE p."Do it"(integer, text, numeric) TO bob;
REVOKE EXECUTE ON PROCEDURE many(integer[]) FROM PUBLIC;
ALTER PROCEDURE nothing() DEPENDS ON EXTENSION plpgsql;
