//! Security labels, with a provider that the test builds: what takes labels in an ordinary PostgreSQL is nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::archive::Rows;
use crate::support::needs::Needed;
use crate::support::{Options, REFERENCE, Server, archive, installation, lifeboat, needs, pg_tool, reference_for, run};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/security_labels")
}

/// Builds the provider against the headers of this major's installation.
fn provider(major: u32, dir: &Path) -> Needed<PathBuf> {
    let headers = installation::needed(major)?.bin.join("../include/server");
    let came = headers.is_dir().then_some(()).ok_or("this installation came without headers");
    needs::need(&format!("headers-{major}"), came)?;
    let library = dir.join("provider.so");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg("-I").arg(headers);
    run(compile.arg(here().join("provider.c")));
    Ok(library)
}

/// A server whose sessions have the provider.
fn server(major: u32, dir: &Path) -> Needed<Server> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!("session_preload_libraries = '{}'", provider(major, dir)?.display());
    Server::with(major, &Options { config, ..Options::default() })
}

fn check(major: u32) {
    let dir = tempfile::tempdir().unwrap();
    let server = needed!(server(major, dir.path()));
    let file = |name: &str| dir.path().join(name);
    let origin = server.database("labels");
    origin.load_file(&here().join("labels.sql"));
    for (version, reference) in [("1.16", "reference"), ("1.14", "old")] {
        let ours = file(&format!("ours.{version}"));
        origin.backup(&ours, &["--owner", "--acl", "--archive-version", version]);
        if version == "1.16" {
            origin.pg_dump(REFERENCE, &[], &file(reference));
            archive::assert_same(&format!("labels on {major}"), &file(reference), &ours, Rows::InOrder);
        }

        // A label needs its provider, so it goes back into a server that has it.
        for by_lifeboat in [true, false] {
            let restored = server.database("labels");
            if by_lifeboat {
                let mut restore = lifeboat();
                run(restore.args(["restore", "--force", "--owner", "--acl", "--url", &restored.url()]).arg(&ours));
            } else {
                restored.pg_restore(REFERENCE, &[], &ours);
            }
            let labels = "SELECT string_agg(objtype || ' ' || objname || ' ' || provider || ': ' || label, E'\\n' \
                          ORDER BY objtype, objname, provider) FROM pg_seclabels WHERE objtype <> 'database'";
            assert_eq!(restored.sql(labels), origin.sql(labels), "on {major}, by lifeboat: {by_lifeboat}");
        }
    }
    let without = file("without");
    origin.backup(&without, &["--no-security-labels"]);
    let entries = archive::read(&without).unwrap().entries;
    assert!(entries.len() > 20 && !entries.iter().any(|e| e.desc.as_deref() == Some(b"SECURITY LABEL")));
}

tests! { check:
    come_back_on_14(14)
    come_back_on_16(16)
    come_back_on_18(18)
}

/// Roles and tablespaces have labels, too, which are those of pg_dumpall.
fn check_globals(major: u32) {
    let dir = tempfile::tempdir().unwrap();
    let server = needed!(server(major, dir.path()));
    server.sql(
        "postgres",
        "SECURITY LABEL FOR \"Other \"\"one\"\"\" ON ROLE alice IS 'another'; SECURITY LABEL FOR lifeboat ON ROLE alice IS 'it''s \\';
         SECURITY LABEL FOR lifeboat ON TABLESPACE elsewhere IS 'space'",
    );
    let run = |mut command: Command, options: &[&str]| {
        server.address(&mut command, "postgres");
        run(command.args(options).args(["-g", "--restrict-key=k3y"])).stdout()
    };
    let ours = |options: &[&str]| {
        let mut command = lifeboat();
        command.arg("pg_dumpall");
        run(command, options)
    };
    let labelled = ours(&[]);
    assert_eq!(labelled, run(pg_tool(reference_for(major), "pg_dumpall"), &[]));
    let count = |script: &str| script.matches("SECURITY LABEL").count();
    assert_eq!((count(&labelled), count(&ours(&["--no-security-labels"]))), (3, 0), "{labelled}");

    // They come back by lifeboat as well.
    let url = format!("host={} port={} user=postgres dbname=postgres", server.socket_dir().display(), server.port());
    fs::write(dir.path().join("globals.sql"), &labelled).unwrap();
    server.sql("postgres", "SECURITY LABEL FOR lifeboat ON ROLE alice IS 'changed'");
    let mut restore = lifeboat();
    crate::support::run(
        restore.args(["restore", "--force", "--url", &url, "--globals"]).arg(dir.path().join("globals.sql")),
    );
    assert_eq!(labelled, ours(&[]));
}

tests! { check_globals: of_roles_and_tablespaces_on_14(14) of_roles_and_tablespaces_on_18(18) }

/// Where nobody takes the label, the restore says which one, and goes on.
#[test]
fn label_without_a_provider_is_an_entry_that_failed() {
    let dir = tempfile::tempdir().unwrap();
    let server = needed!(server(REFERENCE, dir.path()));
    let origin = server.database("labels");
    origin.sql("CREATE TABLE t (a integer); SECURITY LABEL FOR lifeboat ON TABLE t IS 'x'; INSERT INTO t VALUES (1)");
    let path = dir.path().join("archive");
    origin.backup(&path, &[]);
    let plain = needed!(Server::get(REFERENCE));
    let target = plain.database("labels");
    let out = target.try_restore(&path, &[]);
    assert_eq!(out.code(), 3, "{out}");
    assert!(out.stderr().contains("SECURITY LABEL public.TABLE t") && out.stderr().contains("not loaded"), "{out}");
    assert_eq!(target.sql("SELECT count(*) FROM t"), "1");
}
