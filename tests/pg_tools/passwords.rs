//! Passwords: where the tools find them, and when they ask for one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::Face;
use crate::support::needs::Needed;
use crate::support::server::PASSWORD;
use crate::support::terminal::at_a_terminal;
use crate::support::{Options, Server, output};

/// A server that wants a password of the role `keeper`.
fn server() -> Needed<Server> {
    let options = Options { hba: "host all keeper 127.0.0.1/32 scram-sha-256".into(), ..Options::default() };
    let server = Server::with(18, &options)?;
    let password = PASSWORD.replace('\'', "''");
    server.sql("postgres", &format!("CREATE ROLE keeper LOGIN PASSWORD '{password}'"));
    Ok(server)
}

#[test]
fn a_password_is_asked_for_at_the_terminal_and_not_shown() {
    let server = needed!(server());
    let face = Face::new(18);
    let tool = |options: &[&str]| {
        let mut tool = face.tool("pg_dump");
        let port = server.port().to_string();
        tool.args(["-h", "127.0.0.1", "-p", &port, "-U", "keeper", "-Fc", "-s", "postgres"]).args(options);
        tool
    };
    for options in [&[][..], &["-W"]] {
        let (out, shown) = at_a_terminal(&tool(options), PASSWORD);
        assert!(out.success() && out.stdout.starts_with(b"PGDMP"), "{out}");
        assert!(shown.starts_with("Password: ") && !shown.contains(PASSWORD), "{shown:?}");
    }
    let (out, _) = at_a_terminal(&tool(&[]), "wrong");
    assert!(out.code() == 1 && out.stderr().contains("password authentication failed for user \"keeper\""), "{out}");
    // Nobody is asked who said so, or where there is no terminal.
    let (out, shown) = at_a_terminal(&tool(&["-w"]), PASSWORD);
    assert!(out.code() == 1 && !shown.contains("Password: "), "{out} {shown}");
    let mut alone = Command::new("setsid");
    let line = tool(&["-W"]);
    let out = output(alone.arg("--wait").arg(line.get_program()).args(line.get_args()).stdin(Stdio::null()));
    assert!(out.code() == 1 && out.stderr().contains("there is no terminal"), "{out}");
}

#[test]
fn passwords_come_from_the_environment_the_password_file_and_the_service_file() {
    let server = needed!(server());
    let face = Face::new(18);
    let home = tempfile::tempdir().unwrap();
    let tool = || {
        let mut tool = face.tool("pg_dump");
        tool.env("HOME", home.path()).args(["-Fc", "-s", "-w"]);
        tool
    };
    let port = server.port().to_string();
    let place = ["-h", "127.0.0.1", "-p", &port, "-U", "keeper", "postgres"];
    let dumps = |command: &mut Command| {
        let out = output(command);
        assert!(out.success() && out.stdout.starts_with(b"PGDMP"), "{out}");
    };
    let out = output(tool().args(place));
    assert!(out.code() == 1 && out.stderr().contains("none was given"), "{out}");
    dumps(tool().args(place).env("PGPASSWORD", PASSWORD));
    let services = home.path().join(".pg_service.conf");
    let service = format!("[mine]\nhost=127.0.0.1\nport={port}\nuser=keeper\ndbname=postgres\n");
    fs::write(&services, &service).unwrap();
    dumps(tool().env("PGSERVICE", "mine").env("PGPASSWORD", PASSWORD));
    dumps(tool().arg("service=mine").env("PGPASSWORD", PASSWORD));
    let escaped = PASSWORD.replace('\\', "\\\\").replace(':', "\\:");
    let password_file = home.path().join(".pgpass");
    fs::write(&password_file, format!("127.0.0.1:{port}:*:keeper:{escaped}\n")).unwrap();
    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600)).unwrap();
    dumps(tool().args(place));
    dumps(tool().arg("-d").arg("service=mine"));
    let out = output(tool().arg("service=other"));
    assert!(out.code() == 1 && out.stderr().contains("connection service \"other\""), "{out}");
}
