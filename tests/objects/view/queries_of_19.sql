-- min: 19
CREATE TABLE t (id integer PRIMARY KEY, a integer, b text);
CREATE VIEW windows AS SELECT lag(a) IGNORE NULLS OVER (ORDER BY id) AS l, lead(a) RESPECT NULLS OVER (ORDER BY id) AS l2,
    first_value(b) RESPECT NULLS OVER w AS f, last_value(b) IGNORE NULLS OVER w AS la,
    nth_value(a, 2) IGNORE NULLS OVER (PARTITION BY b ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n
    FROM t WINDOW w AS (ORDER BY id);
CREATE DOMAIN document AS text;
CREATE TABLE documents (x document, y text);
CREATE VIEW of_domains AS SELECT x IS JSON OBJECT WITH UNIQUE KEYS AS a, y IS NOT JSON AS b FROM documents;
CREATE VIEW arrays AS SELECT json_array(SELECT a FROM t) AS a, json_array(SELECT a FROM t WHERE false RETURNING jsonb) AS b;
CREATE VIEW grouped AS SELECT a, (SELECT count(*) FROM t AS u WHERE u.a = t.a AND grouping(t.a) = 0) AS n FROM t GROUP BY a;
CREATE FUNCTION get_or_make(n integer, s text) RETURNS TABLE (x integer) LANGUAGE sql BEGIN ATOMIC
    INSERT INTO t (id, b) VALUES (n, s) ON CONFLICT (id) DO SELECT FOR UPDATE WHERE t.id > 0 RETURNING id; END;
CREATE FUNCTION got(integer) RETURNS SETOF integer LANGUAGE sql BEGIN ATOMIC
    INSERT INTO t AS it (id) VALUES ($1) ON CONFLICT (id) DO SELECT RETURNING it.id; END;
CREATE RULE made AS ON INSERT TO documents DO INSTEAD
    INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO SELECT FOR KEY SHARE RETURNING 'x'::document, b;
