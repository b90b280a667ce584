-- min: 18
-- options: --statistics
-- extension: hstore
-- What is an extension's has none, but an index of a table whose rows are the user's; a column of its type has.
CREATE EXTENSION hstore;
CREATE TABLE items (tags hstore);
INSERT INTO items SELECT hstore('k' || n % 3, n::text) FROM generate_series(1, 30) AS n;
CREATE INDEX items_tags ON items USING gist (tags);
CREATE TABLE member (a integer PRIMARY KEY);
INSERT INTO member SELECT generate_series(1, 30);
ANALYZE items, member;
ALTER EXTENSION hstore ADD TABLE member;
