//! What `packaging/` gives to those who install lifeboat: units, examples, packages.

mod examples;
mod units;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of that folder.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

#[test]
fn packages_name_files_that_are_there() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let metadata = manifest.split_once("[package.metadata.deb]").unwrap().1.split_once("\n[lints]").unwrap().0;
    let named: Vec<&str> = metadata
        .lines()
        .filter_map(|line| line.trim().strip_prefix("[\"").or_else(|| line.trim().strip_prefix("{ source = \"")))
        .map(|line| line.split('"').next().unwrap())
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        // What packaging/packages makes before, and it alone.
        if let Some(made) = name.strip_prefix("target/packaging/") {
            let made = made.trim_end_matches("/*");
            assert!(text("packages").contains(&format!("$folder/{made}")), "{name} is not made");
            continue;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let folder = path.parent().unwrap();
        match path.file_name().unwrap().to_str().unwrap().split_once('*') {
            None => assert!(path.is_file(), "{name}"),
            Some((begin, end)) => {
                let mut files =
                    fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
                assert!(files.any(|file| file.starts_with(begin) && file.ends_with(end)), "{name}");
            }
        }
    }
}
