//! What the tests need of the machine itself.

use std::process::Command;

use super::debian;
use super::needs::{Needed, need};
use super::process::try_run;

/// The rights of root.
pub fn root() -> Needed<()> {
    need("root", rustix::process::geteuid().is_root().then_some(()).ok_or("the tests do not run as root"))
}

/// Mounting in a namespace of mounts, as its root.
pub fn mounts() -> Needed<()> {
    let script =
        "dir=$(mktemp -d) && mount -t tmpfs tmpfs \"$dir\"; code=$?; umount \"$dir\"; rmdir \"$dir\"; exit $code";
    works("mounts", "unshare", &["--map-root-user", "--mount", "sh", "-c", script])
}

/// Limits of what a process may have.
pub fn prlimit() -> Needed<()> {
    works("prlimit", "prlimit", &["--version"])
}

/// Stopping a run at a system call, and making one fail.
pub fn strace() -> Needed<()> {
    let arguments = ["-f", "-o", "/dev/null", "-e", "inject=link:error=EPERM", "true"];
    need("strace", debian::program("strace").and_then(|mut strace| try_run(strace.args(arguments))).map(drop))
}

fn works(name: &str, program: &str, arguments: &[&str]) -> Needed<()> {
    need(name, try_run(Command::new(program).args(arguments)).map(drop))
}
