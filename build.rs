//! What the program can tell of its own making: the commit that it is made of, and for which kind of machine. And what a program needs
//! into which glibc is linked.

use std::process::Command;
use std::{env, fs};

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=LIFEBOAT_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIFEBOAT_COMMIT");
    // Who builds from something else than a checkout or a package can say which commit that was.
    let given = env::var("LIFEBOAT_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(packaged).or_else(checked_out).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=LIFEBOAT_COMMIT={commit}");
    println!("cargo::rerun-if-changed={NAMES}");
    if has_glibc_in_it() {
        for object in cc::Build::new().file(NAMES).compile_intermediates() {
            println!("cargo::rustc-link-arg-bins={}", object.display());
        }
    }
}

/// How it looks up the names of hosts.
const NAMES: &str = "packaging/names.c";

fn has_glibc_in_it() -> bool {
    let of_target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    of_target("ENV") == "gnu" && of_target("FEATURE").split(',').any(|feature| feature == "crt-static")
}

/// What cargo has put into the package.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    println!("cargo::rerun-if-changed=.cargo_vcs_info.json");
    let after = text.split_once("\"sha1\":")?.1;
    short(after.split('"').nth(1)?)
}

/// What is checked out. Of a build that is no release, nobody needs to know it, and each commit would make it be built again.
fn checked_out() -> Option<String> {
    if env::var("PROFILE").as_deref() != Ok("release") || !fs::exists(".git").unwrap_or(false) {
        return None;
    }
    for path in [".git/HEAD", ".git/logs/HEAD"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = Command::new("git").args(["rev-parse", "HEAD"]).output().ok().filter(|out| out.status.success())?;
    short(std::str::from_utf8(&out.stdout).ok()?)
}

fn short(commit: &str) -> Option<String> {
    let commit = commit.trim();
    (commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| commit[..12].to_owned())
}
