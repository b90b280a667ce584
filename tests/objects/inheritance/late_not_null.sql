-- min: 18
-- Servers before 18 do not read what even pg_dump writes of this.
CREATE TABLE one (a integer DEFAULT 1, b text NOT NULL, c integer);
CREATE TABLE late_not_null () INHERITS (one);
ALTER TABLE late_not_null ALTER c SET NOT NULL;
