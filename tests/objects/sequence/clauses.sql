CREATE SEQUENCE untouched;
CREATE SEQUENCE called;
SELECT nextval('called'), nextval('called');
CREATE SEQUENCE set_not_called;
SELECT setval('set_not_called', 77, false);
CREATE SEQUENCE set_called START 5;
SELECT setval('set_called', 99);
CREATE SEQUENCE restarted;
SELECT nextval('restarted');
ALTER SEQUENCE restarted RESTART WITH 500;
CREATE SEQUENCE small AS smallint INCREMENT BY 3 MINVALUE -5 MAXVALUE 1000 START WITH 0 CACHE 20 CYCLE;
CREATE SEQUENCE down AS integer INCREMENT BY -1;
SELECT nextval('down');
CREATE SEQUENCE down_big INCREMENT BY -2 MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807 START 10;
CREATE SEQUENCE int_limits AS integer MINVALUE -2147483648 MAXVALUE 2147483646;
SELECT setval('int_limits', -2147483648, false);
CREATE SCHEMA "Strange ""schema""";
CREATE SEQUENCE "Strange ""schema"""."it's a \ sequence";
SELECT setval('"Strange ""schema"""."it''s a \ sequence"', 3);
COMMENT ON SEQUENCE called IS 'called twice';
GRANT USAGE, SELECT ON SEQUENCE called TO bob;
GRANT UPDATE ON SEQUENCE called TO carol;
ALTER SEQUENCE small OWNER TO alice;
CREATE TABLE owning (id integer, "Other one" bigint);
CREATE SEQUENCE owned OWNED BY owning."Other one";
ALTER TABLE owning ALTER "Other one" SET DEFAULT nextval('owned');
ALTER TABLE owning OWNER TO alice;
INSERT INTO owning (id) VALUES (1), (2);
CREATE TABLE serials (a serial, b bigserial, c smallserial);
INSERT INTO serials DEFAULT VALUES;
SELECT :SERVER_VERSION_NUM >= 150000 AS has_unlogged_sequences \gset
\if :has_unlogged_sequences
CREATE UNLOGGED SEQUENCE unlogged_one;
SELECT nextval('unlogged_one');
\endif
