CREATE TABLE base (id integer, name text COLLATE "C", kind "char");
INSERT INTO base VALUES (1, 'one', 'a');
CREATE VIEW plain AS SELECT id, name FROM base;
CREATE VIEW "Quo""ted % view" AS SELECT id AS "select", name AS "Ünï ""x""" FROM base WHERE id > 0;
CREATE VIEW barrier WITH (security_barrier = true) AS SELECT * FROM base;
CREATE VIEW local_check WITH (security_barrier = false) AS SELECT id FROM base WHERE id > 1 WITH LOCAL CHECK OPTION;
CREATE VIEW cascaded_check AS SELECT id FROM local_check WHERE id < 100 WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
CREATE VIEW no_columns AS SELECT FROM base;
CREATE VIEW on_views AS SELECT p.id, c.n FROM plain p CROSS JOIN LATERAL (SELECT n FROM counting WHERE n = p.id) c;
ALTER VIEW plain ALTER COLUMN id SET DEFAULT 5;
ALTER VIEW plain OWNER TO alice;
COMMENT ON VIEW plain IS 'a view';
COMMENT ON COLUMN "Quo""ted % view"."select" IS 'a column of a view';
GRANT SELECT ON plain TO bob;
GRANT UPDATE (name) ON plain TO carol;
REVOKE ALL ON barrier FROM CURRENT_USER;
SELECT :SERVER_VERSION_NUM >= 150000 AS has_invoker \gset
\if :has_invoker
CREATE VIEW invoker WITH (security_invoker = true) AS SELECT * FROM base;
\endif
