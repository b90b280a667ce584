-- Foreign tables whose parts need the type of their rows.
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE f (a integer, b integer) SERVER nowhere;
CREATE FUNCTION f_a(f) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.a';
ALTER FOREIGN TABLE f ADD CONSTRAINT late CHECK (f_a(f) > 0), ALTER b SET DEFAULT f_a(ROW(1, 2)::f);
COMMENT ON CONSTRAINT late ON f IS 'comes late';
