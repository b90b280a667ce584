CREATE SCHEMA "Fam";
-- Loose members, of two types, and one empty family.
CREATE OPERATOR FAMILY "Fam"."Loose" USING btree;
ALTER OPERATOR FAMILY "Fam"."Loose" USING btree ADD
    OPERATOR 1 < (integer, bigint), OPERATOR 2 <= (integer, bigint), OPERATOR 3 = (integer, bigint),
    OPERATOR 4 >= (integer, bigint), OPERATOR 5 > (integer, bigint),
    FUNCTION 1 pg_catalog.btint48cmp(integer, bigint);
ALTER OPERATOR FAMILY "Fam"."Loose" USING btree ADD
    OPERATOR 1 < (bigint, bigint), OPERATOR 3 = (bigint, bigint), FUNCTION 1 pg_catalog.btint8cmp(bigint, bigint),
    FUNCTION 3 (bigint, bigint) pg_catalog.in_range(bigint, bigint, bigint, boolean, boolean);
CREATE OPERATOR FAMILY empty USING gist;
-- A class in it, and one of another schema's.
CREATE OPERATOR CLASS "Fam".four FOR TYPE integer USING btree FAMILY "Fam"."Loose" AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 pg_catalog.btint4cmp(integer, integer);
-- One that is in the family of PostgreSQL's own.
CREATE OPERATOR CLASS public.again FOR TYPE bigint USING hash FAMILY pg_catalog.integer_ops AS STORAGE bigint;
ALTER OPERATOR FAMILY "Fam"."Loose" USING btree OWNER TO bob;
ALTER OPERATOR FAMILY empty USING gist OWNER TO alice;
COMMENT ON OPERATOR FAMILY "Fam"."Loose" USING btree IS 'it''s loose';
COMMENT ON OPERATOR FAMILY empty USING gist IS 'for later';
CREATE TABLE t (a integer);
CREATE INDEX of_family ON t (a "Fam".four);
