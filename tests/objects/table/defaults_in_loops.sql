-- min: 14
-- Defaults that need what needs the table.
-- (A body that the server has parsed records what it needs.)
CREATE TABLE serials (a serial, b bigserial NOT NULL, c smallserial, d integer);
INSERT INTO serials (d) VALUES (1), (2);
CREATE TABLE looped (a integer);
CREATE FUNCTION next_of_looped() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT coalesce(max(a), 0) + 1 FROM looped; END;
ALTER TABLE looped ALTER a SET DEFAULT next_of_looped();
COMMENT ON COLUMN looped.a IS 'loop';
CREATE TABLE uses_sequence_of_other (a integer DEFAULT nextval('serials_a_seq'));
ALTER TABLE looped OWNER TO alice;
