-- min: 19
CREATE TEXT SEARCH CONFIGURATION polski (COPY = polish);
CREATE TEXT SEARCH DICTIONARY old_dutch (TEMPLATE = snowball, LANGUAGE = 'dutch_porter', STOPWORDS = 'dutch');
CREATE TEXT SEARCH CONFIGURATION mixed (COPY = esperanto);
ALTER TEXT SEARCH CONFIGURATION mixed ALTER MAPPING FOR asciiword WITH old_dutch, polish_stem;
CREATE TABLE t (v tsvector); INSERT INTO t SELECT to_tsvector('mixed', 'Kotek kotki');
