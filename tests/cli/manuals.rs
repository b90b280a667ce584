//! What the program tells of itself: its version, completions for shells, man pages.

use std::fs;
use std::process::Command;

use crate::support::{Scene, run};

const VERBS: [&str; 11] = [
    "backup",
    "restore",
    "check",
    "status",
    "prune",
    "list",
    "verify",
    "drill",
    "install-tools",
    "completions",
    "man-pages",
];

#[test]
fn version_says_what_it_is_made_of() {
    let scene = Scene::new();
    let short = scene.run(&["-V"]).stdout();
    assert_eq!(short, format!("lifeboat {}\n", env!("CARGO_PKG_VERSION")));
    let long = scene.run(&["--version"]).stdout();
    assert!(long.starts_with(short.trim_end()), "{long}");
    for line in
        ["\ncommit: ", "\ntarget: ", "\nPostgreSQL servers: 13 to 19\n", "\narchives: 1.10 to 1.16\n", "\nSQLite: 3."]
    {
        assert!(long.contains(line), "{line:?} is not in {long}");
    }
}

#[test]
fn a_shell_completes_verbs_and_options() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = scene.run(&["completions", shell, "--quiet"]).stdout();
        assert!(text.contains("lock-wait-timeout") && !text.contains("\\u{"), "{shell}: {text}");
        fs::write(scene.path(shell), text).unwrap();
    }
    let complete = |words: &str| {
        let script = format!(
            "source ./bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _lifeboat lifeboat \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        run(Command::new("bash").current_dir(scene.path(".")).args(["-c", &script])).stdout()
    };
    assert_eq!(complete("lifeboat ver"), "verify\n");
    assert_eq!(complete("lifeboat backup --lock"), "--lock-wait-timeout\n");
    scene.fails(2, "possible values", &["completions", "cmd.exe"]);
}

#[test]
fn every_verb_has_a_page() {
    let scene = Scene::new();
    fs::create_dir(scene.path("man")).unwrap();
    scene.run(&["man-pages", "man"]);
    let mut expected: Vec<String> = VERBS.iter().map(|verb| format!("lifeboat-{verb}.1")).collect();
    expected.push("lifeboat.1".to_owned());
    expected.sort();
    let mut found: Vec<String> =
        fs::read_dir(scene.path("man")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, expected);
    let page = fs::read_to_string(scene.path("man/lifeboat-backup.1")).unwrap();
    assert!(page.contains(".TH lifeboat-backup 1") && page.contains("lock\\-wait\\-timeout"), "{page}");
    scene.fails(1, "nowhere", &["man-pages", "nowhere"]);
}
