-- max: 18
-- changes: the setting of the database is not restored without its definition
-- min: 18
-- options: --statistics
-- Literals must be written for a session in which backslashes are escapes.
SELECT format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database()) \gexec
CREATE TABLE "back\slash" ("col\umn" text, other text[]);
INSERT INTO "back\slash" SELECT E'it''s\\\n' || n % 3, ARRAY[E'a\\"b', E'c\\' || n % 2] FROM generate_series(1, 30) AS n;
CREATE INDEX "in\dex" ON "back\slash" (("col\umn" || E'\\'));
ANALYZE "back\slash";
