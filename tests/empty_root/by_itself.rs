//! What the program can do without any database, and what it says where something is missing.

use std::fs;

use crate::support::empty_root::EmptyRoot;
use crate::support::{lifeboat, run};

#[test]
fn tells_of_itself_as_the_dynamic_one_does() {
    let root = needed!(EmptyRoot::new());
    for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["--help"], &["backup", "--help"]] {
        let expected = run(lifeboat().args(arguments));
        assert_eq!(root.run(arguments).stdout(), expected.stdout(), "{arguments:?}");
    }
    let long = root.run(&["--version"]).stdout();
    assert!(long.starts_with(&format!("lifeboat {}\n", env!("CARGO_PKG_VERSION"))), "{long}");
    assert!(long.contains("\ntarget: "), "{long}");
    root.run(&["man-pages", "/data"]);
    let page = fs::read_to_string(root.path("data/lifeboat-backup.1")).unwrap();
    assert!(page.contains(".TH lifeboat-backup 1"), "{page}");
    assert_eq!(root.lifeboat(&["bakup"]).code(), 2);
}

#[test]
fn a_drill_passes_and_says_what_it_lacks() {
    let root = needed!(EmptyRoot::new());
    let out = root.run(&["drill", "--scratch", "/data"]);
    assert!(out.stdout().contains("lifeboat: drill passed"), "{out}");
    assert!(out.stdout().contains("refused, as it must be"), "{out}");
    assert_eq!(fs::read_dir(root.path("data")).unwrap().count(), 0);
    // There is no folder for temporary files unless somebody makes one.
    let out = root.lifeboat(&["drill"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("/tmp") && out.stderr().contains("hint: "), "{out}");
    let out = root.lifeboat_without_proc(&["drill", "--scratch", "/data"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("/proc"), "{out}");
}
