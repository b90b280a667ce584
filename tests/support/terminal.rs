//! A terminal with somebody at it.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::Output;

/// Runs the command with a terminal of its own, at which somebody types `answer` when he is asked. What stands on the terminal in
/// the end comes with it.
pub fn at_a_terminal(command: &Command, answer: &str) -> (Output, String) {
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
