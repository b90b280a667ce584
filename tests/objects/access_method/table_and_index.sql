CREATE ACCESS METHOD "He ap" TYPE TABLE HANDLER pg_catalog.heap_tableam_handler;
CREATE ACCESS METHOD second TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD "Tree" TYPE INDEX HANDLER pg_catalog.bthandler;
COMMENT ON ACCESS METHOD "He ap" IS 'it''s heap';
CREATE TABLE t (a integer) USING "He ap";
INSERT INTO t SELECT generate_series(1, 10);
CREATE MATERIALIZED VIEW m USING second AS SELECT a FROM t WHERE a > 3;
CREATE TABLE heap (a integer) USING heap;
CREATE OPERATOR CLASS ints DEFAULT FOR TYPE integer USING "Tree" AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 pg_catalog.btint4cmp(integer, integer);
SELECT :SERVER_VERSION_NUM >= 180000 AS other_trees \gset
\if :other_trees
CREATE INDEX ON t USING "Tree" (a);
\endif
SELECT :SERVER_VERSION_NUM >= 170000 AS parted \gset
\if :parted
CREATE TABLE parted (a integer) PARTITION BY LIST (a) USING second;
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE part_other PARTITION OF parted FOR VALUES IN (2) USING "He ap";
\endif
