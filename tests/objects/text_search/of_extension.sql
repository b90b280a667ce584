-- extension: unaccent
-- extension: dict_int
CREATE EXTENSION unaccent;
CREATE EXTENSION dict_int;
CREATE TEXT SEARCH DICTIONARY short (TEMPLATE = intdict_template, MAXLEN = 4, REJECTLONG = true);
CREATE TEXT SEARCH CONFIGURATION plainly (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION plainly ALTER MAPPING FOR word, hword WITH unaccent, simple;
ALTER TEXT SEARCH CONFIGURATION plainly ALTER MAPPING FOR int WITH short;
