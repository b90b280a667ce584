CREATE TABLE checked (
    a integer CHECK (a > 0),
    b text,
    CONSTRAINT "The ""named"" one" CHECK (length(b) < a) NO INHERIT,
    CONSTRAINT z_before CHECK (a <> 13)
);
ALTER TABLE checked ADD CONSTRAINT not_yet CHECK (b <> 'bad') NOT VALID;
INSERT INTO checked VALUES (5, 'x');
COMMENT ON CONSTRAINT z_before ON checked IS 'unlucky';
COMMENT ON CONSTRAINT not_yet ON checked IS 'to be validated';
COMMENT ON CONSTRAINT "The ""named"" one" ON checked IS E'quoted\n';
-- A check that needs its own table comes after it.
CREATE FUNCTION rows_ok(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN $1 < 1000; END $$;
CREATE TABLE by_function (a integer CHECK (rows_ok(a)));
INSERT INTO by_function VALUES (1);
CREATE TABLE whole_row (a integer);
CREATE FUNCTION row_ok(whole_row) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a > 0';
ALTER TABLE whole_row ADD CONSTRAINT of_row CHECK (row_ok(whole_row.*));
COMMENT ON CONSTRAINT of_row ON whole_row IS 'in a loop';
SELECT :SERVER_VERSION_NUM >= 180000 AS has_unenforced \gset
\if :has_unenforced
CREATE TABLE unenforced (a integer CHECK (a > 0) NOT ENFORCED);
INSERT INTO unenforced VALUES (-1);
\endif
