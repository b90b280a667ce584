-- extension: bloom
CREATE EXTENSION bloom;
CREATE TABLE t (a integer, b integer, c text);
INSERT INTO t SELECT n, n % 7, n::text FROM generate_series(1, 100) n;
CREATE INDEX ON t USING bloom (a, b, c) WITH (length = 80, col1 = 2, col2 = 4);
