CREATE SCHEMA "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz";
CREATE TABLE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" ("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz" serial, b text DEFAULT 'A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Tzzzzz', CONSTRAINT "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Kzzzzz" PRIMARY KEY ("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz"));
INSERT INTO "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" (b) VALUES ('A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Vzzzzz'), (DEFAULT), (NULL), ('\N'), (E'\\.');
CREATE TABLE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" ("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz" integer, CONSTRAINT "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Gzzzzz" FOREIGN KEY ("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz") REFERENCES "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz");
CREATE INDEX "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Izzzzz" ON "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" (lower(b));
CREATE VIEW "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Vzzzzz" AS SELECT "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz" AS "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Vzzzzz" FROM "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz";
CREATE SEQUENCE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Qzzzzz" OWNED BY "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz";
CREATE TYPE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Yzzzzz" AS ENUM ('A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Vzzzzz', 'x');
CREATE DOMAIN "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Dzzzzz" AS "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Yzzzzz" CONSTRAINT "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Kzzzzz" CHECK (VALUE <> 'x');
CREATE FUNCTION "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Fzzzzz"("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz" "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Yzzzzz") RETURNS "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" LANGUAGE plpgsql AS ' BEGIN RETURN NULL; END ';
CREATE FUNCTION "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Gzzzzz"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Gzzzzz" BEFORE INSERT ON "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" FOR EACH ROW EXECUTE FUNCTION "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Gzzzzz"('A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Tzzzzz', 'a''b', E'\\x');
CREATE RULE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Rzzzzz" AS ON UPDATE TO "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" DO ALSO NOTIFY "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Rzzzzz";
ALTER TABLE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Pzzzzz" ON "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" USING ("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz" > 0);
CREATE PUBLICATION "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Pzzzzz" FOR TABLE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz";
COMMENT ON TABLE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" IS 'A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Tzzzzz
A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Szzzzz';
COMMENT ON COLUMN "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz" IS 'A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Czzzzz';
COMMENT ON CONSTRAINT "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Kzzzzz" ON "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" IS 'A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Kzzzzz';
COMMENT ON TRIGGER "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Gzzzzz" ON "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" IS 'A "quoted", 100 % long
name	with ''all'' \ that ; hurts $$ Gzzzzz';
GRANT SELECT ("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Czzzzz") ON "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" TO alice;
GRANT EXECUTE ON FUNCTION "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Fzzzzz"("A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Yzzzzz") TO bob;
ALTER TABLE "A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Szzzzz"."A ""quoted"", 100 % long
name	with 'all' \ that ; hurts $$ Tzzzzz" OWNER TO carol;
