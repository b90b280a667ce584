CREATE SCHEMA "Pub";
CREATE TABLE t (a integer PRIMARY KEY, b text);
CREATE TABLE "Pub"."Ta ble" (x integer PRIMARY KEY);
CREATE TABLE parted (a integer PRIMARY KEY) PARTITION BY RANGE (a);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (10);
CREATE PUBLICATION nothing;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION "Some of it" FOR TABLE t, "Pub"."Ta ble" WITH (publish = 'insert, delete');
CREATE PUBLICATION rooted FOR TABLE parted WITH (publish_via_partition_root = true);
CREATE PUBLICATION leaf FOR TABLE ONLY part WITH (publish = 'truncate');
CREATE PUBLICATION silent FOR TABLE t WITH (publish = '');
ALTER PUBLICATION nothing OWNER TO alice;
COMMENT ON PUBLICATION "Some of it" IS 'it''s some';
SELECT :SERVER_VERSION_NUM >= 150000 AS lists, :SERVER_VERSION_NUM >= 180000 AS generated \gset
\if :lists
CREATE TABLE wide (a integer PRIMARY KEY, "B b" text, c integer);
CREATE PUBLICATION columns FOR TABLE wide (a, "B b"), t (a) WHERE (a > 3 AND b IS DISTINCT FROM 'it''s');
CREATE PUBLICATION "Sche mas" FOR TABLES IN SCHEMA public, "Pub";
CREATE PUBLICATION "both" FOR TABLE t WHERE (b = 'x'), TABLES IN SCHEMA "Pub";
COMMENT ON PUBLICATION "Sche mas" IS 'of schemas';
\endif
\if :generated
CREATE TABLE computed (a integer PRIMARY KEY, g integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE PUBLICATION with_generated FOR TABLE computed WITH (publish_generated_columns = stored);
CREATE PUBLICATION without_generated FOR TABLE computed WITH (publish_generated_columns = none);
\endif
