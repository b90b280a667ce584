CREATE TABLE base (id integer PRIMARY KEY, name text);
INSERT INTO base SELECT g, 'n' || g FROM generate_series(1, 10) g;
CREATE MATERIALIZED VIEW "Z first" AS SELECT id, name FROM base WHERE id > 3;
CREATE MATERIALIZED VIEW a_second WITH (fillfactor = 60, autovacuum_enabled = off) TABLESPACE elsewhere AS
    SELECT count(*) AS n FROM "Z first";
CREATE VIEW between_them AS SELECT n + 1 AS n FROM a_second;
CREATE MATERIALIZED VIEW a_third AS SELECT n * 2 AS n FROM between_them;
CREATE MATERIALIZED VIEW empty_one AS SELECT id FROM base WITH NO DATA;
CREATE VIEW over_empty AS SELECT id FROM empty_one;
ALTER MATERIALIZED VIEW "Z first" ALTER name SET STATISTICS 50;
ALTER MATERIALIZED VIEW "Z first" ALTER name SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX ON "Z first" (id);
COMMENT ON MATERIALIZED VIEW "Z first" IS 'materialized';
COMMENT ON COLUMN "Z first".name IS 'its column';
ALTER MATERIALIZED VIEW a_third OWNER TO alice;
GRANT SELECT ON base, "Z first", a_second, between_them TO alice;
GRANT SELECT ON a_third TO bob;
-- After the data, since it needs a key.
CREATE MATERIALIZED VIEW grouped AS SELECT id, name, count(*) AS n FROM base GROUP BY id;
CREATE INDEX ON grouped (n);
COMMENT ON MATERIALIZED VIEW grouped IS 'late';
CREATE VIEW on_grouped AS SELECT n FROM grouped;
