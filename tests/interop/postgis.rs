//! PostGIS: hundreds of members that must not be dumped, tables of an extension's that hold users' rows, and privileges on
//! what is an extension's.

use std::path::Path;

use crate::support::archive::{self, Data};
use crate::support::debian::postgis;
use crate::support::roundtrip::{self, Case, Tool};
use crate::support::{Server, report};

#[test]
fn database_with_postgis_comes_back() {
    let installation = needed!(postgis());
    let server = Server::of(installation);
    report::say(&format!("PostGIS was tested on {}", installation.description));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/postgis.sql");
    let failures = roundtrip::check(&server, Tool::chosen(), &Case::read(&path).unwrap());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// What the comparison with pg_dump is about, in so many words.
#[test]
fn only_what_users_did_to_postgis_is_dumped() {
    let installation = needed!(postgis());
    let server = Server::of(installation);
    let database = server.database("postgis");
    database.load("tests/interop/postgis.sql");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    let out = database.backup(&path, &["--owner", "--acl"]);
    // PostGIS has rules on a view of its own.
    assert_eq!(out.stderr(), "");
    let archive = archive::read(&path).unwrap();
    let entries = |desc: &str| -> Vec<String> {
        let of_kind = archive.entries.iter().filter(|entry| entry.desc.as_deref() == Some(desc.as_bytes()));
        of_kind.map(|entry| String::from_utf8_lossy(entry.tag.as_deref().unwrap_or_default()).into_owned()).collect()
    };
    assert_eq!(entries("EXTENSION").len(), 3, "{:?}", entries("EXTENSION"));
    assert_eq!(entries("FUNCTION"), ["longest()"]);
    assert_eq!(entries("TYPE"), Vec::<String>::new());
    assert_eq!(entries("OPERATOR"), Vec::<String>::new());
    assert_eq!(entries("CAST"), Vec::<String>::new());
    assert!(!entries("TABLE").contains(&"spatial_ref_sys".to_owned()));
    let acl = entries("ACL");
    for of in ["TABLE spatial_ref_sys", "TABLE geometry_columns", "FUNCTION st_area(public.geometry)"] {
        assert!(acl.iter().any(|tag| tag.starts_with(of)), "no privileges on {of}: {acl:?}");
    }
    assert!(acl.len() < 10, "{acl:?}");
    let rows = |table: &str| {
        let is_data = |desc: Option<&[u8]>| desc == Some(b"TABLE DATA");
        let entry =
            archive.entries.iter().find(|e| is_data(e.desc.as_deref()) && e.tag.as_deref() == Some(table.as_bytes()));
        match entry.and_then(|entry| archive.data.get(&entry.dump_id)) {
            Some(Data::Table(rows)) => String::from_utf8_lossy(rows).into_owned(),
            _ => panic!("no rows of {table}"),
        }
    };
    // Of 8,500 rows, the one that is not PostGIS's own.
    assert_eq!(rows("spatial_ref_sys").lines().filter(|line| line.contains('\t')).count(), 1);
    assert!(rows("spatial_ref_sys").contains("lifeboat"));
    assert!(rows("topology").contains("town"));
    assert!(rows("places").lines().count() >= 3);
}

/// Debian's is a later minor release than the other installations: what that keeps in its catalog must not get into an
/// archive.
#[test]
fn database_of_a_later_minor_release_comes_back_on_an_earlier_one() {
    let installation = needed!(postgis());
    let earlier = needed!(Server::get(installation.major));
    let server = Server::of(installation);
    let database = server.database("later");
    database.sql(
        "CREATE TABLE t (a integer, b text, c integer); ALTER TABLE t ALTER a SET (n_distinct = 5, n_distinct_inherited = 7);
         INSERT INTO t VALUES (1, 'x', 2); CREATE VIEW v AS SELECT a FROM t; CREATE MATERIALIZED VIEW m AS SELECT b FROM t;
         CREATE TYPE pair AS (a integer, b text)",
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    database.backup(&path, &[]);
    let restored = earlier.database("earlier");
    restored.restore(&path, &[]);
    assert_eq!(restored.sql("SELECT a, b, c FROM t"), "1|x|2");
    let options =
        "SELECT attname, attoptions FROM pg_attribute WHERE attrelid = 't'::regclass AND attoptions IS NOT NULL";
    assert_eq!(restored.sql(options), "a|{n_distinct=5,n_distinct_inherited=7}");
}
