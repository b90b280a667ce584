CREATE SCHEMA "Con";
CREATE CONVERSION "Con"."Ver sion" FOR 'LATIN1' TO 'UTF8' FROM pg_catalog.iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION by_default FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE CONVERSION other FOR 'EUC_JP' TO 'SJIS' FROM euc_jp_to_sjis;
ALTER CONVERSION "Con"."Ver sion" OWNER TO alice;
COMMENT ON CONVERSION "Con"."Ver sion" IS 'it''s a conversion';
COMMENT ON CONVERSION by_default IS 'from 100 %';
