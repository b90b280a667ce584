//! Backups from a hot standby, which spare the primary: it is read-only, has no rows of unlogged tables, and cancels
//! queries that are in the way of what the primary sends.

use std::path::Path;

use crate::support::archive::{Data, Rows};
use crate::support::{Options, REFERENCE, Server, archive, lifeboat, output, run, verbs};

#[test]
fn standby_is_backed_up_without_the_rows_that_it_does_not_have() {
    for major in [14, REFERENCE] {
        let Ok(primary) = Server::with(major, &Options::default()) else { continue };
        let database = primary.database("standby");
        database.sql(
            "CREATE TABLE t AS SELECT a, md5(a::text) AS m FROM generate_series(1, 1000) AS a;
             CREATE UNLOGGED TABLE fleeting AS SELECT 4242 AS a;
             CREATE SEQUENCE s START 17; CREATE UNLOGGED TABLE keyed (id serial);
             CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM t;
             SELECT lo_from_bytea(0, 'large')",
        );
        let Ok(standby) = primary.standby() else { continue };
        standby.catch_up(&primary);
        let dir = tempfile::tempdir().unwrap();
        let (reference, ours) = (dir.path().join("reference"), dir.path().join("ours"));
        let mut pg_dump = crate::support::pg_tool(REFERENCE, "pg_dump");
        standby.address(&mut pg_dump, database.name());
        run(pg_dump.args(["-Fc", "-f"]).arg(&reference));
        let url = format!("postgresql://postgres@127.0.0.1:{}/{}", standby.port(), database.name());
        for jobs in ["1", "3"] {
            run(&mut verbs::backup(&url, &ours, &["--force", "--acl", "--archive-version", "1.16", "--jobs", jobs]));
            archive::assert_same(&format!("a standby of {major}"), &reference, &ours, Rows::InOrder);
        }
        let archive = archive::read(&ours).unwrap();
        let has =
            |row: &[u8]| archive.data.values().any(|data| matches!(data, Data::Table(rows) if rows.starts_with(row)));
        assert!(has(b"1\t") && !has(b"4242"), "on {major}");
        nothing_is_written_to(&url, &ours);
        what_it_is_is_told(&url);
    }
}

/// A check says what it is, and rows are counted but for those that it does not have.
fn what_it_is_is_told(url: &str) {
    let out = run(lifeboat().args(["check", "--url", url]));
    assert!(out.stdout().contains(", a standby, ") && out.stdout().contains("note     standby: "), "{out}");
    let out = run(lifeboat().args(["status", "--exact", "--url", url]));
    assert!(out.stdout().contains("1000  "), "{out}");
    assert!(
        out.stdout().contains("public.fleeting (rows not known: it is unlogged, and a standby has no rows of it)"),
        "{out}"
    );
}

/// It is said once, before anything is done, and not by an error an entry.
fn nothing_is_written_to(url: &str, archive: &Path) {
    let archive = archive.to_str().unwrap();
    for args in [
        &["restore", archive, "--force"][..],
        &["restore", archive, "--force", "--no-verify", "--jobs", "3"],
        &["restore", archive, "--force", "--create"],
        &["restore", archive],
        &["drill"],
    ] {
        let out = output(lifeboat().args(args).args(["--url", url]));
        assert_eq!(out.code(), 4, "{args:?}: {out}");
        let said = out.stderr();
        assert!(said.contains("the server is a standby, or is being recovered: it can only be read"), "{out}");
        assert!(said.contains("hint: nothing was changed: give the address of the primary server"), "{out}");
        let lines: Vec<&str> = said.lines().filter(|line| !line.contains("drill with database")).collect();
        assert_eq!(lines.len(), 2, "{args:?}: {out}");
        let as_json = output(lifeboat().args(args).args(["--json", "--url", url]));
        let answer = as_json.json();
        assert_eq!(answer["error"]["kind"], "refused", "{answer}");
    }
    let out = run(lifeboat().args(["restore", archive, "--dry-run", "--url", url]));
    assert!(out.stdout().contains("dry run: nothing was changed"), "{out}");
    assert!(out.stderr().contains("it is a standby, which can only be read: a restore into it is refused"), "{out}");
}

/// What a database, a role or the server has by default is overridden; who cannot be let in is told why.
#[test]
fn what_is_read_only_by_default_is_written_all_the_same() {
    let server = needed!(Server::get(REFERENCE));
    let (origin, target) = (server.database("origin"), server.database("target"));
    origin.sql("CREATE TABLE t AS SELECT 1 AS a");
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    origin.backup(&archive, &[]);
    server.sql("postgres", &format!("ALTER DATABASE {} SET default_transaction_read_only = on", target.name()));
    let restore = || verbs::restore(&target.url(), &archive, &[]);
    run(&mut restore());
    assert_eq!(target.sql("SELECT a FROM t").trim(), "1");
    server.sql("postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", target.name()));
    let out = output(&mut restore());
    server.sql("postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", target.name()));
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("hint: nobody may connect to it (datallowconn)"), "{out}");
}
