-- A database with what makes restoring hard: partitions whose keys hang on their parent's, views in a loop with their
-- rules, a base type, constraints of a domain, large objects, an event trigger, and a materialized view.
CREATE SCHEMA app;
CREATE SCHEMA "Odd; DROP";
CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN app.positive AS integer;
ALTER DOMAIN app.positive ADD CONSTRAINT not_negative CHECK (VALUE >= 0) NOT VALID;
CREATE TYPE app.word;
CREATE FUNCTION app.word_in(cstring) RETURNS app.word LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.word_out(app.word) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.word (INPUT = app.word_in, OUTPUT = app.word_out, LIKE = text);
CREATE FUNCTION app.twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $f$ SELECT $1 * 2; $f$;
CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE CAST (app.word AS integer) WITH INOUT;

CREATE TABLE app.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL DEFAULT 'nobody',
    mood app.mood,
    credit app.positive,
    word app.word,
    doubled integer GENERATED ALWAYS AS (1 + 1) STORED,
    CONSTRAINT named CHECK (name <> '')
);
INSERT INTO app.customer (name, mood, credit, word)
    SELECT E'name \\ \t \n ' || n, 'ok', n, ('w' || n)::app.word FROM generate_series(1, 500) n;
INSERT INTO app.customer (name) VALUES ('\.'), ('\N'), (E'\\.\n'), ('ü');
CREATE INDEX by_name ON app.customer (lower(name));
CREATE TABLE app.orders (
    id serial,
    customer bigint REFERENCES app.customer,
    day date NOT NULL,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE app.orders_2025 PARTITION OF app.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.orders_2026 PARTITION OF app.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
    PARTITION BY LIST (id);
CREATE TABLE app.orders_2026_rest PARTITION OF app.orders_2026 DEFAULT;
CREATE INDEX ON app.orders (customer);
INSERT INTO app.orders (customer, day) SELECT n, date '2025-06-01' + n FROM generate_series(1, 400) n;
CREATE TABLE app.empty ();
CREATE TABLE app.one_column (a text);
INSERT INTO app.one_column VALUES ('\.'), (''), (NULL), ('\'), ('.'), (E'\\.\n\\.');
CREATE TABLE "Odd; DROP"."DROP TABLE" ("a b" integer CONSTRAINT "a DROP CONSTRAINT b" UNIQUE);
INSERT INTO "Odd; DROP"."DROP TABLE" VALUES (1), (2);
CREATE TABLE app.log (at timestamptz, what text);

-- The view groups by a primary key, which comes after the data, so the view is made in two steps.
CREATE VIEW app.per_customer AS
    SELECT c.id, c.name, count(o.id) AS orders FROM app.customer c LEFT JOIN app.orders o ON o.customer = c.id GROUP BY c.id;
CREATE MATERIALIZED VIEW app.busy AS SELECT * FROM app.per_customer WHERE orders > 0;
CREATE UNIQUE INDEX ON app.busy (id);
CREATE RULE no_delete AS ON DELETE TO app.customer DO INSTEAD NOTHING;
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS
    $f$ BEGIN INSERT INTO app.log VALUES (now(), TG_OP); RETURN NEW; END $f$;
CREATE TRIGGER noted AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.note();
ALTER TABLE app.customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON app.customer USING (true);
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS
    $f$ BEGIN RAISE EXCEPTION 'no tables any more'; END $f$;
CREATE EVENT TRIGGER watch ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION app.watch();
COMMENT ON EVENT TRIGGER watch IS 'must not see the restore';
COMMENT ON TABLE app.customer IS E'people; DROP TABLE app.orders; --\nmore';
CREATE STATISTICS app.both ON id, mood FROM app.customer;
CREATE TEXT SEARCH CONFIGURATION app.plain (COPY = simple);
ALTER SEQUENCE app.orders_id_seq RESTART 7000;

SELECT lo_create(900001), lo_create(900002), lo_create(900003), lo_create(900004);
SELECT lo_put(900001, 0, decode(string_agg(md5(n::text), ''), 'hex')) FROM generate_series(1, 60000) n;
SELECT lo_put(900002, 0, '\x00ff5c0a');
SELECT lo_put(900004, 5000, '\x01');
COMMENT ON LARGE OBJECT 900002 IS 'small';

ALTER SCHEMA app OWNER TO alice;
ALTER TABLE app.customer OWNER TO alice;
ALTER FUNCTION app.twice(integer) OWNER TO bob;
ALTER LARGE OBJECT 900001 OWNER TO alice;
GRANT SELECT ON app.customer TO bob, carol WITH GRANT OPTION;
GRANT UPDATE (name) ON app.customer TO carol;
GRANT SELECT ON LARGE OBJECT 900003 TO carol;
GRANT USAGE ON SCHEMA app TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE alice IN SCHEMA app GRANT SELECT ON TABLES TO bob;
