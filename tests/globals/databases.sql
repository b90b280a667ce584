-- What is in the databases of the server that hard.sql makes.
\connect "Db One"
CREATE TABLE "T 1" (id integer PRIMARY KEY, t text);
INSERT INTO "T 1" SELECT n, 'row ' || n FROM generate_series(1, 100) AS n;
ALTER TABLE "T 1" OWNER TO alice;
GRANT SELECT ON "T 1" TO bob;
CREATE VIEW v AS SELECT * FROM "T 1";
SELECT lo_from_bytea(4711, 'large');
\connect zdb
CREATE SCHEMA q;
CREATE FUNCTION q.f() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
CREATE TABLE q.u (a serial);
INSERT INTO q.u DEFAULT VALUES;
\connect postgres
CREATE TABLE public.in_postgres (a integer);
INSERT INTO public.in_postgres VALUES (1);
\connect template1
CREATE TABLE public.in_template (a integer);
