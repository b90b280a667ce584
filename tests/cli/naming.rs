//! Databases that are named as PostgreSQL's tools name them.

use std::process::Command;

use crate::support::server::PASSWORD;
use crate::support::terminal::at_a_terminal;
use crate::support::{Options, REFERENCE, Scene, Server, lifeboat, output};

#[test]
fn a_line_copied_from_pg_dump_backs_up() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = (Scene::new(), server.database("named"));
    database.sql("CREATE TABLE here ()");
    let place = ["-h", "127.0.0.1", &format!("-p{}", server.port()), "--username=postgres"].map(str::to_owned);
    let backup = |more: &[&str]| -> Command {
        let mut command = lifeboat();
        command.current_dir(scene.path(".")).arg("backup").args(&place).args(["-f", "out", "--force"]).args(more);
        command
    };
    // What the environment says of another database does not count.
    let out = output(backup(&["-d", database.name()]).env("DATABASE_URL", "sqlite:///none.db"));
    assert!(out.success(), "{out}");
    assert!(scene.run(&["list", "out"]).stdout().contains(" TABLE public here "));
    // A connection string says more than the other options, and the environment what is left.
    let string = format!("dbname={}", database.name());
    for given in [&["--dbname", &string][..], &["-wd", &string]] {
        assert!(output(&mut backup(given)).success());
    }
    assert!(output(backup(&[]).env("PGDATABASE", database.name())).success());
    let out = output(&mut backup(&["-d", "there is none of this name"]));
    assert!(out.code() == 1 && out.stderr().contains("there is none of this name"), "{out}");
    let out = output(
        lifeboat().args(["restore"]).args(&place).args(["-d", database.name(), "--force"]).arg(scene.path("out")),
    );
    assert!(out.success(), "{out}");
}

#[test]
fn what_names_two_databases_is_refused_and_h_is_no_help() {
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    scene.run(&["backup", "-d", "sqlite:///a.db", "-o", "out"]);
    for (arguments, says) in [
        (&["backup", "-h"][..], "a value is required for '--host"),
        (&["-h"], "unexpected argument '-h'"),
        (&["backup", "--url", "postgresql:///a", "-h", "x", "-o", "o"], "cannot be used with"),
        (&["backup", "-d", "sqlite:///a.db", "-p", "1", "-o", "o"], "--dbname is a URL that says all of it"),
        (&["backup", "-d", "sqlite:///a.db", "-W", "-o", "o"], "it means nothing for an SQLite database"),
        (&["backup", "-o", "o"], "none of LIFEBOAT_DATABASE_URL, DATABASE_URL, Z4J_DATABASE_URL, PGHOST, PGHOSTADDR, "),
    ] {
        scene.fails(2, says, arguments);
    }
    // One of libpq's variables says that a server is meant; nobody listens there.
    for (name, value) in [("PGUSER", "me"), ("PGHOSTADDR", "127.0.0.1"), ("PGPORT", "1"), ("PGDATABASE", "x")] {
        let mut command = lifeboat();
        command.args(["backup", "-o", "never"]).env(name, value);
        if name != "PGHOSTADDR" {
            command.env("PGHOST", "/nobody/listens/there");
        } else {
            command.env("PGPORT", "1");
        }
        let out = output(&mut command);
        assert_eq!(out.code(), 1, "{out}");
    }
    assert!(scene.run(&["backup", "--help"]).stdout().contains("-U, --username <NAME>"));
}

#[test]
fn a_password_is_asked_for_only_when_it_is_wanted() {
    let options = Options { hba: "host all keeper 127.0.0.1/32 scram-sha-256".into(), ..Options::default() };
    let server = needed!(Server::with(REFERENCE, &options));
    server.sql("postgres", &format!("CREATE ROLE keeper LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    let scene = Scene::new();
    let backup = |options: &[&str]| {
        let mut command = lifeboat();
        command.args([
            "backup",
            "-h127.0.0.1",
            "-p",
            &server.port().to_string(),
            "-U",
            "keeper",
            "-d",
            "postgres",
            "--force",
            "-o",
        ]);
        command.arg(scene.path("out")).args(options);
        command
    };
    let (out, shown) = at_a_terminal(&backup(&["-w", "-W"]), PASSWORD);
    assert!(out.success() && shown.contains("Password: ") && !shown.contains(PASSWORD), "{out}{shown}");
    for options in [&[][..], &["-w"], &["-W", "-w"]] {
        let (out, shown) = at_a_terminal(&backup(options), PASSWORD);
        assert!(out.code() == 1 && !shown.contains("Password: "), "{options:?}: {out}{shown}");
    }
    let mut alone = Command::new("setsid");
    alone.arg("--wait").arg(backup(&[]).get_program()).args(backup(&["-W"]).get_args());
    let out = output(&mut alone);
    assert!(out.code() == 2 && out.stderr().contains("there is no terminal"), "{out}");
}

#[test]
fn a_file_may_hold_the_url() {
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    let put = |name: &str, text: &[u8]| std::fs::write(scene.path(name), text).unwrap();
    put("url", b"  sqlite:///a.db\n");
    scene.run(&["backup", "--url-file", "url", "-o", "out"]);
    let by_variable = |more: &[(&str, &str)], output_name: &str| {
        let mut command = lifeboat();
        command.current_dir(scene.folder()).args(["backup", "-o", output_name]);
        command.env("LIFEBOAT_DATABASE_URL_FILE", "url").envs(more.iter().copied());
        output(&mut command)
    };
    // It counts before what the environment has of others.
    let out = by_variable(&[("DATABASE_URL", "sqlite:///none.db"), ("PGHOST", "nowhere")], "second");
    assert!(out.success(), "{out}");
    let out = by_variable(&[("LIFEBOAT_DATABASE_URL", "sqlite:///a.db")], "third");
    assert!(out.code() == 2 && out.stderr().contains("both LIFEBOAT_DATABASE_URL and"), "{out}");
    put("empty", b" \n");
    put("two", b"postgresql://u:geheim@h/a\npostgresql://u:geheim@h/b\n");
    put("long", &[b'x'; 70_000]);
    put("misplaced", b"postgres:geheim@host/db?sslmode=require");
    put("shut", b"postgresql:///u:geheim@h/d?host=/nobody/listens/there");
    put("wrong", b"postgresql://u:geheim@h/a?nonsense=geheim");
    for (name, says) in [
        ("none", "No such file"),
        ("empty", "it is empty"),
        ("two", "more than one line"),
        ("long", "64 KiB"),
        ("wrong", "\"nonsense\""),
        ("misplaced", "other characters than names have"),
        ("shut", "could not connect"),
    ] {
        let code = if name == "shut" { 1 } else { 2 };
        let out = scene.fails(code, says, &["backup", "--url-file", name, "-o", "never"]);
        assert!(!out.to_string().contains("geheim"), "{out}");
    }
    scene.fails(2, "cannot be used with", &["backup", "--url-file", "url", "--url", "sqlite:///a.db", "-o", "never"]);
}
