-- database: ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'
SET client_encoding = 'UTF8';
CREATE SCHEMA "Schäma";
CREATE TABLE "Schäma"."Größe" ("é" text DEFAULT 'größer: ½ é ÿ', CHECK ("é" <> 'ß'));
INSERT INTO "Schäma"."Größe" VALUES ('größer: ½ é ÿ'), ('ÄÖÜ'), (DEFAULT);
COMMENT ON TABLE "Schäma"."Größe" IS 'größer: ½ é ÿ';
CREATE VIEW "Überblick" AS SELECT "é" AS "ñ" FROM "Schäma"."Größe" WHERE "é" LIKE '%ü';
CREATE TYPE "Gemüt" AS ENUM ('fröhlich', 'trüb');
CREATE FUNCTION "ä"("ö" text) RETURNS text LANGUAGE sql AS $$ SELECT 'ü'::text $$;
CREATE PUBLICATION "Veröffentlichung" FOR ALL TABLES;
