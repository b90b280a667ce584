//! What a run says besides its results. libtest swallows what a passing test prints with `println!`, and a test that was
//! not run must be seen, so this writes to the file descriptor itself.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Says `line` on stderr, past libtest's capture, and adds it to the file that `LIFEBOAT_TEST_SUMMARY` names.
pub fn say(line: &str) {
    let line = format!("lifeboat tests: {line}\n");
    // A closed stderr is no reason for a test to fail.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("LIFEBOAT_TEST_SUMMARY") {
        let path = PathBuf::from(path);
        let written =
            OpenOptions::new().create(true).append(true).open(&path).and_then(|mut f| f.write_all(line.as_bytes()));
        if let Err(e) = written {
            panic!("cannot write the summary to {}: {e}", path.display());
        }
    }
}
