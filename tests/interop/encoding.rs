//! A database that talks to its clients in an encoding which cannot express all that is in it.

use crate::support::archive::Rows;
use crate::support::{REFERENCE, Server, archive, lifeboat, output, run};

#[test]
fn archive_is_in_the_database_s_own_encoding() {
    for server in Server::all() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        let database = server.database("encoding");
        database.sql(
            "CREATE TABLE \"größer\" (a text DEFAULT 'ä', \"列\" text);
             INSERT INTO \"größer\" VALUES ('ö', '日本語'); COMMENT ON TABLE \"größer\" IS '日本語テキスト';",
        );
        let name = database.name();
        server.sql("postgres", &format!("ALTER DATABASE {name} SET client_encoding = 'LATIN1'"));
        // pg_dump gives up; with the right encoding it makes the archive that lifeboat's is held against.
        assert!(!output(database.tool(REFERENCE, "pg_dump").arg("-Fc").arg("-f").arg(file("none"))).success());
        run(database.tool(REFERENCE, "pg_dump").args(["-Fc", "-E", "UTF8", "-f"]).arg(file("reference")));
        let options = ["--owner", "--acl", "--archive-version", "1.16", "--output"];
        run(lifeboat().args(["backup", "--url", &database.url()]).args(options).arg(file("ours")));
        archive::assert_same("the archive", &file("reference"), &file("ours"), Rows::InOrder);

        let restored = server.database("encoding");
        restored.restore(&file("ours"), &["--owner", "--acl"]);
        restored.assert_is("the restored database", &file("reference"));
    }
}
