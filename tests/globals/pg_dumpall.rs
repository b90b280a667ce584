//! pg_dumpall, as this program is it, beside PostgreSQL's own: the same bytes.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{assert_same, hard, own, pg_dumpall, spaces, spaces_of};
use crate::support::needs::Needed;
use crate::support::{Output, REFERENCE, Scene, Server, lifeboat, output, pg_tool, reference_for, run};

/// What this program says as pg_dumpall of this major.
fn ours(server: &Server, tool: u32, options: &[&str]) -> Output {
    let mut command: Command = lifeboat();
    server.address(&mut command, "postgres");
    output(command.arg("pg_dumpall").args(options).env("LIFEBOAT_PG_MAJOR", tool.to_string()))
}

const KEY: &str = "--restrict-key=k3y";

const GLOBALS: &[&[&str]] = &[
    &["-g"],
    &["-r"],
    &["-t"],
    &["-g", "-c"],
    &["-g", "--clean", "--if-exists"],
    &["-r", "-c"],
    &["-t", "-c", "--no-tablespaces"],
    &["-gxO"],
    &["-g", "--no-comments", "--no-role-passwords", "--no-security-labels"],
    &["-g", "--no-tablespaces", "--no-sync"],
    &["-gsS", "bob"],
    &["-ga"],
    &["-g", "--quote-all-identifiers"],
    &["-gcE", "LATIN1", "--role=select", "--quote-all"],
    &["-rl", "Db One", "--lock-wait-timeout=1000"],
];

tests! { same_globals: globals_of_14(14) globals_of_15(15) globals_of_16(16) globals_of_17(17) globals_of_18(18) globals_of_19(19) }

fn same_globals(major: u32) {
    let server = needed!(hard(major));
    let tools = if major < REFERENCE { vec![major, REFERENCE] } else { vec![major] };
    for tool in tools {
        for options in GLOBALS {
            println!("{tool} on {major}: {options:?}");
            let theirs = script(options, |options| pg_dumpall(&server, tool, options));
            assert_same(&theirs, &script(options, |options| ours(&server, tool, options)));
        }
    }
}

const DATABASES: &[&[&str]] = &[
    &[],
    &["-c"],
    &["--inserts"],
    &["-c", "--if-exists", "--no-owner"],
    &["-s"],
    &["-a"],
    &["-x", "--no-comments", "--no-tablespaces"],
    &["--exclude-database=z*", "--exclude-database", "tpl", "--exclude-database=\"Db\"*"],
    &["-a", "--disable-triggers", "-S", "select"],
    &["--use-set-session-authorization", "--no-role-passwords"],
    &["--quote-all-identifiers", "-l", "template1"],
    &["-a", "--column-inserts", "--rows-per-insert=7", "--on-conflict-do-nothing"],
];

tests! { same_databases: databases_of_14(14) databases_of_15(15) databases_of_16(16) databases_of_17(17) databases_of_18(18)
databases_of_19(19) }

/// A server with what is hard to write, and with something in its databases.
fn filled(major: u32) -> Needed<Server> {
    let server = hard(major)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/globals/databases.sql");
    run(server.psql_command("postgres").arg("-f").arg(script));
    Ok(server)
}

fn same_databases(major: u32) {
    let server = needed!(filled(major));
    // Packagers have marks of their own, and newer releases.
    let of = |version: Output| version.stdout().trim().split_once("(PostgreSQL) ").unwrap().1.to_owned();
    let theirs = of(run(pg_tool(major, "pg_dump").arg("--version")));
    let mut ours_of = lifeboat();
    let release = of(run(ours_of.args(["pg_dump", "--version"]).env("LIFEBOAT_PG_MAJOR", major.to_string())));
    let release = release.split(' ').next().unwrap();
    let marked = |script: String| script.replace(&theirs, release);
    // One major has all of them: each takes a dump of each database by both tools.
    let some = if major == REFERENCE { DATABASES } else { &DATABASES[..3] };
    for options in some {
        println!("{options:?}");
        let theirs = marked(script(options, |options| pg_dumpall(&server, major, options)));
        assert_same(&theirs, &marked(script(options, |options| ours(&server, major, options))));
    }
}

tests! { whole_server: whole_server_of_14(14) whole_server_of_18(18) }

