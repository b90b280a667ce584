DROP SCHEMA public;
CREATE SCHEMA public;
COMMENT ON SCHEMA public IS 'it''s another';
CREATE TABLE public.t (a integer);
