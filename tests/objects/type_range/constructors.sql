-- min: 19
-- The catalog says which functions construct ranges: they come with the type.
CREATE TYPE span AS RANGE (SUBTYPE = integer, MULTIRANGE_TYPE_NAME = spans);
CREATE FUNCTION span_of(integer) RETURNS span LANGUAGE sql AS 'SELECT public.span($1, $1 + 1)';
CREATE TABLE t (a span DEFAULT span(1, 5), b spans DEFAULT spans(span(1, 2), span(4, 9, '[]')));
INSERT INTO t DEFAULT VALUES;
