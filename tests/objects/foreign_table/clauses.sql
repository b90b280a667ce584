CREATE FOREIGN DATA WRAPPER "Nobody's";
CREATE SERVER "A server" FOREIGN DATA WRAPPER "Nobody's";
CREATE FOREIGN TABLE plain (a integer) SERVER "A server";
CREATE FOREIGN TABLE "Far ""away""" (
    id integer OPTIONS (column_name 'ID', "Odd option" E'it''s \\') NOT NULL,
    name text COLLATE "C" DEFAULT 'x',
    CONSTRAINT positive CHECK (id > 0)
) SERVER "A server" OPTIONS (schema_name 'far', table_name E'a\\way', "Upper" '');
ALTER FOREIGN TABLE "Far ""away""" ALTER name SET STATISTICS 20;
ALTER FOREIGN TABLE "Far ""away""" ALTER name SET (n_distinct = 100);
ALTER FOREIGN TABLE "Far ""away""" ALTER name SET STORAGE EXTERNAL;
ALTER FOREIGN TABLE "Far ""away""" ADD CONSTRAINT not_now CHECK (name <> '') NOT VALID;
COMMENT ON FOREIGN TABLE plain IS 'foreign';
COMMENT ON COLUMN plain.a IS 'foreign column';
GRANT SELECT ON plain TO bob;
CREATE TABLE parent (a integer, b text DEFAULT 'b');
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER "A server";
ALTER FOREIGN TABLE child ALTER b SET DEFAULT 'other';
CREATE TABLE parted (a integer) PARTITION BY LIST (a);
CREATE FOREIGN TABLE part PARTITION OF parted FOR VALUES IN (1) SERVER "A server" OPTIONS (x 'y');