/// psql makes of the script, in another server, what was there.
fn whole_server(major: u32) {
    let (server, other) = (needed!(filled(major)), needed!(own(major)));
    let (from, to) = (spaces_of(&server), spaces(&other));
    other.sql("postgres", "DROP TABLESPACE elsewhere");
    other.sql("postgres", "DROP ROLE alice, bob, carol");
    let moved = |script: String| script.replace(&*from.to_string_lossy(), &to.to_string_lossy());
    // Older servers do not know all that newer tools write.
    let dump = |server: &Server| script(&[], |options| ours(server, major, options));
    let original = moved(dump(&server));
    let scene = Scene::new();
    fs::write(scene.path("script.sql"), &original).unwrap();
    // The superuser is there already, and so is what initdb has made.
    let mut psql = other.psql_command("postgres");
    let out = output(psql.args(["-v", "ON_ERROR_STOP=0", "-f"]).arg(scene.path("script.sql")));
    let errors: Vec<_> = out.stderr().lines().filter(|line| line.contains("ERROR: ")).map(str::to_owned).collect();
    assert!(errors.len() == 1 && errors[0].ends_with("role \"postgres\" already exists"), "{errors:?}");
    assert_same(&original, &dump(&other));
}

#[test]
fn what_a_dump_of_a_database_says_is_passed_on() {
    let server = needed!(own(REFERENCE));
    for options in [&["-a", "-s"][..], &["-a", "-c"], &["--rows-per-insert=0"], &["--no-schema", "-s"]] {
        let theirs = pg_dumpall(&server, REFERENCE, options);
        let ours = ours(&server, REFERENCE, options);
        assert_eq!((ours.code(), ours.stderr()), (theirs.code(), theirs.stderr()), "{ours}");
    }
    // A file that is there stays, if the new one is not complete.
    let scene = Scene::new();
    let file = scene.path("script.sql");
    fs::write(&file, "old").unwrap();
    assert!(!ours(&server, REFERENCE, &["-a", "-s", "-f", file.to_str().unwrap()]).success());
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), scene.names()), ("old", vec!["script.sql".to_owned()]));
}

/// What a tool writes into a file; it need not be UTF-8.
fn script(options: &[&str], write: impl Fn(&[&str]) -> Output) -> String {
    let scene = Scene::new();
    let file = scene.path("script.sql");
    let out = write(&[options, &[KEY, "-f", file.to_str().unwrap()]].concat());
    assert!(out.success() && out.stdout().is_empty(), "{out}");
    String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()
}

#[test]
fn a_server_with_nothing_in_it_has_the_same_empty_lines() {
    for major in [14, 18] {
        let server = needed!(own(major));
        let theirs = pg_dumpall(&server, major, &["-g", KEY]);
        assert_same(&theirs.stdout(), &ours(&server, major, &["-g", KEY]).stdout());
    }
}

#[test]
fn what_cannot_be_is_said_in_the_same_words() {
    let server = needed!(own(REFERENCE));
    for options in [
        &["-g", "-r"][..],
        &["-g", "-t"],
        &["-r", "-t"],
        &["--if-exists"],
        &["-g", "--exclude-database=x"],
        &["--exclude-database=a.b"],
        &["x", "y"],
        &["--restrict-key=a.b", "-g"],
        &["--filter=/nonexistent"],
        &["--no-such"],
        &["--no-s"],
    ] {
        let theirs = pg_dumpall(&server, reference_for(REFERENCE), options);
        let ours = ours(&server, REFERENCE, options);
        assert_eq!(ours.code(), theirs.code(), "{ours}");
        // What the program was called by is no part of it.
        let said = |out: &Output| {
            out.stderr().lines().map(|line| line.rsplit("pg_dumpall: ").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(said(&ours), said(&theirs), "{ours}");
    }
}

#[test]
fn what_has_no_words_in_it_is_named() {
    let server = needed!(hard(REFERENCE));
    let out = ours(&server, REFERENCE, &["-g"]);
    assert!(out.stderr().contains("warning: settings of all roles (ALTER ROLE ALL SET)"), "{out}");
    assert!(out.stderr().contains("warning: what was changed of tablespace pg_default"), "{out}");
}
