SELECT :SERVER_VERSION_NUM >= 150000 AS v15, :SERVER_VERSION_NUM >= 180000 AS v18 \gset
CREATE SCHEMA "S s";
CREATE TABLE "S s"."T t" ("A a" integer, b text, c integer, d circle, e integer, "select" integer);
ALTER TABLE "S s"."T t" OWNER TO alice;
ALTER TABLE "S s"."T t" ADD CONSTRAINT "Key ""k""" PRIMARY KEY ("A a", b) INCLUDE ("select");
ALTER TABLE "S s"."T t" ADD CONSTRAINT deferred UNIQUE (c) WITH (fillfactor = 60) USING INDEX TABLESPACE elsewhere
    DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "S s"."T t" ADD CONSTRAINT "deferrable" UNIQUE (e, c) DEFERRABLE;
ALTER TABLE "S s"."T t" ADD CONSTRAINT apart EXCLUDE USING gist (d WITH &&) WHERE (c > 0) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "S s"."T t" ADD CONSTRAINT apart_too EXCLUDE USING btree ((c + 1) WITH =) WITH (fillfactor = 70);
ALTER TABLE "S s"."T t" CLUSTER ON "Key ""k""";
ALTER TABLE "S s"."T t" REPLICA IDENTITY USING INDEX "Key ""k""";
COMMENT ON CONSTRAINT "Key ""k""" ON "S s"."T t" IS 'the key';
COMMENT ON CONSTRAINT apart ON "S s"."T t" IS E'two\nlines % and ''quotes''';
COMMENT ON INDEX "S s"."Key ""k""" IS 'the index of the key';
INSERT INTO "S s"."T t" VALUES (1, 'x', 1, '<(0,0),1>', 1, 1), (2, 'x', 2, '<(9,9),1>', 2, 2);

-- The same name on several tables: the order goes by table.
CREATE TABLE z (a integer CONSTRAINT same PRIMARY KEY);
CREATE TABLE y (a integer, CONSTRAINT same_check CHECK (a > 0) NOT VALID);
CREATE TABLE x (a integer, CONSTRAINT same_check CHECK (a > 0) NOT VALID);
CREATE TABLE w (a integer, b integer, CONSTRAINT same_check UNIQUE (a, b));

-- An index that was there before.
CREATE TABLE from_index (a integer NOT NULL, b integer);
CREATE UNIQUE INDEX was_there ON from_index (a);
ALTER TABLE from_index ADD CONSTRAINT is_key PRIMARY KEY USING INDEX was_there;

CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b)) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (b integer, a integer, CONSTRAINT own_name PRIMARY KEY (a, b));
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
CREATE TABLE base (a integer PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (a)) INHERITS (base);

-- A view that relies on a key.
CREATE TABLE grouped (id integer PRIMARY KEY, name text);
CREATE VIEW by_key AS SELECT id, name, count(*) AS n FROM grouped GROUP BY id;
\if :v15
ALTER TABLE "S s"."T t" ADD CONSTRAINT nulls UNIQUE NULLS NOT DISTINCT (e);
\endif
\if :v18
CREATE TABLE periods (id int4range, valid daterange, note text, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
ALTER TABLE periods ADD CONSTRAINT once UNIQUE (id, valid WITHOUT OVERLAPS) DEFERRABLE;
\endif
