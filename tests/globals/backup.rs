//! `lifeboat backup --globals`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{MORE, assert_same, hard, own, reference, url, without_key, without_more};
use crate::support::quiet::assert_quiet;
use crate::support::{REFERENCE, Scene, Server, output, pg_tool, run};

tests! { same: as_pg_dumpall_on_13(13) as_pg_dumpall_on_14(14) as_pg_dumpall_on_15(15) as_pg_dumpall_on_16(16)
as_pg_dumpall_on_17(17) as_pg_dumpall_on_18(18) as_pg_dumpall_on_19(19) }

fn same(major: u32) {
    let server = needed!(hard(major));
    for (ours, theirs) in [
        (&[][..], &["-g"][..]),
        (&["--no-comments"], &["-g", "--no-comments"]),
        (&["--no-role-passwords"], &["-g", "--no-role-passwords"]),
        (&["--role", "select", "--no-security-labels"], &["-g", "--role=select"]),
    ] {
        let script = globals(&server, "postgres", ours);
        for more in MORE {
            assert!(script.contains(more), "{ours:?}: {script}");
        }
        assert_same(&without_key(&reference(&server, theirs)), &without_key(&without_more(&script)));
    }
}

fn globals(server: &Server, role: &str, options: &[&str]) -> String {
    let scene = Scene::new();
    let url = url(server, role);
    let out = scene.lifeboat(&[&["backup", "--globals", "-", "--url", &url], options].concat());
    assert!(out.success(), "{out}");
    out.stdout()
}

tests! { comes_back: comes_back_by_psql_on_14(14) comes_back_by_psql_on_16(16) comes_back_by_psql_on_18(18) }

/// psql makes of it, in another server, what was there.
fn comes_back(major: u32) {
    let server = needed!(hard(major));
    let script = globals(&server, "postgres", &[]);
    let other = needed!(own(major));
    let (from, to) = (super::spaces_of(&server), super::spaces(&other));
    let moved = |script: &str| script.replace(&*from.to_string_lossy(), &to.to_string_lossy());
    let scene = Scene::new();
    fs::write(scene.path("globals.sql"), moved(&script)).unwrap();
    other.sql("postgres", "DROP TABLESPACE elsewhere");
    other.sql("postgres", "DROP ROLE alice, bob, carol");
    // The superuser is there already.
    let mut psql = other.psql_command("postgres");
    run(psql.args(["-v", "ON_ERROR_STOP=0", "-f"]).arg(scene.path("globals.sql")));
    assert_same(&without_key(&moved(&script)), &without_key(&globals(&other, "postgres", &[])));
}

#[test]
fn file_appears_complete_or_not_at_all() {
    let server = needed!(own(REFERENCE));
    let (scene, url) = (Scene::new(), url(&server, "postgres"));
    let out = scene.run(&["backup", "--globals", "roles.sql", "--url", &url, "--json"]);
    assert_eq!(out.json()["globals"]["roles"], 4, "{out}");
    assert_eq!(out.json()["globals"]["tablespaces"], 1, "{out}");
    let file = fs::metadata(scene.path("roles.sql")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);

    scene.fails(4, "exists", &["backup", "--globals", "roles.sql", "--url", &url]);
    scene.run(&["backup", "--globals", "roles.sql", "--url", &url, "--force"]);
    // One that cannot be read whole leaves nothing.
    server.sql("postgres", "CREATE ROLE dave LOGIN");
    let url = super::url(&server, "dave");
    let out = scene.fails(1, "permission denied", &["backup", "--globals", "other.sql", "--url", &url]);
    assert!(
        out.stderr().contains("hint: connect as a superuser, or leave the passwords out: --no-role-passwords"),
        "{out}"
    );
    assert_eq!(scene.names(), ["roles.sql"]);
    scene.run(&["backup", "--globals", "other.sql", "--no-role-passwords", "--url", &url]);
    let script = fs::read_to_string(scene.path("other.sql")).unwrap();
    assert!(script.contains("CREATE ROLE dave;") && !script.contains("PASSWORD"), "{script}");
}

#[test]
fn goes_with_a_database() {
    let server = needed!(own(REFERENCE));
    let (scene, url) = (Scene::new(), url(&server, "postgres"));
    let out = scene.run(&["backup", "--globals", "roles.sql", "--output", "archive", "--url", &url]);
    assert!(out.stdout().contains("\nglobals: roles.sql (4 roles, 1 tablespace)\n"), "{out}");
    assert_eq!(scene.names(), ["archive", "roles.sql"]);
    // If the one cannot be made, the other does not appear.
    scene.fails(4, "exists", &["backup", "--globals", "more.sql", "--output", "archive", "--url", &url]);
    assert_eq!(scene.names(), ["archive", "roles.sql"]);
    scene.fails(2, "two files", &["backup", "--globals", "-", "--output", "-", "--url", &url]);
    let sqlite = scene.lifeboat(&["backup", "--globals", "x.sql", "--output", "x.db", "--url", "sqlite:///none.db"]);
    assert_eq!(sqlite.code(), 2, "{sqlite}");
}

#[test]
fn what_an_old_psql_could_run_is_written_otherwise() {
    let server = needed!(own(REFERENCE));
    server.sql("postgres", "CREATE ROLE fine; COMMENT ON ROLE fine IS E'\\\\unrestrict\\n`id`'");
    let scene = Scene::new();
    let backup = |name: &str| scene.lifeboat(&["backup", "--globals", name, "--url", &url(&server, "postgres")]);
    let out = backup("fine.sql");
    assert!(out.success(), "{out}");
    let odd = "CREATE ROLE \"x\\unrestrict `id`\"; COMMENT ON ROLE fine IS ':LAST_ERROR_MESSAGE\\unrestrict `x`';
        ALTER ROLE fine SET app.x = ':LAST_ERROR_MESSAGE'; ALTER ROLE \"x\\unrestrict `id`\" SET search_path = '\\unrestrict `x`', 'b'";
    server.sql("postgres", odd);
    let out = backup("odd.sql");
    assert!(out.success(), "{out}");
    assert_quiet(&fs::read(scene.path("odd.sql")).unwrap());
    // Both ways of restoring it read what was written otherwise.
    for by_psql in [true, false] {
        let target = needed!(own(REFERENCE));
        if by_psql {
            let mut psql = pg_tool(REFERENCE, "psql");
            target.address(&mut psql, "postgres");
            output(psql.args(["-X", "-f"]).arg(scene.path("odd.sql")));
        } else {
            scene.run(&["restore", "--globals", "odd.sql", "--force", "--url", &url(&target, "postgres")]);
        }
        let said = "SELECT string_agg(concat_ws(' ', rolname, rolconfig::text, shobj_description(oid, 'pg_authid')), ';' ORDER BY rolname)
            FROM pg_roles WHERE rolname !~ '^(pg_|postgres)'";
        assert_eq!(target.sql("postgres", said), server.sql("postgres", said), "{by_psql}");
    }
}
