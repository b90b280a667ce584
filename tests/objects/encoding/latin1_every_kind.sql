-- database: ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'
-- Bytes that are no UTF-8.
SET client_encoding = 'LATIN1';
\set x 'Gr\xf6\xdfe \xe9'
\set cluster lifeboat_encoding
\ir ../names/every_kind.inc
