-- database: ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'
SET client_encoding = 'UTF8';
CREATE SCHEMA "スキーマ";
CREATE TABLE "スキーマ"."表" ("列" text DEFAULT '日本語テキスト', "ｶﾅ" varchar(5));
INSERT INTO "スキーマ"."表" VALUES ('表ソ能\', 'ｱｲｳ'), ('日本語テキスト', NULL), (DEFAULT, '十');
COMMENT ON TABLE "スキーマ"."表" IS '日本語テキスト';
CREATE VIEW "眺め" AS SELECT "列" AS "名前" FROM "スキーマ"."表" WHERE "列" LIKE '日%';
CREATE FUNCTION "関数"("引数" text) RETURNS text LANGUAGE sql AS $$ SELECT '結果'::text $$;
CREATE INDEX "索引" ON "スキーマ"."表" ("列");
