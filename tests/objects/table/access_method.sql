CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE other_method (a integer) USING heap_too;
INSERT INTO other_method VALUES (1);
CREATE TABLE usual_method (a integer);
CREATE MATERIALIZED VIEW mat_other USING heap_too AS SELECT 1 AS a;
SELECT :SERVER_VERSION_NUM >= 170000 AS partitioned_methods \gset
\if :partitioned_methods
CREATE TABLE parted (a integer) PARTITION BY LIST (a) USING heap_too;
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF parted FOR VALUES IN (2) USING heap;
\endif
