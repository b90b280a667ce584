-- An index whose building failed is no index, it is left out.
CREATE TABLE t (a integer);
INSERT INTO t VALUES (1), (1);
CREATE INDEX good ON t (a);
\set ON_ERROR_STOP off
CREATE UNIQUE INDEX CONCURRENTLY bad ON t (a);
\set ON_ERROR_STOP on
