-- Domains whose constraints need them.
SELECT :SERVER_VERSION_NUM >= 170000 AS not_null_constraints \gset
CREATE DOMAIN d AS integer;
CREATE FUNCTION d_ok(d) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 > 0; END';
CREATE FUNCTION d_many(d[]) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
ALTER DOMAIN d ADD CONSTRAINT one CHECK (d_ok(VALUE));
ALTER DOMAIN d ADD CONSTRAINT two CHECK (VALUE < 100);
ALTER DOMAIN d ADD CONSTRAINT three CHECK (d_many(NULL::d[]) OR VALUE > 0);
COMMENT ON CONSTRAINT one ON DOMAIN d IS 'late';
COMMENT ON CONSTRAINT two ON DOMAIN d IS 'early';
\if :not_null_constraints
CREATE DOMAIN n AS integer CONSTRAINT named NOT NULL;
CREATE FUNCTION n_ok(n) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
ALTER DOMAIN n ADD CHECK (n_ok(VALUE));
COMMENT ON CONSTRAINT named ON DOMAIN n IS 'there';
\endif
-- A domain over the domain, a type and a table with both, and functions of those in the first one's constraint.
CREATE DOMAIN over AS d CHECK (VALUE <> 7);
CREATE TYPE pair AS (a d, b over);
CREATE TABLE t (a d, b over);
CREATE FUNCTION pair_ok(pair, t) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
CREATE DOMAIN of_text AS text;
CREATE FUNCTION text_ok(of_text, pair) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
ALTER DOMAIN of_text ADD CONSTRAINT late CHECK (text_ok(VALUE::of_text, NULL::pair));
CREATE DOMAIN of_pair AS pair;
CREATE FUNCTION of_pair_ok(of_pair) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
ALTER DOMAIN of_pair ADD CONSTRAINT late CHECK (of_pair_ok(VALUE));
