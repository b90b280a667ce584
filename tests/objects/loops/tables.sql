-- Tables whose own parts need the type of their rows.
CREATE TABLE t (a integer PRIMARY KEY, b integer);
CREATE FUNCTION t_sum(t) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a + $1.b';
CREATE FUNCTION t_first(t[]) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1[1].a';
CREATE FUNCTION t_add(integer, t) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, 0) + $2.a';
CREATE AGGREGATE t_total(t) (SFUNC = t_add, STYPE = integer);
CREATE FUNCTION t_same(t, t) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a = $2.a';
CREATE OPERATOR === (LEFTARG = t, RIGHTARG = t, FUNCTION = t_same);
CREATE FUNCTION t_text(t) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.a::text';
CREATE CAST (t AS text) WITH FUNCTION t_text(t);
-- Checks: by a function, by an operator, by a cast; two in one loop; with a comment.
ALTER TABLE t ADD CONSTRAINT by_function CHECK (t_sum(t) > 0), ADD CONSTRAINT by_operator CHECK (t === t),
    ADD CONSTRAINT by_cast CHECK (t::text <> ''), ADD CONSTRAINT by_array CHECK (t_first(NULL::t[]) IS NULL),
    ADD CONSTRAINT plain CHECK (a > 0);
ALTER TABLE t ADD CONSTRAINT unchecked CHECK (t_sum(t) > 100) NOT VALID;
COMMENT ON CONSTRAINT by_function ON t IS 'comes late';
COMMENT ON CONSTRAINT plain ON t IS 'comes with the table';
INSERT INTO t VALUES (99, 2);
-- Defaults, whose functions return what they are in.
CREATE TABLE u (a integer, b text, c integer);
CREATE FUNCTION u_default() RETURNS u LANGUAGE plpgsql AS 'BEGIN RETURN ROW(1, ''x'', 2)::public.u; END';
CREATE FUNCTION u_a(u) RETURNS integer LANGUAGE sql AS 'SELECT $1.a';
ALTER TABLE u ALTER a SET DEFAULT u_a(u_default()), ALTER b SET DEFAULT u_default()::text, ALTER c SET DEFAULT 3;
INSERT INTO u DEFAULT VALUES;
COMMENT ON COLUMN u.a IS 'its default comes late';
-- Both, and a generated column that needs another one: a table that needs itself.
CREATE TABLE w (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED, c integer GENERATED ALWAYS AS (a + 1) STORED);
INSERT INTO w VALUES (3);
CREATE FUNCTION w_b(w) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.b';
CREATE FUNCTION w_new() RETURNS w LANGUAGE plpgsql AS 'BEGIN RETURN ROW(1, 2, 2)::public.w; END';
ALTER TABLE w ALTER a SET DEFAULT w_b(w_new()), ADD CHECK (w_b(w) IS NOT NULL);
-- Children, partitions, and a table of a type.
CREATE TABLE child (d integer, CONSTRAINT own CHECK (d > 0)) INHERITS (u);
CREATE TABLE parts (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
CREATE FUNCTION of_part(part) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a';
CREATE FUNCTION of_parts(parts) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a';
ALTER TABLE part ADD CHECK (of_part(part) > 0), ALTER b SET DEFAULT of_part(ROW(1, 2)::part);
ALTER TABLE parts ALTER b SET DEFAULT of_parts(ROW(1, 2)::parts);
INSERT INTO parts VALUES (1, 1);
-- What stands behind the data can need anything.
CREATE INDEX ON t (t_sum(t));
CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER changed BEFORE UPDATE ON t FOR EACH ROW WHEN (t_sum(OLD) > t_sum(NEW)) EXECUTE FUNCTION changed();
CREATE POLICY looking ON t USING (t_sum(t) > (SELECT t_total(t) FROM t));
CREATE RULE logged AS ON DELETE TO t WHERE t_sum(OLD) > 0 DO ALSO INSERT INTO u (a) VALUES (t_sum(OLD));
