-- database: ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'
-- Letters of two bytes and of three.
SET client_encoding = 'EUC_JP';
\set x '\xc9\xbd \x8f\xb0\xa1 \xa5\xbd\xc7\xbd'
\set cluster lifeboat_encoding
\ir ../names/every_kind.inc
