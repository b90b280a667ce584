-- min: 19
-- extension: postgres_fdw
CREATE SCHEMA fdw; CREATE EXTENSION postgres_fdw SCHEMA fdw;
CREATE FOREIGN DATA WRAPPER connected CONNECTION fdw.postgres_fdw_connection;
CREATE FOREIGN DATA WRAPPER "all Of" HANDLER fdw.postgres_fdw_handler VALIDATOR fdw.postgres_fdw_validator CONNECTION fdw.postgres_fdw_connection;
CREATE FOREIGN DATA WRAPPER no_longer CONNECTION fdw.postgres_fdw_connection OPTIONS (a 'b');
ALTER FOREIGN DATA WRAPPER no_longer NO CONNECTION;
CREATE FOREIGN DATA WRAPPER with_options CONNECTION fdw.postgres_fdw_connection OPTIONS (a 'b''c', "D" '\');
GRANT USAGE ON FOREIGN DATA WRAPPER connected TO alice;
COMMENT ON FOREIGN DATA WRAPPER connected IS 'x';
CREATE SERVER s FOREIGN DATA WRAPPER connected;
