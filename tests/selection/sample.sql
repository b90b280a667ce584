-- A database in which every selection has something to leave out, and something that hangs on what it leaves out.
CREATE EXTENSION hstore;
CREATE EXTENSION file_fdw;
CREATE SCHEMA app AUTHORIZATION alice;
CREATE SCHEMA audit;
CREATE SCHEMA "Odd.Schema";
COMMENT ON SCHEMA app IS 'the application';
GRANT USAGE ON SCHEMA app TO bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO bob;
ALTER DEFAULT PRIVILEGES FOR ROLE carol GRANT EXECUTE ON FUNCTIONS TO bob;

CREATE TYPE app.mood AS ENUM ('sad', 'glad');
CREATE DOMAIN audit.positive AS integer CONSTRAINT is_positive CHECK (VALUE > 0);
CREATE TYPE audit.pair AS (a integer, b text);
CREATE FUNCTION app.next_mood(app.mood) RETURNS app.mood LANGUAGE sql IMMUTABLE AS $$SELECT 'glad'::app.mood$$;
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE OPERATOR app.=+= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE COLLATION audit.same FROM "C";
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = simple);
CREATE CAST (app.mood AS integer) WITH INOUT;
CREATE FUNCTION app.watched() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION app.watched();

CREATE TABLE app.people (id serial PRIMARY KEY, mood app.mood DEFAULT 'sad', worth audit.positive, tags hstore,
    boss integer REFERENCES app.people);
INSERT INTO app.people (mood, worth) VALUES ('sad', 1), ('glad', 2);
UPDATE app.people SET boss = 1 WHERE id = 2;
CREATE TABLE app.identified (id integer GENERATED ALWAYS AS IDENTITY, person integer NOT NULL REFERENCES app.people,
    twice integer GENERATED ALWAYS AS (person * 2) STORED);
INSERT INTO app.identified (person) VALUES (1), (2);
CREATE SEQUENCE app.free_sequence START 7;
CREATE SEQUENCE app.owned_too OWNED BY app.people.worth;
SELECT nextval('app.free_sequence');
CREATE INDEX ON app.people (worth);
CREATE UNIQUE INDEX people_mood ON app.people (mood, id);
CREATE STATISTICS app.people_stats ON mood, worth FROM app.people;
CREATE STATISTICS audit.stats_elsewhere ON id, worth FROM app.people;
CREATE TRIGGER noted BEFORE INSERT ON app.people FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE RULE keep AS ON DELETE TO app.people DO INSTEAD NOTHING;
ALTER TABLE app.people ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON app.people FOR SELECT TO bob USING (worth > 0);
COMMENT ON POLICY own_rows ON app.people IS 'a policy';
COMMENT ON TABLE app.people IS 'people';
COMMENT ON COLUMN app.people.mood IS 'their mood';
GRANT SELECT ON app.people TO bob;
GRANT UPDATE (mood) ON app.people TO carol;
CREATE VIEW app.moods AS SELECT id, mood FROM app.people;
CREATE MATERIALIZED VIEW audit.counted AS SELECT mood, count(*) AS n FROM app.moods GROUP BY mood;
CREATE MATERIALIZED VIEW audit.counted_again AS SELECT * FROM audit.counted;
CREATE UNIQUE INDEX ON audit.counted (mood);

CREATE TABLE audit.log (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE audit.log_2025 PARTITION OF audit.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.log_2026 PARTITION OF audit.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON audit.log (at);
INSERT INTO audit.log VALUES ('2025-05-05', 'a'), ('2026-06-06', 'b');
CREATE TABLE audit.hashed (mood app.mood, n integer) PARTITION BY HASH (mood);
CREATE TABLE audit.hashed_0 PARTITION OF audit.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE audit.hashed_1 PARTITION OF audit.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO audit.hashed VALUES ('sad', 1), ('glad', 2);
CREATE TABLE audit.parent (a integer DEFAULT 1, b text);
CREATE TABLE app.child (c integer) INHERITS (audit.parent);
CREATE TABLE public.grandchild () INHERITS (app.child);
INSERT INTO audit.parent VALUES (1, 'p'); INSERT INTO app.child VALUES (2, 'c', 3); INSERT INTO grandchild VALUES (4, 'g', 5);

CREATE TABLE "Odd.Schema"."Odd.Table" ("Odd.Column" integer PRIMARY KEY, note text);
INSERT INTO "Odd.Schema"."Odd.Table" VALUES (1, 'odd');
CREATE TABLE "Odd.Schema".odd$table (a integer REFERENCES "Odd.Schema"."Odd.Table");
CREATE TABLE public."T*" (a integer);
CREATE TABLE public.t1 (a integer);
CREATE UNLOGGED TABLE public.t2 (a integer);
INSERT INTO t1 VALUES (1); INSERT INTO t2 VALUES (2); INSERT INTO "T*" VALUES (3);
CREATE VIEW public.t3 AS SELECT * FROM t1;
-- Foreign keys against the order of names, and in a circle.
CREATE TABLE public.a_last (id integer PRIMARY KEY, z integer);
CREATE TABLE public.m_middle (id integer PRIMARY KEY, z integer);
CREATE TABLE public.z_first (id integer PRIMARY KEY);
ALTER TABLE a_last ADD FOREIGN KEY (z) REFERENCES m_middle;
ALTER TABLE m_middle ADD FOREIGN KEY (z) REFERENCES z_first;
INSERT INTO z_first VALUES (1); INSERT INTO m_middle VALUES (1, 1); INSERT INTO a_last VALUES (1, 1);
CREATE TABLE public.round_1 (id integer PRIMARY KEY, other integer);
CREATE TABLE public.round_2 (id integer PRIMARY KEY, other integer REFERENCES round_1);
ALTER TABLE round_1 ADD CONSTRAINT round FOREIGN KEY (other) REFERENCES round_2;

CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE SERVER other_files FOREIGN DATA WRAPPER file_fdw;
CREATE USER MAPPING FOR bob SERVER files;
CREATE FOREIGN TABLE app.lines (n integer, line text)
    SERVER files OPTIONS (program $$printf '1\tone\n2\ttwo\n'$$);
CREATE FOREIGN TABLE audit.other_lines (n integer)
    SERVER other_files OPTIONS (program $$printf '3\n'$$);

CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION people_only FOR TABLE app.people, t1;
COMMENT ON PUBLICATION people_only IS 'a publication';
CREATE SUBSCRIPTION away CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE);
SELECT lo_from_bytea(4711, 'large');
COMMENT ON LARGE OBJECT 4711 IS 'a large object';
GRANT SELECT ON LARGE OBJECT 4711 TO bob;
GRANT EXECUTE ON FUNCTION hstore(text, text) TO bob;
GRANT SELECT ON pg_catalog.pg_authid TO carol;
