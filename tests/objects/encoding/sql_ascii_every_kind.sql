-- database: ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'
-- Anything but zero.
SET client_encoding = 'SQL_ASCII';
\set x '\xff\xfe\xe9 \xc3 \x01\x1b'
\set cluster lifeboat_encoding
\ir ../names/every_kind.inc
