//! PostgreSQL with PostGIS, pgbouncer and smaller programs, out of Debian's packages. They are unpacked, with the libraries that this machine
//! lacks, into the tests' cache: nothing is installed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::installation::Installation;
use super::needs::{self, Needed};
use super::process::try_run;
use super::{REFERENCE, cache};

/// The major that Debian 12 has.
const MAJOR: u32 = 15;

/// The installation, got when it is first asked for.
pub fn postgis() -> Needed<&'static Installation> {
    static FOUND: OnceLock<Result<Installation, String>> = OnceLock::new();
    super::installation::needed(REFERENCE)?;
    needs::need("postgis", FOUND.get_or_init(find).as_ref())
}

fn find() -> Result<Installation, String> {
    // Debian's PostgreSQL takes time zones from the system.
    if !Path::new("/usr/share/zoneinfo/UTC").exists() {
        return Err("the package tzdata is not installed".to_owned());
    }
    let root = cache::directory("debian-postgis", |dir| {
        let mut wanted = packages(&[&format!("postgresql-{MAJOR}"), &format!("postgresql-{MAJOR}-postgis-3")])?;
        // What this machine may have already, but elsewhere than where the rest of it is unpacked.
        wanted.insert(format!("postgresql-{MAJOR}-postgis-3-scripts"));
        unpack(&wanted, dir)?;
        name_extensions(&dir.join(format!("usr/share/postgresql/{MAJOR}/extension")))
    })?;
    let bin = root.join(format!("usr/lib/postgresql/{MAJOR}/bin"));
    let environment = vec![
        (OsString::from("LD_LIBRARY_PATH"), libraries(&root)?),
        (OsString::from("PROJ_LIB"), root.join("usr/share/proj").into_os_string()),
    ];
    let mut command = Command::new(bin.join("postgres"));
    let out = try_run(command.arg("--version").envs(environment.iter().cloned()))?;
    let description = format!("{} (Debian's packages)", out.stdout().trim());
    Ok(Installation { major: MAJOR, bin, description, environment })
}

/// pgbouncer: the program, and the variable that says where its libraries are.
pub fn pgbouncer() -> Result<(PathBuf, OsString), String> {
    let root = cache::directory("debian-pgbouncer", |dir| unpack(&packages(&["pgbouncer"])?, dir))?;
    Ok((root.join("usr/sbin/pgbouncer"), libraries(&root)?))
}

/// The program that the package of this name has: the system's, if it is installed; Err says why there is none.
pub fn program(name: &str) -> Result<Command, String> {
    program_of(name, name)
}

/// As [`program`], where the package has another name.
pub fn program_of(package: &str, name: &str) -> Result<Command, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|dir| dir.join(name).is_file()) {
        return Ok(Command::new(name));
    }
    let root = cache::directory(&format!("debian-{package}"), |dir| unpack(&packages(&[package])?, dir))?;
    let mut command = Command::new(root.join("usr/bin").join(name));
    command.env("LD_LIBRARY_PATH", libraries(&root)?).env("OPENSSL_CONF", root.join("etc/ssl/openssl.cnf"));
    Ok(command)
}

/// Where these packages are unpacked together, with what they need; `name` is their folder's.
pub fn root_of(name: &str, wanted: &[&str]) -> Result<PathBuf, String> {
    cache::directory(&format!("debian-{name}"), |dir| unpack(&packages(wanted)?, dir))
}

/// As [`program`], for a test that cannot do without.
pub fn required(name: &str) -> Command {
    program(name).unwrap_or_else(|e| panic!("no {name}: {e}"))
}

/// The packages that are wanted, with what they depend on and this machine has not.
fn packages(wanted: &[&str]) -> Result<BTreeSet<String>, String> {
    let out = try_run(Command::new("apt-get").args(["install", "-s", "--no-install-recommends"]).args(wanted))?;
    let text = out.stdout();
    let lacking = text.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    let mut packages: BTreeSet<String> = lacking.map(str::to_owned).collect();
    packages.extend(wanted.iter().map(|name| (*name).to_owned()));
    Ok(packages)
}

fn unpack(packages: &BTreeSet<String>, dir: &Path) -> Result<(), String> {
    let work = tempfile::tempdir().map_err(|e| format!("cannot create a temporary directory: {e}"))?;
    try_run(Command::new("apt-get").arg("download").args(packages).current_dir(work.path()))?;
    for file in fs::read_dir(work.path()).map_err(|e| e.to_string())?.flatten() {
        try_run(Command::new("dpkg-deb").arg("-x").arg(file.path()).arg(dir))?;
    }
    Ok(())
}

/// What the loader is told, so that it finds the libraries below `root`; there may be none.
pub fn libraries(root: &Path) -> Result<OsString, String> {
    let mut found = BTreeSet::new();
    let libraries = root.join("usr/lib");
    if libraries.is_dir() {
        directories_of_libraries(&libraries, &mut found)?;
    }
    std::env::join_paths(found).map_err(|e| e.to_string())
}

/// Gives extensions the names that the packages' scripts would give them, were they installed.
fn name_extensions(dir: &Path) -> Result<(), String> {
    for file in fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?.flatten() {
        if let Some(name) = file.file_name().to_string_lossy().strip_suffix("-3.control") {
            let copy = dir.join(format!("{name}.control"));
            fs::copy(file.path(), &copy).map_err(|e| format!("cannot make {}: {e}", copy.display()))?;
        }
    }
    Ok(())
}

/// The directories below `dir` in which there are shared libraries.
fn directories_of_libraries(dir: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?.flatten() {
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| e.to_string())?;
        if kind.is_dir() {
            directories_of_libraries(&path, found)?;
        } else if entry.file_name().to_string_lossy().starts_with("lib")
            && entry.file_name().to_string_lossy().contains(".so")
        {
            found.insert(dir.to_owned());
        }
    }
    Ok(())
}
