-- min: 18
-- database: ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'
-- options: --statistics
SET client_encoding = 'SQL_ASCII';
-- Bytes that are no UTF-8, in names, among the most common values and in a histogram.
CREATE SCHEMA "café ÿ";
CREATE TABLE "café ÿ"."té Ã" ("cé" text, d text, e text[]);
INSERT INTO "café ÿ"."té Ã"
SELECT E'caf\xe9 ' || n % 2, E'\xff\xfe' || n, ARRAY[E'\xe9', E'\xc3' || n % 4] FROM generate_series(1, 200) AS n;
CREATE INDEX "ié" ON "café ÿ"."té Ã" ((d || E'\xe9'));
ANALYZE "café ÿ"."té Ã";
