//! A folder in which a test plays, most often with an archive in it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Database, Output, REFERENCE, lifeboat, output, verbs};

/// The folder; it is the current folder of the program under test.
pub struct Scene {
    folder: TempDir,
}

impl Scene {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With pg_dump's archive of a database.
    pub fn of(database: &Database<'_>, options: &[&str]) -> Self {
        let scene = Self::new();
        database.pg_dump(REFERENCE, options, &scene.archive());
        scene
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Where the one archive of a scene is that has one.
    pub fn archive(&self) -> PathBuf {
        self.path("archive")
    }

    /// What is in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn lifeboat(&self, arguments: &[&str]) -> Output {
        output(lifeboat().current_dir(self.folder()).args(arguments))
    }

    /// Runs the program, which must succeed.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let out = self.lifeboat(arguments);
        assert!(out.success(), "{out}");
        out
    }

    /// Runs the program, which must end with this code and say this, and print nothing on standard output.
    pub fn fails(&self, code: i32, says: &str, arguments: &[&str]) -> Output {
        let out = self.lifeboat(arguments);
        assert_eq!(out.code(), code, "{out}");
        assert!(out.stderr().starts_with("lifeboat: error: "), "{out}");
        assert!(out.stderr().contains(says), "does not say {says:?}: {out}");
        assert_eq!(out.stdout(), "", "{out}");
        out
    }

    /// Restores the archive over what is in a database, whatever comes of it.
    pub fn restore(&self, url: &str, options: &[&str]) -> Output {
        output(&mut verbs::restore(url, &self.archive(), options))
    }
}
