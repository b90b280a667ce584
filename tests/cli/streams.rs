//! Standard input, output and error that are closed, full, the same, or whose reader is gone.

use std::fs;
use std::process::Command;

use crate::support::{Database, Output, REFERENCE, Scene, Server, output, run};

/// A database, an archive of it, and a folder to be in.
fn scene(server: &Server) -> (Scene, Database<'_>) {
    let (scene, database) = (Scene::new(), server.database("streams"));
    database.sql("CREATE TABLE t AS SELECT g, md5(g::text) FROM generate_series(1, 2000) g");
    scene.run(&["backup", "--url", &database.url(), "--output", "in.dump"]);
    (scene, database)
}

/// Runs lifeboat by a shell that redirects its streams.
fn shell(scene: &Scene, database: &Database<'_>, arguments: &str, redirections: &str) -> Output {
    let mut command = Command::new("bash");
    let script = format!("set -o pipefail; \"$0\" {arguments} {redirections}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_lifeboat")]).env("DATABASE_URL", database.url());
    output(command.current_dir(scene.path(".")))
}

const DATA_TO_OUTPUT: [&str; 4] = [
    "backup --output -",
    "backup --output /dev/stdout",
    "restore in.dump --script -",
    "restore in.dump --script /dev/fd/1",
];

#[test]
fn data_for_a_closed_standard_output_is_refused() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = scene(server);
    for verb in DATA_TO_OUTPUT {
        for closed in [">&-", "<&- >&-", "1<in.dump", "1</dev/null", "1<>/dev/null"] {
            for more in ["", "--json", "--quiet"] {
                let out = shell(&scene, &database, &format!("{verb} {more}"), closed);
                assert_eq!(out.code(), 2, "{closed}: {out}");
                assert!(out.stderr().contains("standard output is "), "{closed}: {out}");
                assert!(!out.stderr().contains("complete\n") && !out.stderr().contains("\"ok\":true"), "{out}");
            }
        }
        assert_eq!(shell(&scene, &database, verb, ">&- 2>&-").code(), 2);
        assert_eq!(shell(&scene, &database, verb, "<&- >&- 2>&-").code(), 2);
        // Who asks for nowhere gets it.
        let out = shell(&scene, &database, verb, ">/dev/null");
        assert!(out.success() && out.stderr().contains("complete\n"), "{out}");
    }
    assert_eq!(scene.names(), ["in.dump"]);
}

#[test]
fn nothing_gets_into_an_archive_whatever_is_closed() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = scene(server);
    for to in ["--output out.dump", "--output - >out.dump", "--output /dev/stdout | cat >out.dump"] {
        for closed in ["<&-", "2>&-", "<&- 2>&-"] {
            let arguments = format!("backup --verbose {closed} {to}");
            let out = shell(&scene, &database, &arguments, "");
            assert!(out.success(), "{out}");
            let bytes = fs::read(scene.path("out.dump")).unwrap();
            let reference = fs::read(scene.path("in.dump")).unwrap();
            assert!(bytes.len() <= reference.len() + 100, "{to} {closed}: {} bytes", bytes.len());
            assert!(!bytes.windows(9).any(|part| part == b"lifeboat:"), "{to} {closed}");
            run(database.tool(REFERENCE, "pg_restore").arg("-l").arg(scene.path("out.dump")));
            fs::remove_file(scene.path("out.dump")).unwrap();
        }
    }
    // With everything closed, a file is made all the same.
    let out = shell(&scene, &database, "backup --output out.dump", "<&- >&- 2>&-");
    assert!(out.success(), "{out}");
    scene.run(&["verify", "out.dump"]);
}

#[test]
fn messages_are_kept_out_of_archives_and_scripts() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = scene(server);
    for verb in DATA_TO_OUTPUT {
        for same in [">out 2>&1", "2>&1 | cat >out", "2>out >&2"] {
            let out = shell(&scene, &database, verb, same);
            assert_eq!(out.code(), 2, "{out}");
            let text = fs::read_to_string(scene.path("out")).unwrap();
            assert!(text.contains("messages would get into it"), "{text}");
        }
    }
    for verb in ["backup --output /dev/stderr", "restore in.dump --script /proc/self/fd/2"] {
        let out = shell(&scene, &database, verb, "");
        assert_eq!(out.code(), 2, "{out}");
        assert!(out.stderr().contains("that is standard error"), "{out}");
    }
    // A report that follows the data, in the same pipe, would be a part of it.
    let out = shell(&scene, &database, "restore in.dump --script /dev/stdout", "| tail -n 1");
    assert!(out.success() && !out.stdout().contains("lifeboat: "), "{out}");
}

#[test]
fn full_device_and_lost_reader_are_errors() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = scene(server);
    for verb in DATA_TO_OUTPUT {
        let out = shell(&scene, &database, verb, ">/dev/full");
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("No space left on device"), "{out}");
        let out = shell(&scene, &database, verb, "| (exec <&-; sleep 0.1)");
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("Broken pipe") && !out.stderr().contains("complete"), "{out}");
    }
    for verb in ["backup --output /dev/full", "restore in.dump --script /dev/full"] {
        let out = shell(&scene, &database, verb, "");
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("No space left on device") && out.stdout().is_empty(), "{out}");
    }
    for verb in ["--help", "backup --help", "--version", "list in.dump", "verify in.dump", "verify --json in.dump"] {
        let out = shell(&scene, &database, verb, ">/dev/full");
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("could not print the "), "{out}");
    }
    assert_eq!(scene.names(), ["in.dump"]);
}

#[test]
fn nothing_is_made_of_a_closed_standard_input() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = scene(server);
    for verb in [
        "restore - --force",
        "restore - --script out",
        "list -",
        "verify -",
        "backup --output out --filter -",
        "restore in.dump --force --use-list -",
        "restore in.dump --force --filter -",
    ] {
        for closed in ["<&-", "0>other", "<>/dev/null", "<&- 2>&-"] {
            let out = shell(&scene, &database, verb, closed);
            assert_eq!(out.code(), 2, "{closed}: {out}");
            assert!(closed.contains("2>") || out.stderr().contains("standard input is "), "{closed}: {out}");
        }
        assert!(!scene.path("out").exists());
    }
}
