//! `lifeboat restore --globals`.

use std::fs;

use super::{assert_same, hard, own, spaces, spaces_of, url, without_key};
use crate::support::process::assert_plain;
use crate::support::{Output, REFERENCE, Scene, Server, lifeboat_reading, output};

tests! { comes_back: comes_back_on_13(13) comes_back_on_14(14) comes_back_on_15(15) comes_back_on_16(16) comes_back_on_17(17)
comes_back_on_18(18) comes_back_on_19(19) }

/// A server that has nothing that the tests' servers have, and the script of another that is to be brought back there.
fn moved(from: &Server, to: &Server) -> (Scene, String) {
    let (scene, here, there) = (Scene::new(), spaces_of(from), spaces(to));
    to.sql("postgres", "DROP TABLESPACE elsewhere");
    to.sql("postgres", "DROP ROLE alice, bob, carol");
    let script = backup(from).replace(&*here.to_string_lossy(), &there.to_string_lossy());
    fs::write(scene.path("globals.sql"), &script).unwrap();
    (scene, script)
}

fn backup(server: &Server) -> String {
    Scene::new().run(&["backup", "--globals", "-", "--url", &url(server, "postgres")]).stdout()
}

fn restore(scene: &Scene, server: &Server, options: &[&str]) -> Output {
    scene.lifeboat(&[&["restore", "--globals", "globals.sql", "--url", &url(server, "postgres")], options].concat())
}

fn comes_back(major: u32) {
    let (server, other) = (needed!(hard(major)), needed!(own(major)));
    let (scene, script) = moved(&server, &other);
    let before = backup(&other);

    let out = restore(&scene, &other, &[]);
    assert_eq!(out.code(), 4, "{out}");
    assert!(out.stderr().contains("there are roles postgres already, and they would be altered"), "{out}");
    let out = restore(&scene, &other, &["--dry-run"]);
    assert!(out.success() && out.stdout().contains("would make: role Upper Case\n"), "{out}");
    assert!(out.stdout().contains("would alter: role postgres\n"), "{out}");
    assert!(out.stdout().contains("would make: tablespace Sp'2\n"), "{out}");
    assert_same(&without_key(&before), &without_key(&backup(&other)));

    let out = restore(&scene, &other, &["--force", "--json"]);
    assert!(out.success(), "{out}");
    let roles = script.matches("\nCREATE ROLE ").count() as u64;
    let told = out.json();
    assert_eq!((told["roles"].as_u64(), told["altered_roles"].as_u64()), (Some(roles - 1), Some(1)), "{out}");
    assert_eq!(told["tablespaces"], 4, "{out}");
    assert_same(&without_key(&script), &without_key(&backup(&other)));

    // Once more changes nothing, though there is much that could not be made again.
    let out = restore(&scene, &other, &["--force", "--json"]);
    assert!(out.success(), "{out}");
    assert_eq!(out.json()["altered_roles"].as_u64(), Some(roles), "{out}");
    assert_same(&without_key(&script), &without_key(&backup(&other)));
}

#[test]
fn roles_that_are_there_become_what_the_script_says() {
    let server = needed!(own(REFERENCE));
    let scene = Scene::new();
    let script = "CREATE ROLE alice;\nALTER ROLE alice WITH NOLOGIN CREATEDB PASSWORD NULL;\nCREATE ROLE dave;\n\
                  ALTER ROLE dave WITH LOGIN;\nGRANT alice TO dave;\n";
    fs::write(scene.path("globals.sql"), script).unwrap();
    let out = restore(&scene, &server, &["--force", "-v"]);
    assert!(out.success() && out.stdout().contains("\nroles: 1 made, 1 altered\n"), "{out}");
    assert!(out.stderr().contains("role alice: it was there, and was altered"), "{out}");
    let found =
        server.sql("postgres", "SELECT rolcanlogin, rolcreatedb, rolpassword FROM pg_authid WHERE rolname = 'alice'");
    assert_eq!(found, "f|t|");
    assert_eq!(server.sql("postgres", "SELECT pg_has_role('dave', 'alice', 'member')"), "t");

    // Statements about a role need not stand together.
    let script = "CREATE ROLE erin;\nCREATE ROLE frank;\nALTER ROLE erin WITH LOGIN;\nALTER ROLE alice WITH LOGIN;\n\
                  ALTER ROLE frank WITH LOGIN;\nCOMMENT ON ROLE alice IS 'x';\n";
    fs::write(scene.path("globals.sql"), script).unwrap();
    let out = restore(&scene, &server, &["--force", "-v"]);
    assert!(out.success() && out.stdout().contains("\nroles: 2 made, 1 altered\n"), "{out}");
    assert_eq!(out.stderr().matches("it was there, and was altered").count(), 1, "{out}");
}

