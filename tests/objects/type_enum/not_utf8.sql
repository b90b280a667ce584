-- database: ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'
-- Bytes that are valid in no encoding at all.
DO $do$
BEGIN
    EXECUTE E'CREATE TYPE "\xff\xfe" AS ENUM (''\xc3'', ''\xe9 \xf0'')';
    EXECUTE E'COMMENT ON TYPE "\xff\xfe" IS ''\xa0''';
    EXECUTE E'CREATE TYPE pair AS ("\xe4" "\xff\xfe", b integer)';
    EXECUTE E'CREATE DOMAIN "\x80" AS text DEFAULT ''\x81'' CONSTRAINT "\x82" CHECK (VALUE <> ''\x83'')';
    EXECUTE E'CREATE FUNCTION "\xe9"("\xe8" "\xff\xfe") RETURNS text LANGUAGE sql AS ''SELECT ''''\xe7''''::text''';
    EXECUTE E'CREATE TABLE t ("\xfc" "\xff\xfe", d "\x80")';
    EXECUTE E'INSERT INTO t VALUES (''\xc3'', ''\xfe'')';
END
$do$;
