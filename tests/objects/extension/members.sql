-- extension: hstore
-- extension: citext
-- extension: pg_trgm
-- extension: btree_gist
CREATE SCHEMA "Ext ensions";
CREATE SCHEMA other;
CREATE EXTENSION hstore SCHEMA "Ext ensions";
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm SCHEMA other;
CREATE EXTENSION btree_gist;
COMMENT ON EXTENSION hstore IS 'it''s changed';
COMMENT ON FUNCTION "Ext ensions".akeys("Ext ensions".hstore) IS 'a member with a comment of its own';
GRANT USAGE ON SCHEMA other TO alice;
CREATE TABLE t (a citext PRIMARY KEY, h "Ext ensions".hstore, r int4range, n integer,
    EXCLUDE USING gist (n WITH =, r WITH &&));
INSERT INTO t VALUES ('Ab', 'k=>v, "odd \"key\""=>NULL', '[1,5)', 3);
CREATE INDEX ON t USING gin ((a::text) other.gin_trgm_ops);
CREATE INDEX ON t USING gist (h "Ext ensions".gist_hstore_ops);
CREATE VIEW v AS SELECT "Ext ensions".akeys(h) FROM t;
