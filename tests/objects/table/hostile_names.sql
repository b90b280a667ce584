-- Names and texts that try to get out of where they stand.
CREATE SCHEMA "s
; DROP SCHEMA public CASCADE; --";
CREATE TABLE "s
; DROP SCHEMA public CASCADE; --"."t
\. " (
    "a
" integer, "b""--" text DEFAULT E'\n\\.\n', "$$" integer CHECK ("$$" > 0), "%s%d%n" text, "*/ select /*" text,
    "63_bytes_long_63_bytes_long_63_bytes_long_63_bytes_long_63_byte" integer
);
INSERT INTO "s
; DROP SCHEMA public CASCADE; --"."t
\. " VALUES (1, E'\n\\.\n', 2, '%s', '*/', 3);
COMMENT ON TABLE "s
; DROP SCHEMA public CASCADE; --"."t
\. " IS E'*/ \n\\! touch /tmp/owned\n--';
CREATE VIEW "s
; DROP SCHEMA public CASCADE; --"."v""
" AS SELECT "a
" AS "x
y" FROM "s
; DROP SCHEMA public CASCADE; --"."t
\. ";
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TABLE "root
; DROP TABLE x" (c colour) PARTITION BY HASH (c);
CREATE TABLE part PARTITION OF "root
; DROP TABLE x" FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO "root
; DROP TABLE x" VALUES ('red');
CREATE SEQUENCE "it's a
sequence";
CREATE RULE "rule
'""" AS ON DELETE TO part DO ALSO NOTHING;
