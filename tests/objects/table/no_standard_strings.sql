-- max: 18
-- changes: the setting of the database is not restored without its definition
-- Literals as they are where backslashes escape.
SELECT format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database()) \gexec
\connect
SET escape_string_warning = off;
CREATE TABLE t (a text DEFAULT 'back\\slash''s', b text CHECK (b <> '\\')) WITH (fillfactor = 40);
INSERT INTO t VALUES ('\\a', 'b');
COMMENT ON TABLE t IS 'one \\ backslash';
COMMENT ON COLUMN t.a IS 'it''s \\n';
CREATE SEQUENCE "back\slash";
SELECT setval('"back\\slash"', 4);
CREATE FOREIGN DATA WRAPPER nobody;
CREATE SERVER a_server FOREIGN DATA WRAPPER nobody;
CREATE FOREIGN TABLE f (a integer OPTIONS (o 'a\\b')) SERVER a_server OPTIONS (p 'c\\d');
CREATE VIEW v AS SELECT 'x\\y'::text AS c;
