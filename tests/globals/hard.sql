-- What is hard to write in a script of roles and tablespaces.
\getenv dir SPACES
\set one :dir /one
\set two :dir /two
\set three :dir /three
SELECT current_setting('server_version_num')::int >= 150000 AS v15, current_setting('server_version_num')::int >= 160000 AS v16,
  current_setting('server_version_num')::int >= 140000 AS v14, current_setting('server_version_num')::int < 190000 AS takes_lines \gset
-- Every server of the tests has alice, bob and carol, and the tablespace elsewhere.
ALTER ROLE bob NOLOGIN PASSWORD NULL;
SET password_encryption='md5';
CREATE ROLE mdfive LOGIN PASSWORD 'x' CONNECTION LIMIT 5;
RESET password_encryption;
CREATE ROLE "Upper Case" NOINHERIT CREATEROLE;
CREATE ROLE "quo""te'd\back" CREATEDB REPLICATION BYPASSRLS;
CREATE ROLE until LOGIN VALID UNTIL '2030-01-01 00:00:00+02';
-- PostgreSQL 19 takes no such names any more.
\if :takes_lines
CREATE ROLE "new
line" LOGIN;
COMMENT ON ROLE "new
line" IS 'x';
ALTER ROLE "new
line" SET "foo.bar" = 'a
b';
\endif
CREATE ROLE "inf" VALID UNTIL 'infinity';
CREATE ROLE "select" SUPERUSER;
CREATE ROLE "dollar$x";
CREATE ROLE "ünïcode";
CREATE ROLE grp1; CREATE ROLE grp2; CREATE ROLE grp3;
COMMENT ON ROLE alice IS 'It''s a \ comment
with lines';
GRANT grp1 TO alice WITH ADMIN OPTION;
GRANT grp1 TO bob;
SET ROLE alice;
GRANT grp1 TO "Upper Case" WITH ADMIN OPTION;
GRANT grp1 TO grp2;
RESET ROLE;
SET ROLE "Upper Case";
GRANT grp1 TO "quo""te'd\back";
RESET ROLE;
\if :v16
GRANT grp2 TO alice WITH INHERIT FALSE, SET FALSE;
GRANT grp2 TO bob WITH ADMIN TRUE, INHERIT TRUE, SET FALSE;
GRANT grp2 TO grp3 WITH INHERIT FALSE;
GRANT grp2 TO "ünïcode" GRANTED BY bob;
\endif
\if :v14
GRANT pg_read_all_data TO alice;
\endif
GRANT pg_monitor TO bob WITH ADMIN OPTION;
SET SESSION AUTHORIZATION bob;
GRANT pg_monitor TO grp3;
RESET SESSION AUTHORIZATION;
ALTER ROLE alice SET search_path = a, "B c", "it's";
ALTER ROLE alice SET work_mem = '4MB';
ALTER ROLE alice SET "my.var" = 'x\y''z';
ALTER ROLE alice SET DateStyle = 'iso, mdy';
ALTER ROLE bob SET local_preload_libraries = '';
ALTER ROLE ALL SET statement_timeout = '1h';
ALTER ROLE "quo""te'd\back" SET temp_tablespaces = '';
CREATE DATABASE "Db One";
CREATE DATABASE zdb CONNECTION LIMIT 3;
CREATE DATABASE tpl IS_TEMPLATE true;
CREATE DATABASE noconn;
ALTER DATABASE noconn ALLOW_CONNECTIONS false;
CREATE DATABASE "we""ird'\x" OWNER alice;
COMMENT ON DATABASE zdb IS 'zdb''s comment';
GRANT CREATE ON DATABASE zdb TO bob WITH GRANT OPTION;
ALTER ROLE alice IN DATABASE zdb SET search_path = x, y;
ALTER ROLE bob IN DATABASE postgres SET work_mem = '3MB';
ALTER DATABASE zdb SET search_path = q;
ALTER DATABASE postgres SET work_mem='5MB';
ALTER DATABASE template1 SET work_mem='6MB';
COMMENT ON DATABASE postgres IS 'changed';
CREATE TABLESPACE sp1 OWNER alice LOCATION :'one' WITH (seq_page_cost=2.5, random_page_cost = 1);
CREATE TABLESPACE "Sp'2" LOCATION :'two';
CREATE TABLESPACE sp3 LOCATION :'three';
COMMENT ON TABLESPACE sp1 IS 'space''s comment';
GRANT CREATE ON TABLESPACE sp1 TO bob WITH GRANT OPTION;
GRANT ALL ON TABLESPACE "Sp'2" TO PUBLIC;
SET ROLE bob;
GRANT CREATE ON TABLESPACE sp1 TO grp1;
RESET ROLE;
REVOKE ALL ON TABLESPACE sp3 FROM postgres;
GRANT CREATE ON TABLESPACE pg_default TO alice;
\if :v15
GRANT SET ON PARAMETER work_mem TO alice;
GRANT SET, ALTER SYSTEM ON PARAMETER wal_level TO bob WITH GRANT OPTION;
GRANT SET ON PARAMETER "foo.bar" TO PUBLIC;
\endif
