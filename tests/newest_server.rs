//! What PostgreSQL 19 changed for those who log in, and for archives of older servers. What it has that is new is among the
//! cases of `objects/`; docs/POSTGRESQL_19.md has all of it.

use std::fs;
use std::path::Path;

use crate::support::server::PASSWORD;
use crate::support::wait::wait_until;
use crate::support::{Options, Server, lifeboat, output, run, verbs};

const MAJOR: u32 = 19;

/// Who only hears of it from a backup that fails has no backup.
#[test]
fn what_the_server_warns_of_at_login_is_told_once() {
    let hba = "host all by_md5 127.0.0.1/32 md5\nhost all all 127.0.0.1/32 scram-sha-256".to_owned();
    let server = needed!(Server::with(MAJOR, &Options { hba, ..Options::default() }));
    let password = PASSWORD.replace('\'', "''");
    server.sql(
        "postgres",
        &format!(
            "SET password_encryption = 'scram-sha-256'; CREATE ROLE by_soon SUPERUSER LOGIN PASSWORD '{password}';
             CREATE ROLE by_never SUPERUSER LOGIN PASSWORD '{password}';
             SET password_encryption = 'md5'; CREATE ROLE by_md5 SUPERUSER LOGIN PASSWORD '{password}'"
        ),
    );
    server.sql("postgres", "DO $$ BEGIN EXECUTE format('ALTER ROLE by_soon VALID UNTIL %L', now() + '2 days'); END $$");
    let database = server.database("warned");
    database.sql("CREATE TABLE t AS SELECT generate_series(1, 3) AS a");
    let dir = tempfile::tempdir().unwrap();
    for (user, warning) in [
        ("by_soon", Some("role password will expire soon")),
        ("by_md5", Some("authenticated with an MD5-encrypted password")),
        ("by_never", None),
    ] {
        let url = format!("postgresql://{user}@127.0.0.1:{}/{}", server.port(), database.name());
        let archive = dir.path().join(user);
        let backup = run(lifeboat()
            .env("PGPASSWORD", PASSWORD)
            .args(["backup", "--jobs", "3", "--url", &url, "--output"])
            .arg(&archive));
        let restore = run(lifeboat()
            .env("PGPASSWORD", PASSWORD)
            .args(["restore", "--force", "--jobs", "2", "--url", &url])
            .arg(&archive));
        // Another connection, to the database that is made.
        let elsewhere = server.database("elsewhere");
        server.sql("postgres", &format!("DROP DATABASE {}", database.name()));
        let create = run(lifeboat()
            .env("PGPASSWORD", PASSWORD)
            .args(["restore", "--force", "--create", "--url"])
            .arg(format!("postgresql://{user}@127.0.0.1:{}/{}", server.port(), elsewhere.name()))
            .arg(&archive));
        for said in [backup.stderr(), restore.stderr(), create.stderr()] {
            let lines: Vec<&str> = said.lines().collect();
            match warning {
                Some(warning) => {
                    assert!(lines.len() == 1 && lines[0].starts_with("lifeboat: warning: the server: "), "{said}");
                    assert!(lines[0].contains(warning) && lines[0].contains("; detail: "), "{said}");
                }
                None => assert_eq!(said, ""),
            }
        }
    }
}

/// pg_read_all_data is for those who back up; up to 18 it did not let them read large objects.
#[test]
fn a_reader_of_all_data_backs_up_large_objects() {
    let server = needed!(Server::get(MAJOR));
    let database = server.database("read_all");
    server.try_psql("postgres", "CREATE ROLE reads_all LOGIN; GRANT pg_read_all_data TO reads_all");
    database.sql(
        "CREATE TABLE t AS SELECT 1 AS a; SELECT lo_from_bytea(4711, 'abc'); SELECT lo_from_bytea(4712, '\\x00ff');
         REVOKE ALL ON SCHEMA public FROM PUBLIC",
    );
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let url = format!("postgresql://reads_all@127.0.0.1:{}/{}", server.port(), database.name());
    run(&mut verbs::backup(&url, &archive, &[]));
    let copy = server.database("read_all_copy");
    copy.restore(&archive, &[]);
    let objects = "SELECT string_agg(oid || ':' || lo_get(oid)::text, ' ' ORDER BY oid) FROM pg_largeobject_metadata";
    assert_eq!(copy.sql(objects), "4711:\\x616263 4712:\\x00ff");
}

