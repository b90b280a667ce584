-- database: ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'
SET client_encoding TO 'UTF8';
CREATE TYPE "größe" AS ENUM ('groß', 'größer', 'am größten');
COMMENT ON TYPE "größe" IS 'Größe';
CREATE TABLE "Tür" ("Höhe" "größe" DEFAULT 'groß', "Breite" "größe"[]);
INSERT INTO "Tür" VALUES ('größer', '{groß,"am größten"}');
CREATE FUNCTION "öffne"("wie weit" "größe") RETURNS text LANGUAGE sql AS 'SELECT ''ä''';
COMMENT ON FUNCTION "öffne"("größe") IS 'ö';
