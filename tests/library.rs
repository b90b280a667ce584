//! The library, as a program that embeds it meets it: the examples do what they say.

use std::process::Command;

use crate::support::{Output, REFERENCE, Server, output};

/// Runs the example of that name.
fn example(name: &str, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["run", "--quiet", "--locked", "--example", name, "--"]);
    output(command.args(arguments.iter().map(AsRef::as_ref)))
}

#[test]
fn a_postgresql_database_goes_there_and_back() {
    let server = needed!(Server::get(REFERENCE));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.dump");
    let (origin, target) = (server.database("library"), server.database("library"));
    origin.sql("CREATE TABLE orders AS SELECT generate_series(1, 100) AS id");
    target.sql("CREATE TABLE orders (id integer)");
    let size = example("backup", &[&origin.url(), &file]);
    assert_eq!(size.stdout(), format!("{} bytes\n", file.metadata().unwrap().len()), "{size}");
    let entries = example("list", &[&file]);
    assert!(entries.stdout().contains("TABLE DATA public.orders\n"), "{entries}");
    assert!(example("verify", &[&file]).success());
    let restored = example("restore", &[&file, &target.url()]);
    assert!(restored.success() && restored.stdout().ends_with(" 100 rows\n"), "{restored}");
    assert_eq!(target.sql("SELECT count(*), sum(id) FROM orders"), "100|5050");

    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() - 40;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    for out in [example("verify", &[&file]), example("restore", &[&file, &target.url()])] {
        assert!(!out.success() && out.stderr().contains("orders"), "{out}");
    }
    assert_eq!(target.sql("SELECT count(*) FROM orders"), "100");
}

#[test]
fn a_sqlite_database_is_had_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("app.db");
    let made = "CREATE TABLE t (a); INSERT INTO t VALUES (1), ('two'), (x'03')";
    rusqlite::Connection::open(&database).unwrap().execute_batch(made).unwrap();
    let out = example("drill", &[&database, &folder.path()]);
    assert!(out.success(), "{out}");
    assert!(folder.path().join("backup.db").exists() && folder.path().join("restored.db").exists());
}
