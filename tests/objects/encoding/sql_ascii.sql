-- database: ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'
SET client_encoding = 'SQL_ASCII';
-- Bytes that are no UTF-8, in names, definitions and data.
CREATE SCHEMA "café ÿş Ã";
CREATE TABLE "café ÿş Ã"."tcafé ÿş Ã" ("ccafé ÿş Ã" text DEFAULT 'café ÿş Ã' CHECK ("ccafé ÿş Ã" <> 'é'));
INSERT INTO "café ÿş Ã"."tcafé ÿş Ã" VALUES ('café ÿş Ã'), ('plain'), ('€Ÿ\	'), ('Ã¤');
CREATE VIEW "vcafé ÿş Ã" AS SELECT "ccafé ÿş Ã" AS "ocafé ÿş Ã" FROM "café ÿş Ã"."tcafé ÿş Ã" WHERE "ccafé ÿş Ã" = 'café ÿş Ã';
COMMENT ON VIEW "vcafé ÿş Ã" IS 'café ÿş Ã';
CREATE TYPE "ecafé ÿş Ã" AS ENUM ('café ÿş Ã', 'ÿ');
CREATE FUNCTION "fcafé ÿş Ã"("acafé ÿş Ã" integer) RETURNS text LANGUAGE sql AS 'SELECT ''café ÿş Ã''::text';
GRANT SELECT ON "vcafé ÿş Ã" TO alice;
CREATE INDEX "icafé ÿş Ã" ON "café ÿş Ã"."tcafé ÿş Ã" ("ccafé ÿş Ã");
CREATE FUNCTION trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "gcafé ÿş Ã" AFTER INSERT ON "café ÿş Ã"."tcafé ÿş Ã" FOR EACH ROW EXECUTE FUNCTION trigger('café ÿş Ã');
