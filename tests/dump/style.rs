//! How names, numbers and functions are written, for every kind of object.

use std::path::Path;

use super::{assert_same, differences};
use crate::support::roundtrip::Case;
use crate::support::{REFERENCE, Server};

/// Every case of every kind; on the reference's major, and a quarter of them on each of the others.
fn every_kind(major: u32) {
    needed!(Server::get(major));
    let mut kinds: Vec<_> =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects").read_dir().unwrap().flatten().collect();
    kinds.sort_by_key(std::fs::DirEntry::file_name);
    let cases = kinds.iter().filter(|kind| kind.path().is_dir()).flat_map(|kind| Case::all(&kind.path()).unwrap());
    let only = std::env::var("LIFEBOAT_TEST_CASE").ok();
    let mut found = Vec::new();
    for (n, case) in cases.filter(|case| case.is_for(major)).enumerate() {
        let is_between = major != REFERENCE && n % 4 != major as usize % 4;
        if is_between || only.as_ref().is_some_and(|only| *only != case.name) {
            continue;
        }
        let Ok(server) = case.server(major) else { continue };
        let (database, _) = case.dumped(server).unwrap();
        let arguments = ["--quote-all-identifiers", "--disable-dollar-quoting", "--extra-float-digits=-2"];
        let differences = differences(&database, &arguments, &|options| {
            options.quote_all_identifiers(true).dollar_quoting(false).extra_float_digits(Some(-2))
        });
        found.extend(differences.iter().map(|difference| format!("{}: {difference}", case.path.display())));
    }
    // Versions of columns, which pg_dump of late 2026 leaves out, are told apart elsewhere.
    found.retain(|difference| !difference.contains("pg_attver"));
    assert!(found.is_empty(), "on {major}:\n{}", found.join("\n"));
}

tests! { every_kind:
    as_pg_dump_on_13(13)
    as_pg_dump_on_14(14)
    as_pg_dump_on_15(15)
    as_pg_dump_on_16(16)
    as_pg_dump_on_17(17)
    as_pg_dump_on_18(18)
    as_pg_dump_on_19(19)
}

#[test]
fn each_by_itself() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("style");
    database.sql(
        "CREATE TABLE plain (number double precision, real real); INSERT INTO plain VALUES (1.0::float8 / 3, 0.1);
         CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT 'it''s \\n'$$;
         CREATE VIEW v AS SELECT number FROM plain WHERE number > 0.1::float8 + 0.2",
    );
    assert_same("nothing", &database, &[], &|options| options);
    assert_same("names", &database, &["--quote-all-identifiers"], &|options| options.quote_all_identifiers(true));
    assert_same("functions", &database, &["--disable-dollar-quoting"], &|options| options.dollar_quoting(false));
    for digits in [-15, 0, 1, 3] {
        let argument = format!("--extra-float-digits={digits}");
        assert_same("numbers", &database, &[&argument], &|options| options.extra_float_digits(Some(digits)));
    }
}
