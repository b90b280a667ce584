//! Selections that make no sense, or that nothing matches.

use crate::selection::sample;
use crate::support::{REFERENCE, Server, output, verbs};

/// Options, and what the error has to say.
const REFUSED: &[(&[&str], &str)] = &[
    (&["-n", "nowhere"], "schemas that match nowhere"),
    (&["-t", "nothing", "-t", "nothing_either"], "tables that match nothing"),
    (&["-e", "none"], "extensions that match none"),
    (&["--include-foreign-data", "nobody"], "foreign servers that match nobody"),
    (&["-t", "t1", "-t", "nothing", "--strict-names"], "tables that match nothing"),
    (&["-n", "app", "-n", "nowhere", "--strict-names"], "schemas that match nowhere"),
    (&["-t", "T1", "-t", "\"T1\"", "--strict-names"], "tables that match \"T1\""),
    (&["-n", "a.b.c"], "too many dots"),
    (&["-n", "app.people"], "another database"),
    (&["-e", "a.b"], "too many dots"),
    (&["-t", "a.b.c.d"], "too many dots"),
    (&["-t", "elsewhere.app.people"], "another database"),
    (&["-t", "(unclosed"], "tables that match (unclosed"),
    (&["-n", "pg_catalog"], "every database has: pg_catalog"),
    (&["-s", "-a"], "cannot be used with"),
    (&["-s", "--no-schema"], "cannot be used with"),
    (&["--statistics-only", "--no-statistics"], "cannot be used with"),
    (&["-s", "--include-foreign-data", "files"], "--include-foreign-data asks for data"),
    (&["--section", "middle"], "pre-data, data, post-data"),
    (&["--filter", "/nonexistent/filter"], "/nonexistent/filter"),
];

#[test]
fn nonsense_is_refused_with_the_reason() {
    let server = needed!(Server::get(REFERENCE));
    let database = sample(server);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    for (options, expected) in REFUSED {
        let out = database.try_backup(&path, options);
        let code = if options[0] == "--filter" { 1 } else { 2 };
        assert_eq!(out.code(), code, "{options:?}: {out}");
        assert!(out.stderr().contains(expected), "{options:?}: no {expected:?} in {out}");
        assert!(!path.exists(), "{options:?}: there is a file");
    }
}

#[test]
fn filter_files_that_make_no_sense_are_refused_with_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let filter = dir.path().join("filter");
    for (text, expected) in [
        ("include table t1\ninclude table_data t1\n", "line 2: \"include table_data\" is not possible"),
        ("exclude foreign_data x", "line 1: \"exclude foreign_data\" is not possible"),
        ("include function f()", "line 1: \"include function\" is not possible"),
        ("\nonly table t1", "line 2: \"only\" is neither"),
        ("include table \"open", "line 1: the quotes are not closed"),
    ] {
        std::fs::write(&filter, text).unwrap();
        let out = output(&mut verbs::backup(
            "postgresql://127.0.0.1:1/x",
            &dir.path().join("none"),
            &["--filter", filter.to_str().unwrap()],
        ));
        assert_eq!(out.code(), 2, "{text:?}: {out}");
        assert!(out.stderr().contains(expected), "{text:?}: no {expected:?} in {out}");
    }
}

#[test]
fn pattern_without_a_match_beside_one_with_is_told() {
    let server = needed!(Server::get(REFERENCE));
    let database = sample(server);
    let dir = tempfile::tempdir().unwrap();
    let out = database.try_backup(&dir.path().join("some"), &["-t", "t1", "-t", "nothing"]);
    assert!(out.success() && out.stderr().contains("no tables that match nothing"), "{out}");
    // Every pattern of schemas takes the system's along; nobody means them.
    let out = database.try_backup(&dir.path().join("all"), &["-n", "*"]);
    assert!(out.success() && out.stderr().contains("left out, every database has them: information_schema"), "{out}");
}

#[test]
fn options_of_the_other_backend_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |url: &str, options: &[&str], expected: &str| {
        let out = output(&mut verbs::backup(url, &dir.path().join("none"), options));
        assert_eq!(out.code(), 2, "{out}");
        assert!(out.stderr().contains(expected), "no {expected:?} in {out}");
    };
    refused("sqlite:///app.db", &["-n", "app", "--acl"], "--acl and --schema");
    refused("sqlite:///app.db", &["-Z", "none"], "--compress");
    refused("postgresql://127.0.0.1:1/x", &["--compact"], "--compact");
}
