-- changes: pg_restore does not drop what the target has and the archive has not
DROP SCHEMA public;
CREATE SCHEMA other;
CREATE TABLE other.t (a integer);