#[test]
fn what_is_the_servers_own_is_altered_with_force_only() {
    let server = needed!(own(REFERENCE));
    let scene = Scene::new();
    for (altered, says) in [
        ("GRANT SET ON PARAMETER log_statement TO PUBLIC;", "privileges on parameter log_statement, for everybody"),
        ("GRANT ALTER SYSTEM ON PARAMETER work_mem TO alice;", "privileges on parameter work_mem, for role alice"),
        ("ALTER TABLESPACE pg_default SET (seq_page_cost=7);", "tablespace pg_default"),
        ("GRANT ALL ON TABLESPACE pg_global TO PUBLIC;", "tablespace pg_global, for everybody"),
        ("ALTER ROLE ALL SET work_mem TO '1MB';", "settings of all roles"),
    ] {
        fs::write(scene.path("globals.sql"), format!("CREATE ROLE eve;\n{altered}\n")).unwrap();
        let out = restore(&scene, &server, &[]);
        assert!(out.code() == 4 && out.stderr().contains(&format!("{says} would be altered")), "{out}");
        let out = restore(&scene, &server, &["--dry-run"]);
        assert!(out.success() && out.stdout().contains(&format!("would alter: {says}\n")), "{out}");
        assert_eq!(server.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'eve'"), "0");
    }
    // Nobody had anything of what a role gets that is only made.
    let script =
        "CREATE ROLE eve;\nGRANT SET ON PARAMETER log_statement TO eve;\nGRANT ALL ON TABLESPACE pg_default TO eve;\n";
    fs::write(scene.path("globals.sql"), script).unwrap();
    let port = server.port().to_string();
    let out = scene.lifeboat(&[
        "restore",
        "--globals",
        "globals.sql",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-U",
        "postgres",
        "-d",
        "postgres",
    ]);
    assert!(out.success(), "{out}");
}

#[test]
fn what_the_server_refuses_is_told_without_passwords() {
    let server = needed!(own(REFERENCE));
    let scene = Scene::new();
    let script = "CREATE ROLE one;\nALTER ROLE one WITH LOGIN PASSWORD 'hidden0' VALID UNTIL 'never';\n\
                  COMMENT ON ROLE one IS 'x';\nALTER ROLE one SET work_mem TO '1MB';\nCREATE ROLE two;\n\
                  ALTER ROLE two WITH LOGIN PASSWORD 'hidden1';\nGRANT one TO two;\nGRANT two TO one GRANTED BY nobody;\n\
                  CREATE TABLESPACE nowhere OWNER two LOCATION '/no/such/folder';\nGRANT ALL ON TABLESPACE nowhere TO two;\n\
                  ALTER ROLE two SET no_such_parameter TO '1';\n";
    fs::write(scene.path("globals.sql"), script).unwrap();
    let out = restore(&scene, &server, &["--json"]);
    assert_eq!(out.code(), 3, "{out}");
    let told = out.json();
    let about = |list: &str, key: Option<&str>| -> Vec<String> {
        let texts = told[list].as_array().unwrap().iter().map(|one| key.map_or(one, |key| &one[key]));
        texts.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(about("errors", Some("about")), ["role one", "tablespace nowhere", "setting of role two"], "{out}");
    let skipped = ["setting of role one", "membership of two in one", "membership of one in two", "tablespace nowhere"];
    assert_eq!(about("skipped", None), skipped, "{out}");
    // A role is made with all that belongs to it, or not at all.
    assert_eq!(server.sql("postgres", "SELECT rolname FROM pg_roles WHERE rolname IN ('one', 'two')"), "two");
    assert!(!out.to_string().contains("hidden"), "{out}");

    let out = restore(&scene, &server, &["--force", "--exit-on-error"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stdout().contains("stopped at the first error"), "{out}");
}

#[test]
fn only_statements_of_such_a_script_are_carried_out() {
    let server = needed!(own(REFERENCE));
    let scene = Scene::new();
    for (last, why) in [
        ("DROP ROLE alice;", "line 3 of the script: that is no statement of such a script"),
        (
            "ALTER SYSTEM SET archive_command TO 'touch x';",
            "line 3 of the script: that is no statement of such a script",
        ),
        ("COPY pg_authid TO PROGRAM 'cat >x';", "line 3 of the script: that is no statement of such a script"),
        ("ALTER ROLE dave WITH PASSWORD 'a' 'hidden';", "line 3 of the script: that is no statement of such a script"),
        ("\\connect postgres", "line 3 of the script: it has a command for psql"),
        ("\\! touch x", "line 3 of the script: it has a command for psql"),
        ("ALTER ROLE dave WITH SUPERUSER", "line 3 of the script: it ends in the middle of a statement"),
    ] {
        fs::write(scene.path("globals.sql"), format!("CREATE ROLE dave;\n\n{last}\n")).unwrap();
        let out = restore(&scene, &server, &["--force"]);
        assert!(out.code() == 1 && out.stderr().contains(why), "{out}");
        assert_plain(&out);
    }
    assert_eq!(server.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'dave'"), "0");
}

/// The server cuts a name that is too long, and may have a role of the name that is left.
#[test]
fn no_name_is_cut() {
    let server = needed!(own(REFERENCE));
    let scene = Scene::new();
    let there = format!("{}é", "a".repeat(61));
    server.sql("postgres", &format!("CREATE ROLE \"{there}\""));
    for script in [
        format!("ALTER ROLE \"{there}b\" WITH SUPERUSER;"),
        format!("GRANT \"{there}b\" TO alice;"),
        format!("CREATE ROLE \"{}é\";", "a".repeat(62)),
    ] {
        fs::write(scene.path("globals.sql"), script).unwrap();
        let out = restore(&scene, &server, &["--force"]);
        assert!(out.code() == 4 && out.stderr().contains("is longer than this server's are"), "{out}");
    }
    let roles = "SELECT string_agg(rolname, ',') FROM pg_roles WHERE rolname LIKE 'aaa%' AND NOT rolsuper";
    assert_eq!(server.sql("postgres", roles), there);
    fs::write(scene.path("globals.sql"), format!("ALTER ROLE \"{there}\" WITH CREATEDB;")).unwrap();
    let out = restore(&scene, &server, &["--force"]);
    assert!(out.success(), "{out}");
}

#[test]
fn comes_from_pg_dumpall_and_from_standard_input() {
    let server = needed!(own(REFERENCE));
    let script = super::pg_dumpall(&server, REFERENCE, &["--roles-only"]).stdout();
    let scene = Scene::new();
    fs::write(scene.path("globals.sql"), script).unwrap();
    let mut command = lifeboat_reading(&scene.path("globals.sql"), true);
    let out = output(command.args(["restore", "--globals", "-", "--force", "--url", &url(&server, "postgres")]));
    assert!(out.success() && out.stdout().contains("\nroles: 0 made, 4 altered\n"), "{out}");
    // A whole server's script is for psql.
    let script = super::pg_dumpall(&server, REFERENCE, &["--schema-only"]).stdout();
    fs::write(scene.path("globals.sql"), script).unwrap();
    let out = restore(&scene, &server, &["--force"]);
    assert!(out.code() == 1 && out.stderr().contains("it has a command for psql"), "{out}");
}

#[test]
fn options_of_databases_mean_nothing_for_it() {
    let server = needed!(own(REFERENCE));
    let (scene, url) = (Scene::new(), url(&server, "postgres"));
    scene.fails(
        2,
        "use --clean and --jobs with --globals",
        &["restore", "--globals", "x.sql", "--clean", "--jobs", "2", "--url", &url],
    );
    let out = scene.lifeboat(&["restore", "archive", "--globals", "x.sql", "--url", &url]);
    assert_eq!(out.code(), 2, "{out}");
}

#[test]
fn a_script_that_would_be_read_in_two_ways_is_none() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let script = "SET standard_conforming_strings = off;\nCREATE ROLE two_ways_a;\n\
        COMMENT ON ROLE two_ways_a IS 'x\\'; COPY (SELECT 1) TO PROGRAM $$false$$; --';\n\
        SET standard_conforming_strings = on;\n";
    fs::write(scene.path("globals.sql"), script).unwrap();
    for options in [&["--force"][..], &["--dry-run"]] {
        let out = restore(&scene, server, options);
        assert!(out.code() == 1 && out.stderr().contains("line 4 of the script"), "{out}");
    }
    let made = "SELECT count(*) FROM pg_roles WHERE rolname = 'two_ways_a'";
    assert_eq!(server.sql("postgres", made).trim(), "0");
}

#[test]
fn what_a_script_does_not_make_is_altered_only_if_that_is_said() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    for (script, says) in [
        ("ALTER ROLE postgres WITH NOSUPERUSER;", "roles postgres already"),
        ("ALTER ROLE postgres SET work_mem TO '1MB';", "roles postgres already"),
        ("CREATE ROLE made_in_between; GRANT postgres TO made_in_between;", "roles postgres already"),
        ("ALTER ROLE ALL SET work_mem TO '1MB';", "settings of all roles"),
    ] {
        fs::write(scene.path("globals.sql"), script).unwrap();
        let out = restore(&scene, server, &[]);
        assert!(out.code() == 4 && out.stderr().contains(says), "{script}: {out}");
        let out = restore(&scene, server, &["--dry-run"]);
        assert!(out.success() && out.stdout().contains("would alter: "), "{script}: {out}");
    }
}
