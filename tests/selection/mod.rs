//! What a selection takes along and what it leaves out: for every set of options the same as pg_dump. The oldest and the
//! newest major get all sets, those between them a quarter each.

mod refused;
mod roles;

use std::path::{Path, PathBuf};

use crate::support::archive::{Data, Rows};
use crate::support::{Database, REFERENCE, Server, archive, run};

/// Sets of options, as pg_dump and lifeboat take them.
const OPTIONS: &[&[&str]] = &[
    &["-s"],
    &["-a"],
    &["--no-schema"],
    &["--no-data"],
    &["-s", "--sequence-data"],
    &["--section=pre-data"],
    &["--section=data"],
    &["--section=post-data"],
    &["--section=pre-data", "--section=post-data"],
    &["--no-comments", "--no-policies", "--no-publications", "--no-subscriptions", "--no-security-labels"],
    &["--no-toast-compression", "--no-unlogged-table-data"],
    &["--load-via-partition-root"],
    &["--statistics-only", "-n", "a*"],
    &["--statistics", "--no-data", "-t", "audit.log_2026", "-t", "app.people"],
    &["--statistics", "--section=post-data", "-T", "app.people"],
    &["-B"],
    &["-n", "app"],
    &["-n", "app", "-n", "audit", "-b"],
    &["-n", "public"],
    &["-n", "\"Odd.Schema\""],
    &["-n", "a*"],
    &["-n", "\"Odd?Schema\"", "-n", "app"],
    &["-n", "app", "-N", "app"],
    &["-n", "app", "-T", "app.people", "--section=data"],
    &["-N", "app"],
    &["-N", "a*", "-N", "public"],
    &["-t", "app.people"],
    &["-t", "app.people", "-s"],
    &["-t", "app.people", "-a"],
    &["-t", "app.identified", "-b"],
    &["-t", "app.*"],
    &["-t", "*.log*"],
    &["-t", "t1", "-t", "\"T*\""],
    &["-t", "T*"],
    &["-t", "\"Odd.Schema\".\"Odd.Table\""],
    &["-t", "\"Odd.Schema\".odd$table"],
    &["-t", "app.(moods|people)"],
    &["-t", "audit.log"],
    &["-t", "app.log_2026"],
    &["-t", "app.free_sequence"],
    &["-t", "app.people_id_seq"],
    &["-t", "app.owned_too"],
    &["-t", "app.child"],
    &["-t", "app.moods", "-t", "audit.counted"],
    &["-t", "pg_class", "-t", "pg_database", "-s"],
    &["-t", "app.*", "-n", "audit"],
    &["-t", "app.*", "-N", "app"],
    &["--table-and-children", "audit.log"],
    &["--table-and-children", "audit.parent", "--exclude-table-and-children", "app.child"],
    &["-T", "app.people"],
    &["-T", "app.people_id_seq"],
    &["-T", "*.log*", "-T", "t1"],
    &["--exclude-table-and-children", "audit.log"],
    &["--exclude-table-data", "app.*"],
    &["--exclude-table-data-and-children", "audit.log", "--exclude-table-data-and-children", "audit.parent"],
    &["-e", "hstore"],
    &["-e", "*", "-n", "app"],
    &["--exclude-extension", "hstore"],
    &["--include-foreign-data", "files"],
    &["--include-foreign-data", "*", "-t", "app.lines"],
    &["-a", "--include-foreign-data", "other_files"],
];

/// Filter files, beside which there may be options.
const FILTERS: &[(&str, &[&str])] = &[
    ("# nothing\n\n", &[]),
    ("include table app.people # and its family\ninclude table_and_children \"audit\" . log\n", &[]),
    ("include schema app\nexclude table app.people\nexclude table_data \"app\".\"log_2026\"\n", &["-s"]),
    ("exclude schema audit\nexclude table_and_children audit.parent\nexclude table_data_and_children \"T*\"", &[]),
    ("include extension hstore\n", &[]),
    ("exclude extension *\ninclude foreign_data files\n", &["-N", "audit"]),
    ("include table \"Odd.Schema\".\"Odd.Table\"\r\n  INCLUDE Table t?\n", &[]),
];

