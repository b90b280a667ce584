-- min: 18
CREATE TABLE named (
    a integer CONSTRAINT "A must be" NOT NULL,
    b integer NOT NULL,
    c integer CONSTRAINT named_c_not_null NOT NULL,
    d integer CONSTRAINT commented NOT NULL,
    e integer NOT NULL NO INHERIT,
    f integer CONSTRAINT "own" NOT NULL NO INHERIT
);
COMMENT ON CONSTRAINT commented ON named IS 'why';
COMMENT ON CONSTRAINT named_b_not_null ON named IS 'default name, but commented';
CREATE TABLE unvalidated (a integer, b integer);
INSERT INTO unvalidated VALUES (NULL, NULL), (1, 2);
ALTER TABLE unvalidated ADD CONSTRAINT late NOT NULL a NOT VALID;
ALTER TABLE unvalidated ADD NOT NULL b NOT VALID;
COMMENT ON CONSTRAINT late ON unvalidated IS 'some day';
CREATE TABLE kid () INHERITS (unvalidated);
CREATE TABLE strict_kid (CONSTRAINT strict_one NOT NULL a) INHERITS (unvalidated);
CREATE TABLE parent (a integer NOT NULL, b integer, c integer);
CREATE TABLE child (NOT NULL b, CONSTRAINT of_child NOT NULL c NO INHERIT) INHERITS (parent);
CREATE TABLE parted (a integer, b integer CONSTRAINT pnn NOT NULL) PARTITION BY LIST (a);
CREATE TABLE part1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE part2 (b integer CONSTRAINT pnn2 NOT NULL, a integer CONSTRAINT own_a NOT NULL);
ALTER TABLE parted ATTACH PARTITION part2 FOR VALUES IN (2);
CREATE TABLE with_key (a integer PRIMARY KEY, b integer);
ALTER TABLE named OWNER TO alice;
