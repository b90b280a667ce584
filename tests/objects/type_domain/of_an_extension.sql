-- extension: earthdistance
CREATE EXTENSION earthdistance CASCADE;
CREATE TABLE places (name text, at public.earth);
INSERT INTO places VALUES ('here', ll_to_earth(10, 20));
