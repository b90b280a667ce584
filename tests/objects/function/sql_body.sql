-- min: 14
CREATE TABLE t (id integer PRIMARY KEY, v text);
CREATE FUNCTION returned(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT RETURN a + b;
CREATE FUNCTION atomic(a integer) RETURNS SETOF t LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO t VALUES (a, 'it''s') ON CONFLICT (id) DO NOTHING;
    SELECT * FROM t WHERE id = a;
END;
CREATE FUNCTION empty() RETURNS void LANGUAGE sql BEGIN ATOMIC END;
-- Allowed by the primary key alone, which comes after the data: so this does, too.
CREATE FUNCTION postponed() RETURNS TABLE (i integer, w text) LANGUAGE sql
BEGIN ATOMIC
    SELECT id, v FROM t GROUP BY id;
END;
COMMENT ON FUNCTION postponed() IS 'late';
GRANT EXECUTE ON FUNCTION postponed() TO alice;
CREATE FUNCTION also_late() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM postponed());
