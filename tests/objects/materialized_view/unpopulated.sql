-- changes: what reads an empty materialized view is not filled by a restore
CREATE MATERIALIZED VIEW source AS SELECT 1 AS a;
CREATE VIEW through AS SELECT a FROM source;
CREATE MATERIALIZED VIEW target AS SELECT a FROM through;
CREATE MATERIALIZED VIEW further AS SELECT a FROM target;
REFRESH MATERIALIZED VIEW source WITH NO DATA;
