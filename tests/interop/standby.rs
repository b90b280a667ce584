//! Backups from a hot standby, which spare the primary: it is read-only, has no rows of unlogged tables, and cancels
//! queries that are in the way of what the primary sends.

use crate::support::archive::{Data, Rows};
use crate::support::{Options, REFERENCE, Server, archive, lifeboat, run};

#[test]
fn standby_is_backed_up_without_the_rows_that_it_does_not_have() {
    for major in [14, REFERENCE] {
        let Some(primary) = Server::with(major, &Options::default()) else { continue };
        let database = primary.database("standby");
        database.psql(
            "CREATE TABLE t AS SELECT a, md5(a::text) AS m FROM generate_series(1, 1000) AS a;
             CREATE UNLOGGED TABLE fleeting AS SELECT 4242 AS a;
             CREATE SEQUENCE s START 17; CREATE UNLOGGED TABLE keyed (id serial);
             CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM t;
             SELECT lo_from_bytea(0, 'large')",
        );
        let Some(standby) = primary.standby() else { continue };
        standby.catch_up(&primary);
        let dir = tempfile::tempdir().unwrap();
        let (reference, ours) = (dir.path().join("reference"), dir.path().join("ours"));
        let mut pg_dump = crate::support::pg_tool(REFERENCE, "pg_dump");
        standby.address(&mut pg_dump, database.name());
        run(pg_dump.args(["-Fc", "-f"]).arg(&reference));
        let url = format!("postgresql://postgres@127.0.0.1:{}/{}", standby.port(), database.name());
        for jobs in ["1", "3"] {
            let mut backup = lifeboat();
            backup.args(["backup", "--force", "--acl", "--archive-version", "1.16", "--jobs", jobs, "--url", &url]);
            run(backup.arg("--output").arg(&ours));
            archive::assert_same(&format!("a standby of {major}"), &reference, &ours, Rows::InOrder);
        }
        let archive = archive::read(&ours).unwrap();
        let has =
            |row: &[u8]| archive.data.values().any(|data| matches!(data, Data::Table(rows) if rows.starts_with(row)));
        assert!(has(b"1\t") && !has(b"4242"), "on {major}");
    }
}
