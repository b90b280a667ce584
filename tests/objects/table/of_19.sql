-- min: 19
CREATE TABLE types (a oid8 DEFAULT '18446744073709551615', b oid8[], c regdatabase, d regdatabase[] DEFAULT '{postgres}',
    e uuid DEFAULT '\x00112233445566778899aabbccddeeff'::bytea::uuid);
INSERT INTO types VALUES (1, '{2,3}', 'postgres', '{template1,4711}'), (DEFAULT, NULL, 4711, NULL), (5, '{}', '-', DEFAULT);
CREATE INDEX ON types (a); CREATE INDEX ON types USING hash (a);
CREATE TYPE pair AS (r regdatabase, o oid8);
CREATE TABLE pairs (p pair, q pair[]);
INSERT INTO pairs VALUES (ROW('postgres', 7), ARRAY[ROW('template0', 8)::pair]);
CREATE TABLE split (a integer, r regdatabase DEFAULT 'template1'::text::regdatabase) PARTITION BY LIST (r);
CREATE TABLE split_rest PARTITION OF split DEFAULT WITH (autovacuum_parallel_workers = 0);
CREATE TABLE workers (a integer) WITH (autovacuum_parallel_workers = 3, autovacuum_enabled = off);
CREATE MATERIALIZED VIEW worked WITH (autovacuum_parallel_workers = 2) AS SELECT 1 AS a;

-- Checks that are enforced, or not, since.
CREATE TABLE parent (a integer, CONSTRAINT was CHECK (a > 0), CONSTRAINT was_not CHECK (a > 1) NOT ENFORCED);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE merged (a integer, CONSTRAINT was CHECK (a > 0)) INHERITS (parent);
CREATE TABLE alone (CONSTRAINT own CHECK (a > 2)) INHERITS (parent);
ALTER TABLE parent ALTER CONSTRAINT was NOT ENFORCED;
ALTER TABLE parent ALTER CONSTRAINT was_not ENFORCED;
ALTER TABLE alone ALTER CONSTRAINT own NOT ENFORCED;
CREATE TABLE parted (a integer, CONSTRAINT c CHECK (a > 0) NOT ENFORCED) PARTITION BY RANGE (a);
CREATE TABLE part_1 PARTITION OF parted (CONSTRAINT c CHECK (a > 0)) FOR VALUES FROM (1) TO (10);
CREATE TABLE part_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
ALTER TABLE part_2 ALTER CONSTRAINT c ENFORCED;
CREATE TABLE computed (a integer, v integer GENERATED ALWAYS AS (a * 2) VIRTUAL, CHECK (v > 0));
ALTER TABLE computed ALTER COLUMN v SET EXPRESSION AS (a * 3);
CREATE TABLE key (a integer PRIMARY KEY); CREATE TABLE refers (a integer REFERENCES key NOT ENFORCED);
ALTER TABLE refers ALTER CONSTRAINT refers_a_fkey ENFORCED;
