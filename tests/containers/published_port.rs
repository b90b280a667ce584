//! A server in a container, as `docker exec` and published ports meet it: a password over SCRAM, another machine's name.

use std::process::Command;
use std::time::Duration;

use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::SyncRunner;
use testcontainers::{GenericImage, ImageExt};

use crate::support::archive::Rows;
use crate::support::container::{IMAGE, available};
use crate::support::process::isolate;
use crate::support::{REFERENCE, archive, lifeboat, needs, pg_tool, run, verbs};

const PASSWORD: &str = "p@ss:word/%";

#[test]
fn round_trip_through_a_published_port() {
    needed!(needs::need("docker", available()));
    let container = GenericImage::new(IMAGE.0, IMAGE.1)
        .with_exposed_port(5432.tcp())
        .with_wait_for(WaitFor::message_on_stderr("database system is ready to accept connections"))
        .with_env_var("POSTGRES_PASSWORD", PASSWORD)
        .with_startup_timeout(Duration::from_secs(120))
        .start()
        .unwrap();
    let host = container.get_host().unwrap().to_string();
    let port = container.get_host_port_ipv4(5432.tcp()).unwrap().to_string();
    let client = |name: &str, database: &str| -> Command {
        let mut command = pg_tool(REFERENCE, name);
        isolate(&mut command).args(["-h", &host, "-p", &port, "-U", "postgres", "-d", database]);
        command.env("PGPASSWORD", PASSWORD);
        command
    };
    let sql = |database: &str, sql: &str| {
        run(client("psql", database).args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql])).stdout()
    };

    sql("postgres", "CREATE DATABASE origin");
    sql("postgres", "CREATE DATABASE target");
    sql("origin", "CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 1000) g");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    run(client("pg_dump", "origin").arg("-Fc").arg("-f").arg(&path));
    let sum = "SELECT count(*), sum(a), md5(string_agg(b, ',' ORDER BY a)) FROM t";
    let out = crate::support::output(client("pg_restore", "target").arg(&path));
    assert!(out.stderr().contains("errors ignored on restore: 1") || out.success(), "{out}");
    assert_eq!(sql("origin", sum), sql("target", sum));

    // lifeboat, with the password in the URL, percent-encoded, and then in the environment.
    let ours = dir.path().join("ours");
    let url = |database: &str, login: &str| format!("postgresql://postgres{login}@{host}:{port}/{database}");
    let login = ":p%40ss%3Aword%2F%25";
    run(&mut verbs::backup(&url("origin", login), &ours, &[]));
    sql("target", "DELETE FROM t WHERE a % 3 = 0; ALTER TABLE t ADD COLUMN more integer");
    let restore = |options: &[&str]| {
        let mut command = lifeboat();
        command.env("PGPASSWORD", PASSWORD).args(["restore", "--force", "--url", &url("target", "")]).arg(&ours);
        crate::support::output(command.args(options))
    };
    let out = restore(&[]);
    assert!(out.code() == 4 && out.stderr().contains("COLUMN public.t more"), "{out}");
    let out = restore(&["--drop-dependents"]);
    assert!(out.success(), "{out}");
    assert_eq!(sql("origin", sum), sql("target", sum));
    assert_eq!(sql("target", "SELECT count(*) FROM information_schema.columns WHERE table_name = 't'"), "2\n");
    // And real pg_restore reads lifeboat's archive.
    sql("postgres", "CREATE DATABASE third");
    let out = crate::support::output(client("pg_restore", "third").arg(&ours));
    assert!(out.stderr().contains("errors ignored on restore: 1") || out.success(), "{out}");
    assert_eq!(sql("origin", sum), sql("third", sum));

    // Debian builds its servers with ICU.
    let icu = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk'";
    sql("postgres", &format!("CREATE DATABASE icu {icu}"));
    sql("postgres", &format!("CREATE DATABASE icu_again {icu}"));
    sql(
        "icu",
        "CREATE COLLATION loose (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
         CREATE TABLE t (a text COLLATE loose UNIQUE, b text); INSERT INTO t VALUES ('Ä', 'Ärger'), ('b', 'Zahl')",
    );
    let (reference, ours, again) = (dir.path().join("icu"), dir.path().join("icu_ours"), dir.path().join("icu_again"));
    run(client("pg_dump", "icu").args(["-Fc", "-f"]).arg(&reference));
    let options = ["backup", "--owner", "--acl", "--archive-version", "1.16", "--url", &url("icu", login), "--output"];
    run(lifeboat().args(options).arg(&ours));
    archive::assert_same("a database with ICU", &reference, &ours, Rows::InOrder);
    run(lifeboat().args(["restore", "--force", "--owner", "--acl", "--url", &url("icu_again", login)]).arg(&ours));
    run(client("pg_dump", "icu_again").args(["-Fc", "-f"]).arg(&again));
    archive::assert_same("the restored database with ICU", &reference, &again, Rows::AnyOrder);

    let out = crate::support::output(&mut verbs::backup(&url("origin", ":wrong"), &dir.path().join("none"), &[]));
    assert!(out.code() == 1 && out.stderr().contains("password authentication failed"), "{out}");
}
