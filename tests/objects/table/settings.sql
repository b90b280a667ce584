-- Everything that ALTER TABLE sets after CREATE TABLE.
CREATE TABLE "Sett""ings%s" (
    id integer NOT NULL,
    "Big text" text COLLATE "C",
    packed text,
    plain numeric(20,4) DEFAULT 1.5,
    arr integer[],
    c1 "char",
    iv interval second(3),
    b bit varying(7) DEFAULT B'101',
    ts timestamp(2) without time zone DEFAULT '2020-01-01 00:00:00'
) WITH (fillfactor = 55, autovacuum_enabled = false, toast.autovacuum_enabled = true, toast.vacuum_truncate = false,
        autovacuum_vacuum_scale_factor = 0.5);
ALTER TABLE "Sett""ings%s" ALTER "Big text" SET STORAGE EXTERNAL;
ALTER TABLE "Sett""ings%s" ALTER packed SET STORAGE MAIN;
ALTER TABLE "Sett""ings%s" ALTER plain SET STORAGE PLAIN;
ALTER TABLE "Sett""ings%s" ALTER id SET STATISTICS 0;
ALTER TABLE "Sett""ings%s" ALTER packed SET STATISTICS 777;
ALTER TABLE "Sett""ings%s" ALTER packed SET (n_distinct = -0.25, n_distinct_inherited = 5);
ALTER TABLE "Sett""ings%s" REPLICA IDENTITY FULL;
ALTER TABLE "Sett""ings%s" DROP COLUMN arr;
ALTER TABLE "Sett""ings%s" ADD COLUMN late integer DEFAULT 42;
INSERT INTO "Sett""ings%s" (id) VALUES (1), (2);
ALTER TABLE "Sett""ings%s" ADD COLUMN later text DEFAULT E'it''s\n\\ late' NOT NULL;
COMMENT ON COLUMN "Sett""ings%s".late IS E'quotes '' and \\ backslashes and\nlines';
COMMENT ON TABLE "Sett""ings%s" IS 'the table';
GRANT SELECT, INSERT ON "Sett""ings%s" TO bob WITH GRANT OPTION;
GRANT SELECT (id, late), REFERENCES (packed) ON "Sett""ings%s" TO carol;
GRANT SELECT (ctid, tableoid) ON "Sett""ings%s" TO carol;

CREATE TABLE nothing_replicated (a integer);
ALTER TABLE nothing_replicated REPLICA IDENTITY NOTHING;
ALTER TABLE nothing_replicated FORCE ROW LEVEL SECURITY;
CREATE TABLE by_index (a integer NOT NULL);
CREATE UNIQUE INDEX by_index_a ON by_index (a);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_a;

SELECT :SERVER_VERSION_NUM >= 140000 AS has_compression \gset
\if :has_compression
ALTER TABLE "Sett""ings%s" ALTER packed SET COMPRESSION pglz;
CREATE TABLE compressed (a text COMPRESSION pglz, b text);
INSERT INTO compressed SELECT repeat('x', 10000), 'y';
\endif

CREATE SCHEMA "select";
CREATE TABLE "select"."table" ("column" integer, "user" text, "größe" text, "new
line" integer);
INSERT INTO "select"."table" VALUES (1, 'u', 'ä', 2);
ALTER TABLE "select"."table" OWNER TO alice;
ALTER SCHEMA "select" OWNER TO alice;

CREATE TABLE elsewhere_table (a integer) TABLESPACE elsewhere;
CREATE TABLE all_dropped (a integer, b integer);
INSERT INTO all_dropped VALUES (1, 2), (3, 4);
ALTER TABLE all_dropped DROP COLUMN a, DROP COLUMN b;
CREATE TABLE reordered (a integer, b integer, c text);
ALTER TABLE reordered DROP COLUMN b;
ALTER TABLE reordered ADD COLUMN b text;
INSERT INTO reordered VALUES (1, 'c', 'b');
