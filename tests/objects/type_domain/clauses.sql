CREATE SCHEMA "Dom ains";
CREATE DOMAIN plain AS integer;
CREATE DOMAIN lengthy AS varchar(10) COLLATE "C" NOT NULL DEFAULT 'it''s' CONSTRAINT "not ""empty""" CHECK (VALUE <> '')
    CONSTRAINT "A first" CHECK (VALUE !~ '%');
COMMENT ON DOMAIN lengthy IS 'not too long';
COMMENT ON CONSTRAINT "not ""empty""" ON DOMAIN lengthy IS 'something is there';
ALTER DOMAIN lengthy OWNER TO alice;
GRANT USAGE ON TYPE lengthy TO bob;
REVOKE USAGE ON TYPE lengthy FROM PUBLIC;
CREATE DOMAIN "Dom ains"."of Domain" AS lengthy[] DEFAULT ARRAY['x'::lengthy] CHECK (array_length(VALUE, 1) < 4);
CREATE DOMAIN calculated AS timestamp DEFAULT now() + interval '1 day';
CREATE DOMAIN bits AS bit varying(5) DEFAULT B'101';
CREATE TYPE pair AS (a integer, b integer);
CREATE DOMAIN of_pair AS pair CHECK ((VALUE).a < (VALUE).b);
CREATE TABLE t (p plain, l lengthy, d "Dom ains"."of Domain", c calculated, q of_pair);
INSERT INTO t VALUES (1, 'abc', '{a,b}', '2026-01-01', ROW(1, 2));

-- Functions that a constraint needs come before it; the order of equally named constraints is that of their domains.
CREATE FUNCTION is_even(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0';
CREATE DOMAIN even AS integer CONSTRAINT "check" CHECK (is_even(VALUE));
CREATE DOMAIN also_even AS even CONSTRAINT "check" CHECK (is_even(VALUE));
CREATE TABLE tt (e even CONSTRAINT "check" CHECK (e > 2));
INSERT INTO tt VALUES (4);