/// A database made by `sample.sql`.
fn sample(server: &Server) -> Database<'_> {
    let database = server.database("selection");
    database.load("tests/selection/sample.sql");
    database
}

/// The backup of `database` with these options, in `dir`.
fn backup(database: &Database<'_>, options: &[&str], dir: &Path) -> PathBuf {
    let path = dir.join("ours");
    database.backup(&path, &[&["--force", "--acl", "--archive-version", "1.16"], options].concat());
    path
}

/// What is dumped with these options, by pg_dump and by us; the same it must be.
fn assert_same(database: &Database<'_>, options: &[&str], dir: &Path) {
    let reference = dir.join("reference");
    run(database.tool(REFERENCE, "pg_dump").arg("-Fc").args(options).arg("-f").arg(&reference));
    let ours = backup(database, options, dir);
    let what = format!("{options:?} on {}", database.server().major());
    archive::assert_same(&what, &reference, &ours, Rows::InOrder);
}

fn check(major: u32) {
    let server = needed!(Server::get(major));
    let dir = tempfile::tempdir().unwrap();
    let database = sample(server);
    let is_between = ![13, REFERENCE].contains(&major);
    for (n, options) in OPTIONS.iter().enumerate() {
        if is_between && n % 4 != major as usize % 4 {
            continue;
        }
        assert_same(&database, options, dir.path());
    }
    let filter = dir.path().join("filter");
    for (text, options) in FILTERS {
        std::fs::write(&filter, text).unwrap();
        let mut options = options.to_vec();
        options.extend(["--filter", filter.to_str().unwrap()]);
        assert_same(&database, &options, dir.path());
    }
}

tests! { check:
    same_as_pg_dump_on_13(13)
    same_as_pg_dump_on_14(14)
    same_as_pg_dump_on_15(15)
    same_as_pg_dump_on_16(16)
    same_as_pg_dump_on_17(17)
    same_as_pg_dump_on_18(18)
    same_as_pg_dump_on_19(19)
}

/// A restore of data alone works where no foreign keys point in a circle: what is referred to comes first.
#[test]
fn data_alone_comes_in_the_order_of_foreign_keys() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let database = sample(server);
    let tables = ["-t", "public.*_first", "-t", "m_middle", "-t", "a_last"];
    let definitions = dir.path().join("definitions");
    database.pg_dump(REFERENCE, &[&["-s"], tables.as_slice()].concat(), &definitions);
    let path = backup(&database, &[&["-a"], tables.as_slice()].concat(), dir.path());
    let target = server.database("selection");
    assert!(target.pg_restore(REFERENCE, &[], &definitions).success());
    let out = target.pg_restore(REFERENCE, &["--single-transaction"], &path);
    assert!(out.success(), "{out}");
    assert_eq!(target.sql("SELECT count(*) FROM a_last NATURAL JOIN m_middle"), "1");
}

/// Keys in a circle have no such order; that is told, with the tables.
#[test]
fn circle_of_foreign_keys_is_told_where_it_matters() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let database = sample(server);
    let told = |options: &[&str]| {
        let out = database.try_backup(&dir.path().join("circle"), &[&["--force"], options].concat());
        assert!(out.success(), "{out}");
        out.stderr()
    };
    let alone = told(&["-a"]);
    assert!(alone.contains("\"round_1\"") && alone.contains("\"round_2\"") && alone.contains("circle"), "{alone}");
    assert!(!told(&[]).contains("circle"));
}

#[test]
fn rows_of_foreign_tables_are_read_only_where_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = sample(server);
        let rows = |options: &[&str]| {
            let archive = archive::read(&backup(&database, options, dir.path())).unwrap();
            let is_lines = |data: &&Data| matches!(data, Data::Table(rows) if rows.starts_with(b"1\tone\n2\ttwo\n"));
            archive.data.values().filter(is_lines).count()
        };
        assert_eq!(rows(&[]), 0, "on {}", server.major());
        assert_eq!(rows(&["--include-foreign-data", "f*"]), 1, "on {}", server.major());
        assert_eq!(rows(&["--include-foreign-data", "files", "--jobs", "3"]), 1, "on {}", server.major());
    }
}
