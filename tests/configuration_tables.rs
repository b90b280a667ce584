//! What a dump must contain although no server at hand could restore it: rows of extensions' configuration tables, and
//! security labels. The catalogs are told by hand, since PostgreSQL brings no extension with such tables, and no
//! provider of labels.

use crate::support::Server;
use crate::support::archive::{self, Rows};

const CONFIGURATION: &str = r"
CREATE EXTENSION the_extension;
CREATE SCHEMA conf;
CREATE TABLE conf.z_parent (
    name text PRIMARY KEY, value text, standard boolean, twice text GENERATED ALWAYS AS (name || name) STORED
);
CREATE TABLE conf.a_child (name text REFERENCES conf.z_parent, n integer);
CREATE TABLE conf.not_configuration (a integer);
CREATE TABLE conf.no_columns ();
CREATE SEQUENCE conf.seq;
CREATE MATERIALIZED VIEW conf.filled AS SELECT 1 AS a;
CREATE VIEW conf.v AS SELECT 1 AS a;
CREATE VIEW public.uses AS SELECT v.a FROM conf.v, conf.not_configuration;
CREATE TABLE public.refers (name text REFERENCES conf.z_parent);
INSERT INTO conf.z_parent VALUES ('a', '1', true), ('b', '2', false);
INSERT INTO conf.a_child VALUES ('a', 1), ('b', 2);
INSERT INTO conf.not_configuration VALUES (1);
INSERT INTO conf.no_columns DEFAULT VALUES;
SELECT nextval('conf.seq');
COMMENT ON TABLE conf.z_parent IS 'not of the extension, but lost all the same';
ALTER EXTENSION the_extension ADD TABLE conf.z_parent;
ALTER EXTENSION the_extension ADD TABLE conf.a_child;
ALTER EXTENSION the_extension ADD TABLE conf.not_configuration;
ALTER EXTENSION the_extension ADD TABLE conf.no_columns;
ALTER EXTENSION the_extension ADD SEQUENCE conf.seq;
ALTER EXTENSION the_extension ADD MATERIALIZED VIEW conf.filled;
ALTER EXTENSION the_extension ADD VIEW conf.v;
GRANT SELECT ON conf.not_configuration TO bob;
GRANT SELECT (n) ON conf.a_child TO bob;
UPDATE pg_extension
    SET extconfig = '{conf.z_parent,conf.a_child,conf.no_columns,conf.seq,conf.v,conf.filled}'::regclass[]::oid[],
        extcondition = ARRAY['WHERE NOT standard', '', 'WHERE true', '', '', '']
    WHERE extname = 'the_extension';
";

const LABELS: &str = r"
CREATE TABLE t (a integer, b text);
CREATE VIEW v AS SELECT a FROM t;
CREATE SEQUENCE s;
INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label) VALUES
    ('t'::regclass, 'pg_class'::regclass, 0, 'Some provider', 'it''s a \ table'),
    ('t'::regclass, 'pg_class'::regclass, 2, 'Some provider', 'column b'),
    ('t'::regclass, 'pg_class'::regclass, -1, 'Some provider', 'a system column'),
    ('v'::regclass, 'pg_class'::regclass, 1, 'Some provider', 'column of a view'),
    ('s'::regclass, 'pg_class'::regclass, 0, 'other', 'sequence');
";

fn dumps_like_pg_dump(name: &str, sql: &str) {
    for server in Server::all() {
        let database = server.database(name);
        database.sql(sql);
        database.sql("ANALYZE");
        let dir = tempfile::tempdir().unwrap();
        let (reference, candidate) = (dir.path().join("reference"), dir.path().join("candidate"));
        database.pg_dump(18, &["-Fc", "--statistics"], &reference);
        database.backup(&candidate, &["--owner", "--acl", "--statistics", "--archive-version", "1.16"]);
        archive::assert_same(&format!("{name} on {}", server.major()), &reference, &candidate, Rows::InOrder);
    }
}

#[test]
fn the_users_rows_of_an_extensions_configuration_tables_are_dumped() {
    dumps_like_pg_dump("configuration", &CONFIGURATION.replace("the_extension", "hstore"));
}

#[test]
fn so_are_those_of_an_extension_that_came_with_the_database() {
    let sql = CONFIGURATION.replace("CREATE EXTENSION the_extension;", "").replace("the_extension", "plpgsql");
    dumps_like_pg_dump("configuration_of_plpgsql", &sql);
}

#[test]
fn security_labels_of_relations_and_columns_are_dumped() {
    dumps_like_pg_dump("labels", LABELS);
}
