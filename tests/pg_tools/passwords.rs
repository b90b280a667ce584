//! Passwords: where the tools find them, and when they ask for one.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::Face;
use crate::support::needs::Needed;
use crate::support::server::PASSWORD;
use crate::support::{Options, Output, Server, output};

/// A server that wants a password of the role `keeper`.
fn server() -> Needed<Server> {
    let options = Options { hba: "host all keeper 127.0.0.1/32 scram-sha-256".into(), ..Options::default() };
    let server = Server::with(18, &options)?;
    let password = PASSWORD.replace('\'', "''");
    server.sql("postgres", &format!("CREATE ROLE keeper LOGIN PASSWORD '{password}'"));
    Ok(server)
}

/// Runs the command with a terminal of its own, at which somebody types `answer` when he is asked. What stands on the terminal in
/// the end comes with it.
fn at_a_terminal(command: &Command, answer: &str) -> (Output, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
    let path = OsStr::from_bytes(name.as_bytes());
    let user = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).unwrap();
    let mut held = Command::new("timeout");
    held.args(["120", "setsid", "--ctty"]).arg("--wait").arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => held.env(key, value),
            None => held.env_remove(key),
        };
    }
    let child = held.stdin(user).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It holds the terminal open.
    drop(held);
    let mut screen = File::from(terminal);
    let mut shown = Vec::new();
    let mut byte = [0];
    // It does not end before it has asked; if it never asks, the terminal ends with it.
    while !shown.ends_with(b"Password: ") {
        match screen.read(&mut byte) {
            Ok(1) => shown.push(byte[0]),
            _ => break,
        }
    }
    let _ = screen.write_all(format!("{answer}\n").as_bytes());
    let out = Output::of("a tool at a terminal", child.wait_with_output().unwrap());
    while matches!(screen.read(&mut byte), Ok(1)) {
        shown.push(byte[0]);
    }
    (out, String::from_utf8_lossy(&shown).into_owned())
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
