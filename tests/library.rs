//! The library, as a program that embeds it meets it: the examples do what they say.

use crate::support::{REFERENCE, Server};

macro_rules! examples {
    ($($name:ident $path:literal)*) => { $(#[allow(dead_code)] #[path = $path] mod $name;)* };
}

examples! {
    backup "../examples/backup.rs"
    restore "../examples/restore.rs"
    list "../examples/list.rs"
    verify "../examples/verify.rs"
    drill "../examples/drill.rs"
}

#[test]
fn a_postgresql_database_goes_there_and_back() {
    let server = needed!(Server::get(REFERENCE));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.dump");
    let (origin, target) = (server.database("library"), server.database("library"));
    origin.psql("CREATE TABLE orders AS SELECT generate_series(1, 100) AS id");
    target.psql("CREATE TABLE orders (id integer)");
    assert_eq!(backup::back_up(&origin.url(), &file).unwrap(), file.metadata().unwrap().len());
    assert!(list::list(&file).unwrap().contains(&"TABLE DATA public.orders".to_owned()));
    assert!(verify::verify(&file).unwrap().is_empty());
    let summary = restore::restore(&file, &target.url()).unwrap();
    assert!(summary.is_complete() && summary.rows == 100, "{summary:?}");
    assert_eq!(target.psql("SELECT count(*), sum(id) FROM orders"), "100|5050");

    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() - 40;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert!(!verify::verify(&file).unwrap().is_empty());
    assert!(restore::restore(&file, &target.url()).is_err());
    assert_eq!(target.psql("SELECT count(*) FROM orders"), "100");
}

#[test]
fn a_sqlite_database_goes_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("app.db");
    let made = "CREATE TABLE t (a); INSERT INTO t VALUES (1), ('two'), (x'03')";
    rusqlite::Connection::open(&database).unwrap().execute_batch(made).unwrap();
    assert!(drill::drill(&database, folder.path()).unwrap());
    let file = folder.path().join("again.db");
    let size = backup::back_up(&format!("sqlite:///{}", database.display()), &file).unwrap();
    assert_eq!(size, file.metadata().unwrap().len());
}
