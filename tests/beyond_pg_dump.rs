//! What pg_dump leaves out without a word, and lifeboat does not.

use crate::support::{Server, archive, lifeboat, run};

#[test]
fn comments_on_system_columns_are_dumped_and_restored() {
    for server in Server::all() {
        let database = server.database("system_columns");
        database.psql("CREATE TABLE t (a integer); COMMENT ON COLUMN t.ctid IS 'where it lies'");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        run(lifeboat().args(["backup", "--url", &database.url(), "--output"]).arg(&path));
        let archive = archive::read(&path).unwrap();
        assert!(archive.entries.iter().any(|e| e.tag.as_deref() == Some(b"COLUMN t.ctid")), "on {}", server.major());

        let copy = server.database("system_columns_copy");
        run(lifeboat().args(["restore", "--force", "--url", &copy.url()]).arg(&path));
        let comment = copy.psql("SELECT pg_catalog.col_description('t'::regclass, -1)");
        assert_eq!(comment.trim(), "where it lies", "on {}", server.major());
    }
}
