//! Restoring archives of real pg_dump, through the library: what a database is afterwards, and what is said about what
//! could not be restored.

pub mod again;
mod applications;
mod data;
mod default_privileges;
mod definers;
mod dependents;
mod dry_run;
mod extension_additions;
mod extension_rows;
mod failures;
mod interrupted;
mod large_objects;
mod locks;
mod managed;
mod newer;
mod notices;
mod options;
mod parallel;
mod psql_commands;
mod random;
pub mod scripts;
mod stopping;
mod subscriptions;
mod verified;
mod versions;

use std::fs::File;
use std::path::Path;

use lifeboat::Silent;
use lifeboat::connect::{self, Environment};
use lifeboat::postgres::restore::{RestoreOptions, RestoreSummary, restore};
use lifeboat::wire::Connection;
use pgformat::{Compression, Entry, Header, Reader, Version, Writer};

use crate::support::server::SUPERUSER;
use crate::support::{Database, Server};

/// What a restore is told in these tests, where they do not say otherwise.
fn forced() -> RestoreOptions {
    RestoreOptions::default().force(true)
}

fn with_owners() -> RestoreOptions {
    forced().owner(true).acl(true)
}

pub fn connection(url: &str) -> Connection {
    match connect::recognise(url.as_bytes(), &Environment::empty()).unwrap() {
        connect::Database::Postgres(target) => target.connect().unwrap(),
        _ => unreachable!(),
    }
}

/// Restores the archive at `path` into `database`.
fn restore_into(database: &Database<'_>, path: &Path, options: &RestoreOptions) -> lifeboat::Result<RestoreSummary> {
    restore_as(database, SUPERUSER, path, options)
}

/// As [`restore_into`], as another user than the superuser.
fn restore_as(
    database: &Database<'_>,
    user: &str,
    path: &Path,
    options: &RestoreOptions,
) -> lifeboat::Result<RestoreSummary> {
    let mut archive = Reader::seekable(File::open(path).unwrap()).unwrap();
    restore(&mut connection(&database.url_as(user)), &mut archive, options, &Silent)
}

/// As [`restore_into`], from a pipe.
fn restore_from_pipe(
    database: &Database<'_>,
    path: &Path,
    options: &RestoreOptions,
) -> lifeboat::Result<RestoreSummary> {
    let mut archive = Reader::new(File::open(path).unwrap()).unwrap();
    restore(&mut connection(&database.url()), &mut archive, options, &Silent)
}

/// Restores, and fails the test if anything is missing.
fn restore_all(database: &Database<'_>, path: &Path, options: &RestoreOptions) -> RestoreSummary {
    let summary = restore_into(database, path, options).unwrap();
    assert!(summary.is_complete(), "{summary:#?}");
    summary
}

/// An archive of what a test made up, without data.
fn archive_of(entries: Vec<Entry>) -> Vec<u8> {
    Writer::new(Vec::new(), Header::new(Version::V1_14, Compression::None), entries).unwrap().finish().unwrap()
}

/// A database with what is in `sample.sql`.
fn sample<'a>(server: &'a Server) -> Database<'a> {
    let database = server.database("sample");
    database.load("tests/restore/sample.sql");
    database
}
