-- extension: file_fdw
CREATE EXTENSION file_fdw;
GRANT USAGE ON FOREIGN DATA WRAPPER file_fdw TO alice;
COMMENT ON FOREIGN DATA WRAPPER file_fdw IS 'changed';
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE lines (line text OPTIONS (force_not_null 'true')) SERVER files
    OPTIONS (filename '/nonexistent/file', format 'csv', delimiter ';', "null" '\N');
CREATE TABLE parted (a integer, b text) PARTITION BY LIST (a);
CREATE FOREIGN TABLE part PARTITION OF parted FOR VALUES IN (1, 2) SERVER files OPTIONS (filename '/nonexistent/part');
