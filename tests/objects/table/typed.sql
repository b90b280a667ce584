CREATE TYPE "Pair" AS (a integer, b text, c numeric);
CREATE TABLE of_type OF "Pair";
CREATE TABLE of_type_with OF "Pair" (a WITH OPTIONS DEFAULT 7, b WITH OPTIONS NOT NULL, CHECK (a > 0));
INSERT INTO of_type VALUES (1, 'x', 2.5);
INSERT INTO of_type_with (b) VALUES ('y');
COMMENT ON COLUMN of_type.b IS 'typed';
