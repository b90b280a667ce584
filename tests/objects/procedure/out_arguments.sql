-- min: 14
CREATE TABLE t (a integer);
CREATE PROCEDURE gives(IN a integer, OUT b text, OUT c integer) LANGUAGE plpgsql AS 'BEGIN b := a; END';
CREATE PROCEDURE atomic(a integer) LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO t VALUES (a);
    DELETE FROM t WHERE t.a = $1;
END;
COMMENT ON PROCEDURE gives(integer, text, integer) IS 'with results';
GRANT EXECUTE ON PROCEDURE gives(integer, text, integer) TO carol;
