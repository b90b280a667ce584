//! Extensions whose tables hold the user's configuration: the extension is made again by CREATE EXTENSION, and only the rows
//! that it says are the user's are in the archive.

use std::path::Path;

use crate::support::archive::{Data, Rows};
use crate::support::{Database, REFERENCE, Server, archive, extension};

/// A script of an extension's.
const SCRIPT: &str = "
    CREATE TABLE \"Con fig\" (key text PRIMARY KEY, value text, builtin boolean NOT NULL DEFAULT false);
    INSERT INTO \"Con fig\" VALUES ('color', 'blue', true), ('size', '3', true);
    CREATE TABLE detail (id serial PRIMARY KEY, key text REFERENCES \"Con fig\", note text);
    CREATE TABLE fixed (a integer); INSERT INTO fixed VALUES (1), (2);
    CREATE VIEW own AS SELECT * FROM \"Con fig\" WHERE NOT builtin;
";
const USERS: &str = "
    INSERT INTO \"Con fig\" VALUES ('mine', E'a\\tb', false), ('also', NULL, false);
    INSERT INTO detail (key, note) VALUES ('mine', 'x'), ('color', 'y');
    CREATE TABLE t (a integer); INSERT INTO t VALUES (1);
    GRANT SELECT ON own TO alice;
";

fn both_dumps(database: &Database<'_>, dir: &Path) {
    let (reference, ours) = (dir.join("reference"), dir.join("ours"));
    database.pg_dump(REFERENCE, &[], &reference);
    database.backup(&ours, &["--force", "--owner", "--acl", "--archive-version", "1.16"]);
    archive::assert_same("an extension's configuration", &reference, &ours, Rows::InOrder);
    // What was compared is what this is about.
    let ours = archive::read(&ours).unwrap();
    let data: Vec<String> = ours
        .data
        .values()
        .map(|data| match data {
            Data::Table(rows) => String::from_utf8_lossy(rows).into_owned(),
            Data::LargeObjects(_) => String::new(),
        })
        .collect();
    assert!(data.iter().any(|rows| rows.contains("mine\ta\\tb\tf\n") && !rows.contains("blue")), "{data:?}");
}

#[test]
fn rows_of_users_are_dumped_as_pg_dump_dumps_them() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = server.database("configuration");
        // Only a script of an extension may register its tables, and none of contrib's does; so it is written down by hand.
        database.sql(SCRIPT);
        database.sql(
            "DO $$ DECLARE r record; BEGIN
               FOR r IN SELECT unnest(ARRAY['TABLE \"Con fig\"', 'TABLE detail', 'SEQUENCE detail_id_seq', 'TABLE fixed', 'VIEW own']) AS what
               LOOP EXECUTE 'ALTER EXTENSION plpgsql ADD ' || r.what; END LOOP; END $$;
             UPDATE pg_extension SET extcondition = ARRAY['', 'WHERE NOT builtin', ''],
               extconfig = ARRAY['detail'::regclass::oid, '\"Con fig\"'::regclass::oid, 'detail_id_seq'::regclass::oid]
               WHERE extname = 'plpgsql'",
        );
        database.sql(USERS);
        both_dumps(&database, dir.path());
    }
}

#[test]
fn configuration_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let register = "SELECT pg_extension_config_dump('detail', '');
        SELECT pg_extension_config_dump('detail_id_seq', '');
        SELECT pg_extension_config_dump('\"Con fig\"', 'WHERE NOT builtin');";
    let script = format!("{SCRIPT}{register}");
    let server = needed!(extension::server_with("configured", "schema = public\n", &script, dir.path()));
    let database = server.database("configuration");
    database.sql("CREATE EXTENSION configured");
    database.sql(USERS);
    both_dumps(&database, dir.path());

    let restored = server.database("configuration");
    restored.restore(&dir.path().join("ours"), &["--owner", "--acl"]);
    restored.assert_is("the restored database", &dir.path().join("reference"));
    let rows = "SELECT string_agg(key || coalesce(value, '-') || builtin, ',' ORDER BY key) FROM \"Con fig\"";
    assert_eq!(restored.sql(rows), database.sql(rows));
    assert_eq!(restored.sql("SELECT nextval('detail_id_seq'), count(*) FROM fixed"), "3|2");
    // Once more, over what is there.
    restored.restore(&dir.path().join("ours"), &["--owner", "--acl"]);
    assert_eq!(restored.sql(rows), database.sql(rows));
}
