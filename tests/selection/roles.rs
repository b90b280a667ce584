//! Whose eyes a backup sees with.

use crate::selection::backup;
use crate::support::archive::Data;
use crate::support::{Server, archive, output, verbs};

const TABLES: &str = "
    CREATE TABLE rows (a integer, who name); ALTER TABLE rows OWNER TO alice;
    INSERT INTO rows VALUES (1, 'alice'), (2, 'bob');
    ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON rows USING (who = current_user);
    GRANT SELECT ON rows TO bob;
    CREATE TABLE secret (a integer); ALTER TABLE secret OWNER TO alice";

#[test]
fn role_is_taken_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = server.database("roles");
        database.sql(TABLES);
        let out = database.try_backup(&dir.path().join(format!("none.{}", server.major())), &["--role", "bob"]);
        // A superuser could, bob cannot.
        assert!(out.code() == 1 && out.stderr().contains("permission denied"), "on {}: {out}", server.major());
        backup(&database, &["--role", "alice", "--jobs", "2"], dir.path());
    }
}

#[test]
fn row_security_fails_the_backup_unless_it_is_enabled() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = server.database("roles");
        database.sql(TABLES);
        let out =
            database.try_backup(&dir.path().join(format!("none.{}", server.major())), &["--role", "bob", "-t", "rows"]);
        assert!(out.code() == 1 && out.stderr().contains("row-level security"), "on {}: {out}", server.major());
        let path = backup(&database, &["--role", "bob", "-t", "rows", "--enable-row-security"], dir.path());
        let archive = archive::read(&path).unwrap();
        let data: Vec<&Data> = archive.data.values().collect();
        assert!(matches!(data[..], [Data::Table(rows)] if rows.starts_with(b"2\tbob\n\\.")), "on {}", server.major());
    }
}

/// A role that may not read somebody's user mapping can leave mappings out, which it has to say.
#[test]
fn user_mappings_can_be_left_out() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        let database = server.database_with("roles", "OWNER alice");
        database.sql(
            "CREATE FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN DATA WRAPPER w TO alice; SET ROLE alice;
             CREATE SERVER far FOREIGN DATA WRAPPER w; RESET ROLE;
             CREATE USER MAPPING FOR bob SERVER far OPTIONS (password 'secret')",
        );
        let attempt = |options: &[&str]| {
            output(&mut verbs::backup(
                &database.url_as("alice"),
                &dir.path().join("mappings"),
                &[&["--force"], options].concat(),
            ))
        };
        let out = attempt(&[]);
        assert!(out.code() == 1 && out.stderr().contains("--no-user-mappings"), "on {}: {out}", server.major());
        let out = attempt(&["--no-user-mappings"]);
        assert!(out.success(), "on {}: {out}", server.major());
        let entries = archive::read(&dir.path().join("mappings")).unwrap().entries;
        assert!(entries.iter().any(|entry| entry.desc.as_deref() == Some(b"SERVER")));
        assert!(!entries.iter().any(|entry| entry.desc.as_deref() == Some(b"USER MAPPING")));
    }
}
