//! A PostgreSQL that is newer than what the machine's own Debian could run: out of the packages of Debian's unstable and
//! experimental suites, with the C library and all else that they need, unpacked in the tests' cache. Nothing is installed, and
//! nothing needs root: each program is run by the loader of that C library, which takes libraries from there alone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache;
use super::process::{isolate, try_run};

/// Where Debian's keys are, if the package with them is installed; else apt knows where.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The directory of the programs of `major`; Err says what could not be got and why.
pub fn programs(major: u32) -> Result<PathBuf, String> {
    // Debian's PostgreSQL takes time zones from the system.
    if !Path::new("/usr/share/zoneinfo/UTC").exists() {
        return Err("the package tzdata is not installed".to_owned());
    }
    let root = cache::directory(&format!("debian-postgresql-{major}"), |dir| {
        let work = tempfile::tempdir().map_err(|e| format!("cannot create a temporary directory: {e}"))?;
        let apt = Apt::new(work.path())?;
        let packages = apt.packages(major)?;
        let downloads = work.path().join("packages");
        make(&downloads)?;
        try_run(apt.command("apt-get").args(["-qq", "download"]).args(&packages).current_dir(&downloads))?;
        for file in fs::read_dir(&downloads).map_err(|e| e.to_string())?.flatten() {
            try_run(Command::new("dpkg-deb").arg("-x").arg(file.path()).arg(dir))?;
        }
        wrap(dir, &format!("usr/lib/postgresql/{major}"))
    })?;
    Ok(root.join(format!("usr/lib/postgresql/{major}/bin")))
}

/// apt with a world of its own: other suites than the machine's, and nothing installed.
struct Apt {
    config: PathBuf,
}

impl Apt {
    /// Makes that world in `dir`, and gets the lists of packages.
    fn new(dir: &Path) -> Result<Apt, String> {
        let mirror = mirror()?;
        let apt = Apt { config: dir.join("apt.conf") };
        for name in ["lists/partial", "cache/archives/partial"] {
            make(&dir.join(name))?;
        }
        let signed = if Path::new(KEYS).exists() { format!("[signed-by={KEYS}] ") } else { String::new() };
        let sources: String =
            ["experimental", "sid"].iter().map(|suite| format!("deb {signed}{mirror} {suite} main\n")).collect();
        let dir = dir.display();
        let config = format!(
            r#"Dir::State::lists "{dir}/lists"; Dir::State::status "{dir}/status"; Dir::Cache "{dir}/cache";
            Dir::Etc::sourcelist "{dir}/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
            Acquire::Languages "none"; Acquire::Retries "1"; Acquire::http::Timeout "30"; APT::Sandbox::User "root";
            Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false"; Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";"#
        );
        write(&apt.config, &config)?;
        write(&apt.config.with_file_name("sources.list"), &sources)?;
        write(&apt.config.with_file_name("status"), "")?;
        try_run(apt.command("apt-get").args(["-qq", "-o", "APT::Update::Error-Mode=any", "update"]))
            .map_err(|e| format!("the lists of Debian's unstable and experimental packages could not be got: {e}"))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        isolate(&mut command).env("APT_CONFIG", &self.config);
        command
    }

    /// Server and client, with the libraries that they need; not what only installing them takes.
    fn packages(&self, major: u32) -> Result<BTreeSet<String>, String> {
        let wanted = [format!("postgresql-{major}"), format!("postgresql-client-{major}")];
        let shown = try_run(self.command("apt-cache").args(["show", "--no-all-versions"]).args(&wanted))?.stdout();
        let field = |name: &str| -> Vec<String> {
            shown.lines().filter_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned())).collect()
        };
        let version = field("Version").pop().ok_or_else(|| format!("Debian has no {}", wanted[0]))?;
        let depends = field("Depends").join(", ");
        let names = depends.split(", ").filter_map(|one| one.split(' ').next());
        let libraries: BTreeSet<&str> = names.filter(|name| name.starts_with("lib") || *name == "zlib1g").collect();
        // libpq is of the same source, and of the same version.
        let libraries = libraries.into_iter().map(|name| match name {
            "libpq5" => format!("libpq5={version}"),
            name => name.to_owned(),
        });
        let simulated = try_run(
            self.command("apt-get")
                .args(["install", "-s", "--no-install-recommends"])
                .args(libraries.collect::<Vec<_>>()),
        )?;
        let mut packages: BTreeSet<String> = wanted.iter().map(|name| format!("{name}={version}")).collect();
        for line in simulated.stdout().lines().filter_map(|line| line.strip_prefix("Inst ").map(str::to_owned)) {
            let mut words = line.split(' ');
            if let (Some(name), Some(version)) = (words.next(), words.next()) {
                packages.insert(format!("{name}={}", version.trim_start_matches('(')));
            }
        }
        Ok(packages)
    }
}

/// The mirror of Debian's that this machine uses.
fn mirror() -> Result<String, String> {
    let targets = try_run(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]))?.stdout();
    let mirror = targets.lines().map(|uri| uri.trim_end_matches('/')).find(|uri| uri.ends_with("/debian"));
    mirror.map(str::to_owned).ok_or_else(|| "apt knows no mirror of Debian".to_owned())
}

/// Puts in the place of each program a script that has it run by the loader beside it. Programs look for each other, and for
/// what they are installed with, beside where they are called from.
fn wrap(root: &Path, home: &str) -> Result<(), String> {
    let list = |dir: &Path| -> Result<Vec<PathBuf>, String> {
        let entries = fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?;
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    };
    let file_name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut loader = None;
    for dir in list(&root.join("usr/lib"))?.into_iter().filter(|path| path.is_dir()) {
        let found = list(&dir)?.iter().map(|path| file_name(path)).find(|name| name.starts_with("ld-linux"));
        loader = loader.or(found.map(|name| (file_name(&dir), name)));
    }
    let (libraries, loader) = loader.ok_or("the packages have no loader")?;
    let (bin, programs) = (root.join(home).join("bin"), root.join(home).join("programs"));
    fs::rename(&bin, &programs).map_err(|e| format!("cannot rename {}: {e}", bin.display()))?;
    make(&bin)?;
    for program in list(&programs)? {
        let name = file_name(&program);
        let script = bin.join(&name);
        write(
            &script,
            &format!(
                "#!/bin/sh\nbin=${{0%/*}}\nroot=${{bin%/{home}/bin}}\nlib=$root/usr/lib/{libraries}\n\
                 exec \"$lib/{loader}\" --library-path \"$lib\" --argv0 \"$0\" \"$bin/../programs/{name}\" \"$@\"\n"
            ),
        )?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn make(dir: &Path) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