/// A server may choose its certificate by the name that a client asks for, and refuse one that asks for none.
#[test]
fn the_servers_name_is_sent_for_it_to_choose_a_certificate() {
    let server = needed!(Server::with(MAJOR, &Options { tls: true, ..Options::default() }));
    let dir = server.socket_dir();
    let data = server.sql("postgres", "SHOW data_directory");
    let (name, key) = (server.sql("postgres", "SHOW ssl_cert_file"), server.sql("postgres", "SHOW ssl_key_file"));
    let hosts = Path::new(&data).join("pg_hosts.conf");
    fs::write(&hosts, format!("localhost {name} {key}\n")).unwrap();
    make_as(&hosts, Path::new(&data));
    server.sql("postgres", "ALTER SYSTEM SET ssl_sni = on");
    server.sql("postgres", "SELECT pg_reload_conf()");
    wait_until("ssl_sni", || server.sql("postgres", "SHOW ssl_sni") == "on");
    let backup = |parameters: &str| {
        let url = format!(
            "postgresql://postgres@localhost:{}/postgres?sslmode=verify-full&sslrootcert={}{parameters}",
            server.port(),
            server.ca().display()
        );
        output(&mut verbs::backup(&url, &dir.join("archive"), &["--force"]))
    };
    let named = backup("");
    assert!(named.success(), "{named}");
    let unnamed = backup("&sslsni=0");
    assert!(!unnamed.success(), "{unnamed}");
}

/// Gives `path` the owner of `like`, and takes it from everybody else.
fn make_as(path: &Path, like: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let owner = fs::metadata(like).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

#[test]
fn archives_of_18_with_indexes_of_btree_gist_are_restored() {
    let (old, new) = (needed!(Server::get(18)), needed!(Server::get(MAJOR)));
    needed!(old.offers("btree_gist"));
    needed!(new.offers("btree_gist"));
    let origin = old.database("nets");
    origin.sql(
        "CREATE EXTENSION btree_gist;
         CREATE TABLE nets (i inet, c cidr, r int4range, EXCLUDE USING gist (c WITH =, r WITH &&), EXCLUDE USING gist (i WITH <>),
             EXCLUDE USING gist (i gist_inet_ops WITH =), EXCLUDE USING gist (i inet_ops WITH &&));
         CREATE INDEX by_default ON nets USING gist (i, c); CREATE INDEX by_server ON nets USING gist (i inet_ops, c);
         INSERT INTO nets VALUES ('10.0.0.1', '10.0.0.0/8', '[1,2)')",
    );
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    origin.backup(&archive, &[]);
    let copy = new.database("nets");
    copy.restore(&archive, &[]);
    assert_eq!(copy.sql("SELECT count(*) FROM pg_index WHERE indrelid = 'nets'::regclass AND indisvalid"), "6");
    assert_eq!(copy.sql("SELECT count(*) FROM nets WHERE i <<= '10.0.0.0/8'"), "1");
}

/// What a database of 18 holds in an encoding that 19 does not have any more is not changed into something else.
#[test]
fn an_encoding_that_is_gone_is_told() {
    // Of its own: pg_dump reads the names of all roles, and those of other tests are in no encoding of the hint's.
    let (old, new) = (needed!(Server::with(18, &Options::default())), needed!(Server::get(MAJOR)));
    let origin = old.database_with("mule", "ENCODING 'MULE_INTERNAL' LOCALE 'C'");
    // Nothing can be said in UTF-8 to such a database.
    let made = origin.try_psql("CREATE TABLE t AS SELECT 'x'::text AS a");
    assert!(made.success(), "{made}");
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    origin.backup(&archive, &[]);
    let copy = new.database("mule");
    copy.sql("CREATE TABLE t AS SELECT 'is there'::text AS a");
    let out = copy.try_restore(&archive, &[]);
    assert!(!out.success() && out.stderr().contains("nothing was changed; PostgreSQL 19 and later"), "{out}");
    assert_eq!(copy.sql("SELECT a FROM t"), "is there");
    // What the hint says.
    let converted = dir.path().join("latin1");
    origin.pg_dump(18, &["--encoding=LATIN1"], &converted);
    copy.restore(&converted, &[]);
    assert_eq!(copy.sql("SELECT a FROM t"), "x");
}
