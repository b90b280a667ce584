-- changes: columns that a parent got late move to its other columns
CREATE TABLE one (a integer, b text DEFAULT 'b');
CREATE TABLE child (c integer) INHERITS (one);
CREATE TABLE grandchild (d integer CHECK (d > 0)) INHERITS (child);
INSERT INTO grandchild VALUES (1, 'x', 2, 3);
ALTER TABLE one ADD COLUMN late integer DEFAULT 7;
INSERT INTO grandchild VALUES (4, 'y', 5, 6, 8);
ALTER TABLE one ADD COLUMN gone integer;
-- The children keep it.
ALTER TABLE ONLY one DROP COLUMN gone;
