CREATE FOREIGN DATA WRAPPER bare;
CREATE FOREIGN DATA WRAPPER "Wrap per" VALIDATOR pg_catalog.postgresql_fdw_validator;
ALTER FOREIGN DATA WRAPPER bare OPTIONS (ADD "odd option" 'x, y', ADD plain '');
COMMENT ON FOREIGN DATA WRAPPER "Wrap per" IS 'it''s a wrapper';
GRANT USAGE ON FOREIGN DATA WRAPPER "Wrap per" TO alice WITH GRANT OPTION;
GRANT USAGE ON FOREIGN DATA WRAPPER bare TO bob;

CREATE SERVER bare_server FOREIGN DATA WRAPPER bare;
CREATE SERVER "Ser ver" TYPE 'it''s a type' VERSION '1.5 \ x' FOREIGN DATA WRAPPER bare
    OPTIONS (host 'db.example', "Po rt" '5432', empty '');
CREATE SERVER validated FOREIGN DATA WRAPPER "Wrap per" OPTIONS (host 'it''s', dbname 'a\b');
CREATE SERVER typed TYPE 't' FOREIGN DATA WRAPPER bare;
CREATE SERVER versioned VERSION '' FOREIGN DATA WRAPPER bare;
ALTER SERVER typed OWNER TO bob;
GRANT USAGE ON FOREIGN SERVER "Ser ver" TO alice, bob;
GRANT USAGE ON FOREIGN SERVER bare_server TO PUBLIC;
COMMENT ON SERVER "Ser ver" IS 'it''s a server
of two lines';

CREATE USER MAPPING FOR PUBLIC SERVER "Ser ver" OPTIONS (password 'se''cret', "user" 'x');
CREATE USER MAPPING FOR alice SERVER "Ser ver";
CREATE USER MAPPING FOR CURRENT_USER SERVER "Ser ver" OPTIONS (a '1');
CREATE USER MAPPING FOR carol SERVER bare_server OPTIONS ("Ca se" 'C');

CREATE FOREIGN TABLE far (a integer OPTIONS (column_name 'A', other 'it''s') NOT NULL, b text COLLATE "C" DEFAULT 'x',
    CHECK (a > 0)) SERVER "Ser ver" OPTIONS (table_name 'x.y', "Odd name" '%s');
CREATE FOREIGN TABLE farther (CONSTRAINT own CHECK (b <> '')) INHERITS (far) SERVER bare_server;
COMMENT ON FOREIGN TABLE far IS 'far away';
COMMENT ON COLUMN far.b IS 'a far column';
GRANT SELECT (a) ON far TO alice;
ALTER FOREIGN TABLE farther OWNER TO carol;
