CREATE SCHEMA "Text";
CREATE TEXT SEARCH PARSER "Text"."Par ser" (START = pg_catalog.prsd_start, GETTOKEN = pg_catalog.prsd_nexttoken,
    END = pg_catalog.prsd_end, LEXTYPES = pg_catalog.prsd_lextype, HEADLINE = pg_catalog.prsd_headline);
CREATE TEXT SEARCH PARSER headless (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE "Text"."Tem plate" (INIT = pg_catalog.dsimple_init, LEXIZE = pg_catalog.dsimple_lexize);
CREATE TEXT SEARCH TEMPLATE without_init (LEXIZE = pg_catalog.dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY "Text"."Words" (TEMPLATE = "Text"."Tem plate", STOPWORDS = english, ACCEPT = false);
CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = without_init);
CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, LANGUAGE = 'german', STOPWORDS = 'german');
CREATE TEXT SEARCH CONFIGURATION "Text"."Con fig" (PARSER = "Text"."Par ser");
ALTER TEXT SEARCH CONFIGURATION "Text"."Con fig" ADD MAPPING FOR asciiword, word WITH "Text"."Words", stems, simple;
ALTER TEXT SEARCH CONFIGURATION "Text"."Con fig" ADD MAPPING FOR int, url, hword_numpart WITH plain;
CREATE TEXT SEARCH CONFIGURATION copied (COPY = pg_catalog.german);
ALTER TEXT SEARCH CONFIGURATION copied DROP MAPPING FOR email;
ALTER TEXT SEARCH CONFIGURATION copied ALTER MAPPING FOR word WITH stems;
CREATE TEXT SEARCH CONFIGURATION empty (PARSER = headless);

ALTER TEXT SEARCH DICTIONARY "Text"."Words" OWNER TO alice;
ALTER TEXT SEARCH CONFIGURATION "Text"."Con fig" OWNER TO bob;
COMMENT ON TEXT SEARCH PARSER "Text"."Par ser" IS 'it''s a parser';
COMMENT ON TEXT SEARCH TEMPLATE "Text"."Tem plate" IS 'it''s a template';
COMMENT ON TEXT SEARCH DICTIONARY stems IS 'it''s a dictionary';
COMMENT ON TEXT SEARCH CONFIGURATION "Text"."Con fig" IS 'it''s a configuration';
CREATE TABLE t (id integer, x text, v tsvector GENERATED ALWAYS AS (to_tsvector('"Text"."Con fig"', x)) STORED);
INSERT INTO t (id, x) VALUES (1, 'Häuser sind Häuser 12');
CREATE INDEX found ON t USING gin (to_tsvector('copied', x));
