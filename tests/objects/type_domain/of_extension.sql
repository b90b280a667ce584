-- extension: cube
-- extension: earthdistance
-- The domain and its constraint come with the extension.
CREATE EXTENSION cube;
CREATE EXTENSION earthdistance;
CREATE TABLE places (at earth);
INSERT INTO places VALUES (ll_to_earth(50, 8));
REVOKE USAGE ON TYPE earth FROM PUBLIC;
