-- extension: earthdistance
-- extension: cube
-- An extension that needs another one.
CREATE EXTENSION earthdistance CASCADE;
CREATE TABLE places (id integer, at earth);
INSERT INTO places VALUES (1, ll_to_earth(48, 11));
CREATE INDEX ON places USING gist (at);
