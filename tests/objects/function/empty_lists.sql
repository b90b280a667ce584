-- min: 19
CREATE FUNCTION by_null() RETURNS integer LANGUAGE sql SET search_path TO NULL SET temp_tablespaces TO NULL RETURN 1;
CREATE FUNCTION no_names() RETURNS integer LANGUAGE sql SET session_preload_libraries TO NULL SET DateStyle TO NULL RETURN 1;
CREATE FUNCTION empty_name() RETURNS integer LANGUAGE sql SET search_path TO '' SET temp_tablespaces TO '' RETURN 1;
SELECT set_config('search_path', '', false) \g /dev/null
CREATE FUNCTION public.from_current() RETURNS integer LANGUAGE sql SET search_path FROM CURRENT RETURN 1;
CREATE PROCEDURE public.called() LANGUAGE sql SET search_path FROM CURRENT SET log_min_messages TO 'warning, walsender:debug1' AS 'SELECT 1';
