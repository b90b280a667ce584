CREATE SCHEMA plain;
CREATE SCHEMA "With Quotes and ""more""" AUTHORIZATION alice;
COMMENT ON SCHEMA plain IS 'it''s a schema
with two lines';
GRANT USAGE ON SCHEMA plain TO bob;
GRANT CREATE, USAGE ON SCHEMA plain TO carol WITH GRANT OPTION;
CREATE TABLE "With Quotes and ""more""".t (a integer);
