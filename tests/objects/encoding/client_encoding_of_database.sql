-- A database that sends its clients another encoding than its own.
ALTER DATABASE :"DBNAME" SET client_encoding = 'LATIN1';
CREATE TABLE "größer" (a text DEFAULT 'ä', b text);
INSERT INTO "größer" VALUES ('ö', '日本語テキスト');
COMMENT ON TABLE "größer" IS '日本語テキスト';
