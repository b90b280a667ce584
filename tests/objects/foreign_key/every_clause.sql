SELECT :SERVER_VERSION_NUM >= 150000 AS v15, :SERVER_VERSION_NUM >= 180000 AS v18 \gset
CREATE SCHEMA "S s";
CREATE TABLE "S s"."Target" (a integer, "B b" integer, c text UNIQUE, PRIMARY KEY (a, "B b"));
CREATE TABLE source (a integer, b integer, c text, d integer, e integer);
ALTER TABLE source OWNER TO alice;
ALTER TABLE source ADD CONSTRAINT "Key ""k""" FOREIGN KEY (a, b) REFERENCES "S s"."Target" MATCH FULL
    ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE source ADD CONSTRAINT by_text FOREIGN KEY (c) REFERENCES "S s"."Target" (c) ON DELETE RESTRICT NOT VALID;
COMMENT ON CONSTRAINT "Key ""k""" ON source IS 'a comment';
CREATE TABLE itself (id integer PRIMARY KEY, up integer REFERENCES itself);
INSERT INTO itself VALUES (2, 1), (1, NULL);
-- In a circle.
CREATE TABLE hen (id integer PRIMARY KEY, egg integer);
CREATE TABLE egg (id integer PRIMARY KEY, hen integer REFERENCES hen);
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO hen VALUES (1, 1);
INSERT INTO egg VALUES (1, 1);
COMMIT;
-- The same name on several tables.
CREATE TABLE t2 (a integer CONSTRAINT same REFERENCES itself);
CREATE TABLE t1 (a integer CONSTRAINT same REFERENCES itself);
-- From, to and between partitioned tables.
CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b)) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY RANGE (b);
CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (0) TO (10);
CREATE TABLE to_p (a integer, b integer, FOREIGN KEY (a, b) REFERENCES p);
CREATE TABLE from_p (a integer, b integer REFERENCES itself) PARTITION BY HASH (a);
CREATE TABLE from_p0 PARTITION OF from_p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE from_p1 (a integer, b integer REFERENCES itself);
ALTER TABLE from_p ATTACH PARTITION from_p1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE from_p ADD CONSTRAINT "both" FOREIGN KEY (a, b) REFERENCES p;
\if :v15
CREATE TABLE some_columns (a integer, b integer, FOREIGN KEY (a, b) REFERENCES p ON DELETE SET NULL (b));
\endif
\if :v18
ALTER TABLE source ADD CONSTRAINT lax FOREIGN KEY (d) REFERENCES itself NOT ENFORCED;
CREATE TABLE periods (id int4range, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
CREATE TABLE in_period (id int4range, valid daterange, ref int4range,
    FOREIGN KEY (ref, PERIOD valid) REFERENCES periods (id, PERIOD valid));
\endif
