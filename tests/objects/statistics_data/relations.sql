-- min: 18
-- options: --statistics
SET default_statistics_target = 10;

-- Nothing known; known to be empty; sizes only.
CREATE TABLE never_analyzed (a integer, b text);
INSERT INTO never_analyzed VALUES (1, 'x');
CREATE TABLE empty (a integer PRIMARY KEY, b text);
CREATE TABLE vacuumed (a integer);
INSERT INTO vacuumed SELECT generate_series(1, 1000);
CREATE TABLE no_columns ();
CREATE UNLOGGED TABLE unlogged (a integer);
INSERT INTO unlogged SELECT generate_series(1, 50);

-- Every part of a column's statistics, and values that are hard to write.
CREATE TYPE mood AS ENUM ('sad', 'it''s "fine"', 'back\slash');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE columns (
    id bigint PRIMARY KEY,
    dropped_1 integer,
    only_null integer,
    two_values text,
    texts text COLLATE "C",
    wide text,
    numbers double precision,
    small real,
    exact numeric,
    truth boolean,
    moods mood,
    pairs pair,
    positives positive,
    some_texts text[],
    some_numbers integer[],
    words tsvector,
    numbers_range int4range,
    times_range tstzrange,
    point point,
    moment timestamptz,
    span interval,
    bits bytea,
    document jsonb,
    not_sampled text,
    dropped_2 text,
    computed integer GENERATED ALWAYS AS (id % 7) STORED
);
ALTER TABLE columns ALTER COLUMN not_sampled SET STATISTICS 0;
INSERT INTO columns
SELECT n, n, NULL, CASE n % 2 WHEN 0 THEN 'it''s "even"' ELSE E'odd\\ \n\t{},NULL' END,
       (ARRAY['', ' ', 'NULL', 'null', '"', '\', ',', '{}', '''', 'ä€𝄞', '$$'])[1 + n % 11],
       repeat(n::text, 300), n / 3.0 - 20, n / 7.0, n * 1.10, CASE WHEN n % 3 > 0 THEN n % 2 = 0 END,
       (enum_range(NULL::mood))[1 + n % 3], ROW(n % 4, 'p ' || n % 4)::pair, n % 5 + 1,
       ARRAY['a"' || n % 3, 'b\' || n % 4, NULL, 'c d'], ARRAY[n % 3, n % 5, n],
       to_tsvector('simple', 'word' || n % 3 || ' other' || n % 5),
       CASE WHEN n % 10 = 0 THEN 'empty' ELSE int4range(n, n + n % 7 + 1) END,
       tstzrange('2020-01-01 00:00+00'::timestamptz + n * interval '1 day', NULL),
       point(n, -n), '2020-01-01 00:00+00'::timestamptz + n * interval '1 hour', n * interval '1 min',
       decode(lpad(to_hex(n % 6), 2, '0'), 'hex'), jsonb_build_object('a', n % 3), NULL, n
FROM generate_series(1, 300) AS n;
ALTER TABLE columns DROP COLUMN dropped_1, DROP COLUMN dropped_2;

-- Names that must be quoted, or look as if they had been.
CREATE SCHEMA "a ""schema""; DROP";
CREATE TABLE "a ""schema""; DROP"."it's a \table
-- not a comment" ("Column's \ ""name""" integer, "select" text, "%s" text);
INSERT INTO "a ""schema""; DROP"."it's a \table
-- not a comment" SELECT n, 'x' || n % 2, 'y' FROM generate_series(1, 20) AS n;
CREATE INDEX "an index's \name" ON "a ""schema""; DROP"."it's a \table
-- not a comment" (("Column's \ ""name""" + 1), "select", ("select" || 'x'));
CREATE TABLE columns_ AS SELECT n AS a FROM generate_series(1, 10) AS n;
CREATE TABLE "a ""schema""; DROP".columns AS SELECT n AS a FROM generate_series(1, 10) AS n;

-- Indexes: of constraints, on expressions, with more columns, partial, clustered.
ALTER TABLE columns ADD CONSTRAINT texts_key UNIQUE (texts, id);
ALTER TABLE columns ADD CONSTRAINT no_overlap EXCLUDE USING gist (int4range(id::integer, id::integer + 1) WITH &&);
CREATE INDEX columns_lower ON columns (lower(two_values), id, (id % 10)) INCLUDE (truth);
CREATE INDEX columns_partial ON columns ((numbers * 2)) WHERE truth;
CREATE INDEX columns_plain ON columns (moment);
CREATE INDEX columns_gin ON columns USING gin (words);
CREATE INDEX columns_never_analyzed ON never_analyzed ((a + 1));
ALTER INDEX columns_lower ALTER COLUMN 3 SET STATISTICS 5;
CLUSTER columns USING columns_pkey;

-- Inheritance and partitions: one's own rows, and those of the children, too.
CREATE TABLE parent (a integer, b text);
CREATE TABLE child (c integer) INHERITS (parent);
INSERT INTO parent SELECT n, 'p' FROM generate_series(1, 30) AS n;
INSERT INTO child SELECT n, 'c', n % 3 FROM generate_series(1, 30) AS n;
CREATE TABLE parted (k integer, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (50);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (50) TO (100) PARTITION BY RANGE (k);
CREATE TABLE parted_2_1 PARTITION OF parted_2 FOR VALUES FROM (50) TO (100);
CREATE INDEX parted_expression ON parted ((k % 10), v);
INSERT INTO parted SELECT n, 'v' || n % 2 FROM generate_series(0, 99) AS n;
CREATE TABLE parted_never_analyzed (k integer) PARTITION BY LIST (k);

-- Views have none; materialized views have theirs after they are filled.
CREATE VIEW view AS SELECT a FROM parent;
CREATE SEQUENCE sequence;
CREATE MATERIALIZED VIEW filled AS SELECT a, b FROM parent;
CREATE UNIQUE INDEX filled_key ON filled (a, b);
CREATE INDEX filled_expression ON filled ((a + 1));
CREATE MATERIALIZED VIEW above AS SELECT count(*) AS n FROM filled WITH DATA;
CREATE MATERIALIZED VIEW unfilled AS SELECT a FROM parent WITH NO DATA;
-- One that needs a primary key to be understood, and so comes after the data.
CREATE MATERIALIZED VIEW grouped AS SELECT id, two_values, count(*) AS n FROM columns GROUP BY id;
CREATE MATERIALIZED VIEW grouped_unfilled AS SELECT id, two_values, count(*) AS n FROM columns GROUP BY id WITH NO DATA;

CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER dummy FOREIGN DATA WRAPPER dummy;
CREATE FOREIGN TABLE "foreign" (a integer, b text) SERVER dummy;

-- Extended statistics as data are not dumped, only what is to be gathered.
-- The other kinds hold numbers of columns, and those are others when the table is made anew without the dropped ones.
SELECT :SERVER_VERSION_NUM < 190000 AS without_data \gset
\if :without_data
CREATE STATISTICS extended (dependencies, ndistinct, mcv) ON two_values, truth FROM columns;
\else
CREATE STATISTICS extended (mcv) ON two_values, truth FROM columns;
\endif

CREATE TABLE owned (a integer);
INSERT INTO owned SELECT generate_series(1, 10);
ALTER TABLE owned OWNER TO alice;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;

VACUUM vacuumed;
ANALYZE empty, no_columns, unlogged, columns, "a ""schema""; DROP"."it's a \table
-- not a comment", columns_, "a ""schema""; DROP".columns, parent, child, parted, parted_1, parted_2, filled, above, grouped, owned;
