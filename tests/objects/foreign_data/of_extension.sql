-- extension: postgres_fdw
-- extension: file_fdw
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO alice;
COMMENT ON FOREIGN DATA WRAPPER file_fdw IS 'changed';
CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x', fetch_size '500');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE USER MAPPING FOR PUBLIC SERVER remote OPTIONS (user 'u', password 'p''w');
CREATE FOREIGN TABLE t (a integer, b text OPTIONS (column_name 'B')) SERVER remote OPTIONS (schema_name 's', table_name 't');
CREATE FOREIGN TABLE lines (line text) SERVER files OPTIONS (filename '/nonexistent/file', format 'text');
CREATE TABLE parted (a integer, b text) PARTITION BY LIST (a);
CREATE FOREIGN TABLE part PARTITION OF parted FOR VALUES IN (1, 2) SERVER remote;
