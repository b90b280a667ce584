//! The database that PostgreSQL 18's own regression tests leave behind: nearly every kind of object there is. It is not
//! part of the project; the test runs where `shared/gauntlet` is beside the checkout.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::every_option::{Subject, same_under_its_sets};
use crate::restore::{again, scripts};
use crate::support::archive::Rows;
use crate::support::needs::{self, Needed};
use crate::support::{Database, REFERENCE, Server, archive, output, run};

/// Selections and parts of which the archive is pg_dump's, too.
const OPTIONS: &[&[&str]] = &[
    &["-s"],
    &["-a"],
    &["--section=post-data", "--no-comments"],
    &["-n", "public"],
    &["-N", "public"],
    &["-t", "part*", "--table-and-children", "inhp*"],
    &["-t", "pg_class", "-T", "pa*"],
];

const NAME: &str = "the database of PostgreSQL's regression tests";

fn script(dir: &Path) -> Needed<PathBuf> {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/gauntlet/regression-18.sql.gz");
    let script = dir.join("regression.sql");
    let packed = needs::need("shared", File::open(packed).map_err(|e| format!("{NAME}: {e}")))?;
    let mut from = flate2::read::MultiGzDecoder::new(packed);
    io::copy(&mut from, &mut File::create(&script).unwrap()).unwrap();
    Ok(script)
}

/// A database of what a server takes of it. One without ICU, or without a role, or an older one, has something to say about the rest;
/// what is there afterwards is what counts.
fn loaded<'a>(server: &'a Server, dir: &Path) -> Needed<Database<'a>> {
    let script = script(dir)?;
    let database = server.database("regression");
    output(server.psql_command(database.name()).args(["-v", "ON_ERROR_STOP=0", "-f"]).arg(script));
    Ok(database)
}

/// The archive of what is in the database now, by pg_dump.
fn dump(database: &Database<'_>, path: &Path) {
    run(database.tool(REFERENCE, "pg_dump").args(["-Fc", "--statistics", "-f"]).arg(path));
}

#[test]
fn archive_is_pg_dump_s_and_comes_back_as_pg_restore_brings_it() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let origin = needed!(loaded(server, dir.path()));
    output(server.psql_command(origin.name()).args(["-c", "ANALYZE"]));
    let (reference, ours) = (file("reference"), file("ours"));
    dump(&origin, &reference);
    origin.backup(&ours, &["--owner", "--acl", "--statistics", "--archive-version", "1.16"]);
    archive::assert_same(NAME, &reference, &ours, Rows::InOrder);
    archive::assert_same_independently(NAME, &reference, &ours, Rows::InOrder);
    assert!(archive::read(&ours).unwrap().entries.len() > 3500);
    scripts::same_under_all_options(&reference);
    same_under_its_sets(Subject::Gauntlet, NAME, &origin);

    for options in OPTIONS {
        let (reference, ours) = (file("part"), file("our part"));
        run(origin.tool(REFERENCE, "pg_dump").arg("-Fc").args(*options).arg("-f").arg(&reference));
        origin.backup(&ours, &[&["--force", "--acl", "--archive-version", "1.16"], *options].concat());
        archive::assert_same(&format!("{NAME}, {options:?}"), &reference, &ours, Rows::InOrder);
    }

    // pg_restore itself does not bring everything back; lifeboat's archive gives it no more trouble than pg_dump's.
    let errors = |text: &str| {
        text.lines().filter(|l| l.contains("error: could not execute")).map(str::to_owned).collect::<Vec<_>>()
    };
    let (expected, by_pg_restore, by_lifeboat) = (file("expected"), file("by_pg_restore"), file("by_lifeboat"));
    let restored = server.database("regression");
    let usual = restored.pg_restore(REFERENCE, &[], &reference);
    dump(&restored, &expected);
    drop(restored);
    let restored = server.database("regression");
    let out = restored.pg_restore(REFERENCE, &[], &ours);
    assert_eq!(errors(&out.stderr()), errors(&usual.stderr()));
    dump(&restored, &by_pg_restore);
    archive::assert_same("after pg_restore", &expected, &by_pg_restore, Rows::AnyOrder);
    drop(restored);

    let restored = server.database("regression");
    let out = restored.try_restore(&ours, &["--owner", "--acl"]);
    assert!([0, 3].contains(&out.code()), "{out}");
    dump(&restored, &by_lifeboat);
    archive::assert_same(&format!("after our restore, which said {out}"), &expected, &by_lifeboat, Rows::AnyOrder);

    // Over itself.
    let copy = server.database_from("regression", restored.name());
    again::no_more_errors_than_pg_restore(&reference, &copy, &restored, "postgres");
}

/// The same database on a server that is newer than it: the archive is that of the server's own pg_dump.
#[test]
fn archive_on_19_is_that_of_its_pg_dump() {
    let server = needed!(Server::get(19));
    let dir = tempfile::tempdir().unwrap();
    let origin = needed!(loaded(server, dir.path()));
    output(server.psql_command(origin.name()).args(["-c", "ANALYZE"]));
    let (reference, ours) = (dir.path().join("reference"), dir.path().join("ours"));
    dump(&origin, &reference);
    let out = origin.backup(&ours, &["--owner", "--acl", "--statistics", "--archive-version", "1.16"]);
    assert!(!out.stderr().contains("newest that this lifeboat knows"), "{out}");
    archive::assert_same(NAME, &reference, &ours, Rows::InOrder);
    archive::assert_same_independently(NAME, &reference, &ours, Rows::InOrder);
    assert!(archive::read(&ours).unwrap().entries.len() > 3500);
}

fn plain_output_is_pg_dump_s(major: u32) {
    let server = needed!(Server::get(major));
    let dir = tempfile::tempdir().unwrap();
    let origin = needed!(loaded(server, dir.path()));
    // A word that the tools of these majors do not quote, and that of 18 does.
    origin.sql("ALTER TABLE tab_core_types RENAME json TO jason");
    assert!(origin.sql("SELECT count(*) FROM pg_class WHERE oid >= 16384").parse::<u32>().unwrap() > 1500);
    same_under_its_sets(Subject::Gauntlet, NAME, &origin);
}

// On 18 it is a part of the first test.
tests! { plain_output_is_pg_dump_s:
    plain_output_is_pg_dump_s_on_14(14)
    plain_output_is_pg_dump_s_on_15(15)
    plain_output_is_pg_dump_s_on_16(16)
    plain_output_is_pg_dump_s_on_17(17)
}
