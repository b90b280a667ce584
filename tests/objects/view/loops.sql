-- Views that must first be stand-ins.
CREATE TABLE keyed (id integer PRIMARY KEY, name text COLLATE "C", note character varying(20));
INSERT INTO keyed VALUES (1, 'a', 'b');
-- Grouping by a key that is there only after the data.
CREATE VIEW grouped WITH (security_barrier = true) AS
    SELECT id, name, note, count(*) AS n FROM keyed GROUP BY id;
CREATE VIEW on_grouped AS SELECT name || 'x' AS name FROM grouped WHERE n > 0;
COMMENT ON VIEW grouped IS 'comes late';
COMMENT ON COLUMN grouped.n IS 'how many';
GRANT SELECT ON grouped TO bob;
ALTER VIEW grouped OWNER TO alice;
CREATE VIEW grouped_no_columns AS SELECT FROM keyed GROUP BY id;
-- A view and a function that need each other.
CREATE VIEW mutual AS SELECT 1 AS a, 'x'::text AS b;
CREATE FUNCTION of_mutual() RETURNS SETOF mutual LANGUAGE sql AS 'SELECT 1, ''y''::text';
CREATE OR REPLACE VIEW mutual AS SELECT a, b FROM of_mutual();
