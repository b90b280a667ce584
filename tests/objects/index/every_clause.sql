-- extension: hstore
SELECT :SERVER_VERSION_NUM >= 150000 AS v15 \gset
CREATE SCHEMA "S s";
CREATE TABLE "S s"."T t" (a integer NOT NULL, "B b" text, c integer[], d point, e text COLLATE "C", "select" integer NOT NULL);
ALTER TABLE "S s"."T t" OWNER TO alice;
INSERT INTO "S s"."T t" SELECT i, 'b' || i, ARRAY[i], point(i, i), 'e', i FROM generate_series(1, 50) AS i;
CREATE INDEX plain ON "S s"."T t" (a);
CREATE UNIQUE INDEX "Unique ""one""" ON "S s"."T t" (a DESC NULLS LAST, "B b" text_pattern_ops) INCLUDE ("select");
CREATE INDEX ON "S s"."T t" USING gin (c) WITH (fastupdate = off);
CREATE INDEX ON "S s"."T t" USING gist (d);
CREATE INDEX ON "S s"."T t" USING brin (a) WITH (pages_per_range = 8);
CREATE INDEX ON "S s"."T t" USING hash ("select");
CREATE INDEX expressions ON "S s"."T t" (lower("B b"), (a + "select"), e COLLATE "POSIX") WHERE a > 10 AND "B b" ~ '%';
ALTER INDEX "S s".expressions ALTER COLUMN 1 SET STATISTICS 100;
ALTER INDEX "S s".expressions ALTER COLUMN 2 SET STATISTICS 0;
CREATE INDEX elsewhere_ ON "S s"."T t" (a) WITH (fillfactor = 50) TABLESPACE elsewhere;
CREATE INDEX clustered ON "S s"."T t" (a);
ALTER TABLE "S s"."T t" CLUSTER ON clustered;
CREATE UNIQUE INDEX identity ON "S s"."T t" ("select");
ALTER TABLE "S s"."T t" REPLICA IDENTITY USING INDEX identity;
COMMENT ON INDEX "S s"."Unique ""one""" IS 'a comment''s text';
\if :v15
CREATE UNIQUE INDEX nulls ON "S s"."T t" (e, a) NULLS NOT DISTINCT;
\endif
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
CREATE UNIQUE INDEX ON m (a);
CREATE EXTENSION hstore SCHEMA public;
ALTER INDEX "S s".plain DEPENDS ON EXTENSION hstore;
CREATE TABLE same (a integer);
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE INDEX by_function ON same (public.twice(a));
