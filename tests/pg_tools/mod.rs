//! lifeboat called as PostgreSQL's own tools, beside those.

mod callers;
mod command_line;
mod encodings;
mod install;
mod kept;
mod outputs;
mod passwords;
mod restore;
mod roles;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::lifeboat;
use crate::support::process::isolate;

/// The majors whose tools lifeboat passes for, and that there are here.
const MAJORS: [u32; 5] = [14, 15, 16, 17, 18];

/// lifeboat as a tool of a major: by a name in a folder that says which.
pub struct Face {
    folder: tempfile::TempDir,
    major: u32,
}

impl Face {
    pub fn new(major: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let face = Self { folder, major };
        std::fs::create_dir_all(face.bin()).unwrap();
        crate::support::run(lifeboat().arg("install-tools").arg(face.bin()));
        face
    }

    /// The folder of the tools.
    pub fn bin(&self) -> PathBuf {
        self.folder.path().join(self.major.to_string()).join("bin")
    }

    /// One of the tools, in a clean environment.
    pub fn tool(&self, name: &str) -> Command {
        called(&self.bin().join(name))
    }
}

/// The program at `path`, in a clean environment.
fn called(path: &Path) -> Command {
    let mut command = Command::new(path);
    isolate(&mut command);
    command
}
