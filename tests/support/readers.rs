//! Other people's readers of archives.

use std::path::PathBuf;
use std::process::Command;

use super::cache;
use super::needs::{self, Needed};
use super::process::try_run;

/// The directory that has Python's pgdumplib 4.0.0, with what it needs, to be put on `PYTHONPATH`.
pub fn pgdumplib() -> Needed<PathBuf> {
    let got = cache::directory("pgdumplib-4.0.0", |dir| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--no-warn-script-location", "--target"]);
        try_run(pip.arg(dir).arg("pgdumplib==4.0.0")).map(drop)
    });
    needs::need("pgdumplib", got)
}
