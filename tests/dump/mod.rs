//! What pg_dump can be told on how to read and how to write, and the library as well: the same archives come of it.

mod encodings;
mod snapshots;
mod style;

use std::fs::File;
use std::path::Path;

use bstr::BString;
use lifeboat::postgres::dump::{DumpOptions, Sink, backup};
use lifeboat::{Environment, Result, Silent, recognise};
use pgformat::Version;

use crate::support::archive::{self, Rows};
use crate::support::{Database, REFERENCE, run};

/// What the library is asked for.
type Asked<'a> = &'a dyn Fn(DumpOptions) -> DumpOptions;

/// The library's backup of a database.
fn ours(database: &Database<'_>, asked: Asked<'_>, path: &Path) -> Result<()> {
    let lifeboat::Database::Postgres(target) = recognise(database.url().as_bytes(), &Environment::default()).unwrap()
    else {
        panic!("not PostgreSQL")
    };
    let options = asked(DumpOptions::default().archive_version(Some(Version::V1_16)));
    let mut file = File::create(path).unwrap();
    backup(&|| target.connect(), &options, Sink::Seekable(&mut file), &Silent).map(|_| ())
}

/// How our backup, as it is asked for, differs from pg_dump's with these arguments.
fn differences(database: &Database<'_>, arguments: &[&str], asked: Asked<'_>) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let (theirs, own) = (dir.path().join("theirs"), dir.path().join("ours"));
    run(database.tool(REFERENCE, "pg_dump").arg("-Fc").args(arguments).arg("-f").arg(&theirs));
    ours(database, asked, &own).unwrap();
    archive::differences(&archive::read(&theirs).unwrap(), &archive::read(&own).unwrap(), Rows::InOrder)
}

fn assert_same(what: &str, database: &Database<'_>, arguments: &[&str], asked: Asked<'_>) {
    let found = differences(database, arguments, asked);
    assert!(found.is_empty(), "{what}, {arguments:?} on {}:\n{}", database.server().major(), found.join("\n"));
}

fn text(text: &str) -> Option<BString> {
    Some(text.into())
}
