-- changes: on 13 and 14 what PUBLIC may do in schema public comes back, with PostgreSQL's own tools too
DROP SCHEMA public;
CREATE SCHEMA public;
COMMENT ON SCHEMA public IS 'it''s another';
CREATE TABLE public.t (a integer);
