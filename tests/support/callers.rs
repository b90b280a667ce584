//! Programs that call PostgreSQL's tools, from PyPI, npm and Debian.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::needs::{self, Needed};
use super::process::try_run;
use super::{cache, debian};

/// The directory that has Python's django-dbbackup with what it needs, to be put on `PYTHONPATH`.
pub fn django() -> Needed<PathBuf> {
    let got = cache::directory("django-dbbackup-5.4.0", |dir| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--no-warn-script-location", "--target"]);
        pip.arg(dir).args(["Django==5.2.19", "django-dbbackup==5.4.0", "psycopg[binary]==3.3.9"]);
        try_run(&mut pip).map(drop)
    });
    needs::need("django-dbbackup", got)
}

/// The program dbmate, as npm has it.
pub fn dbmate() -> Needed<PathBuf> {
    let package = "@dbmate/linux-x64";
    let got = cache::directory("dbmate-2.36.0", |dir| {
        try_run(Command::new("npm").args(["pack", "--silent", &format!("{package}@2.36.0")]).current_dir(dir))?;
        try_run(Command::new("tar").arg("-xzf").arg("dbmate-linux-x64-2.36.0.tgz").current_dir(dir)).map(drop)
    });
    needs::need("dbmate", got.map(|dir| dir.join("package/bin/dbmate")))
}

/// A Ruby that finds Rails' ActiveRecord.
pub struct Ruby {
    pub program: PathBuf,
    pub environment: Vec<(OsString, OsString)>,
}

/// Debian's ActiveRecord, unpacked and not installed.
pub fn active_record() -> Needed<Ruby> {
    needs::need("active-record", unpack_ruby())
}

fn unpack_ruby() -> Result<Ruby, String> {
    let root = debian::root_of("ruby-activerecord", &["ruby", "ruby-activerecord", "ruby-pg"])?;
    let program = root.join("usr/bin/ruby");
    let mut library = Vec::new();
    let gems = root.join("usr/share/rubygems-integration/all/gems");
    for (folder, beneath) in [(&gems, &["lib", "lib/concurrent-ruby"][..]), (&root.join("usr/lib"), &["ruby"])] {
        for entry in std::fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?.flatten()
        {
            library.extend(beneath.iter().map(|name| entry.path().join(name)));
        }
    }
    // Ruby's own libraries lie in folders of its version, those of the packages beside them; those of the machine's
    // architecture one folder further down.
    let own: Vec<PathBuf> = library.iter().filter(|path| path.ends_with("ruby")).cloned().collect();
    for folder in own.into_iter().chain([root.join("usr/lib/ruby")]) {
        library.push(folder.join("vendor_ruby"));
        for beneath in [folder.clone(), folder.join("vendor_ruby")] {
            library.extend(versions(&beneath));
        }
    }
    library.retain(|path| path.is_dir());
    let join = |paths: Vec<PathBuf>| std::env::join_paths(paths).map_err(|e| e.to_string());
    let environment = vec![
        ("RUBYLIB".into(), join(library)?),
        ("LD_LIBRARY_PATH".into(), debian::libraries(&root)?),
        ("GEM_HOME".into(), "/nonexistent".into()),
        ("GEM_PATH".into(), "/nonexistent".into()),
    ];
    let mut command = Command::new(&program);
    try_run(command.args(["-e", "require 'active_record'"]).envs(environment.iter().cloned()).env("RUBYOPT", ""))?;
    Ok(Ruby { program, environment })
}

/// The folders in `folder` that are named by a version.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let is_version = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(|c: char| c.is_ascii_digit()))
    };
    paths.filter(is_version).collect()
}
