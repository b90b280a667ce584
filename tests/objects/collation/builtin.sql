-- min: 17
CREATE COLLATION points (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE COLLATION copied FROM "pg_c_utf8";
CREATE COLLATION bytes (PROVIDER = builtin, LOCALE = 'C');
ALTER COLLATION points OWNER TO alice;
CREATE TABLE t (a text COLLATE points);
INSERT INTO t VALUES ('Ä'), ('ä');
CREATE INDEX ON t (lower(a));
SELECT :SERVER_VERSION_NUM >= 180000 AS fast \gset
\if :fast
CREATE COLLATION fast (PROVIDER = builtin, LOCALE = 'PG_UNICODE_FAST');
CREATE INDEX ON t (upper(a COLLATE fast));
\endif
