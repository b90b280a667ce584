CREATE TABLE t (
    id bigint PRIMARY KEY,
    name text NOT NULL DEFAULT 'nobody',
    price numeric(10,2) CHECK (price > 0),
    tags text[] DEFAULT '{}'::text[],
    made timestamp with time zone,
    raw bytea
);
COMMENT ON TABLE t IS 'a table';
COMMENT ON COLUMN t.name IS 'a column';
INSERT INTO t VALUES
    (1, E'tab\tnewline\nbackslash\\', 1.50, '{a,"b c",NULL}', '2026-01-02 03:04:05+00', '\x00ff'),
    (2, '', NULL, NULL, NULL, ''),
    (3, '\.', 0.01, '{}', 'infinity', NULL);
CREATE TABLE "Empty ""quoted"" table" (a integer, "b c" text);
CREATE TABLE no_columns ();
CREATE UNLOGGED TABLE unlogged (a integer) WITH (fillfactor = 70) TABLESPACE elsewhere;
ALTER TABLE unlogged OWNER TO alice;
GRANT SELECT ON t TO bob;
GRANT UPDATE (name) ON t TO carol;
