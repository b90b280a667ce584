//! Command lines that make no sense: the same words and the same exit code as PostgreSQL's tools have for them, of each major.

use std::process::Command;

use super::{Face, MAJORS};
use crate::support::installation::installation;
use crate::support::{Output, output};

/// What is wrong whatever the server is.
const WRONG: &[(&str, &[&str])] = &[
    (
        "pg_dump",
        &[
            "--nonsense=1",
            "--f",
            "--cle=1",
            "--file",
            "-q",
            "-f",
            "--no",
            "--s",
            "--d=x",
            "--no-blo=x",
            "-cvf",
            "-v --version",
            "-v --help",
            "a b c",
            "-d x y",
            "-j 0",
            "-j x",
            "-j -1",
            "-j 99999999999",
            "-j 2",
            "-j 2 -Fc",
            "-F q",
            "-Fd",
            "-F tar -Z 3",
            "-Z 10 -Fc",
            "--section=x",
            "-a -s",
            "-sa",
            "-c -a",
            "--if-exists",
            "--on-conflict-do-nothing",
            "-s --include-foreign-data=x",
            "-Fd -f x -j 2 --include-foreign-data=x",
            "--extra-float-digits=20",
            "--extra-float-digits=-16",
            "--rows-per-insert=0",
            "--rows-per-insert=x",
            "--restrict-key=",
            "--restrict-key=a'b",
            "--restrict-key=x -Fc",
            "--exclude-table-data",
            "--large",
            "--table-and=x -q",
            "--filter=/nowhere/at/all",
            "--sync-method=x",
            "-Z q -Fc",
            "-Z none:3",
            "-Z gzip:nonInt",
            "-Z gzip:level=x",
            "-Z gzip:long",
            "-Z zstd:long=x",
            "-Z zstd:99",
            "-Z lz4:77",
            "--statistics-only -s",
            "--statistics-only -a",
            "--statistics --no-statistics",
            "--statistics-only --no-statistics",
            "-a --no-data",
            "-s --no-schema",
            "-s --statistics",
            "-a --statistics",
            "-X -q",
            "-R -q",
        ],
    ),
    (
        "pg_dumpall",
        &[
            "--nonsense=1",
            "--f",
            "--cle=1",
            "--file",
            "-q",
            "-f",
            "--no",
            "--no-s",
            "--s",
            "--ro",
            "--d=x",
            "--exclude",
            "-v --version",
            "-v --help",
            "a",
            "a b c",
            "-g -r",
            "-g -t",
            "-r -t",
            "-grt",
            "--if-exists",
            "--if-exists -r -t",
            "-g --exclude-database=x",
            "-r --exclude-database=x -t",
            "--restrict-key=",
            "--restrict-key=a'b -g",
            "--filter=/nowhere/at/all",
            "-C -g",
            "-Z 3",
            "-j 2",
            "--no-acl -q",
            "--attribute-inserts -q",
            "-B",
            "-b",
        ],
    ),
    (
        "pg_restore",
        &[
            "x",
            "-l a b",
            "-f x -d y text",
            "-d y --restrict-key=a text",
            "-f - --restrict-key= text",
            "-f - --restrict-key=a'b text",
            "-f - -a -s text",
            "-f - -a -c text",
            "-f - -s --statistics-only text",
            "-f - -a --statistics-only text",
            "-f - -s --no-schema text",
            "-f - --statistics-only --no-statistics text",
            "-f - --statistics --no-statistics text",
            "-f - -a --statistics text",
            "-f - -s --statistics text",
            "-d y -1 --transaction-size=3 text",
            "-d y -C -1 text",
            "-d y -1 -j 2 text",
            "-f - -C -1 text",
            "-f - -1 -j 2 text",
            "-f - --if-exists text",
            "-f - -F p text",
            "-f - -F x text",
            "-f - -F plain text",
            "-f - /nowhere/at/all",
            "-f - -Fc /nowhere/at/all",
            "-f - -Fd /nowhere/at/all",
            "-f - -Ft /nowhere/at/all",
            "-f - -Fd",
            "-f - /tmp",
            "-f - -Fc /tmp",
            "-f - -Fd /tmp",
            "-f - -Ft /tmp",
            "-f - /proc/self/status",
            "-j 0 -f - text",
            "-j x -f - text",
            "--transaction-size=0 -f - text",
            "--transaction-size=x -f - text",
            "--section=x -f - text",
            "--filter=/nowhere -f - text",
            "-l -f x -d y text",
            "-q",
            "--f",
            "--no",
            "--nonsense",
            "-R -X",
            "--s",
            "--no-data-",
            "-v -V",
            "-l --exclude",
            "-FF",
        ],
    ),
];

fn run(mut tool: Command, line: &str, posix: bool) -> Output {
    if posix {
        tool.env("POSIXLY_CORRECT", "1");
    }
    output(tool.args(line.split(' ')))
}

/// Without the folder that the tool was called from.
fn said(out: &Output, folder: &std::path::Path) -> (i32, String) {
    (out.code(), out.stderr().replace(&format!("{}/", folder.display()), ""))
}

#[test]
fn what_makes_no_sense_is_refused_in_the_same_words() {
    for major in MAJORS {
        let theirs = needed!(crate::support::installation::needed(major));
        let ours = Face::new(major);
        for (tool, lines) in WRONG {
            for line in *lines {
                for posix in [false, true] {
                    let expected = run(theirs.tool(tool).unwrap(), line, posix);
                    if expected.stderr().contains("connection to server") || (major, *line) == (14, "-j 99999999999") {
                        // This major does not know what is wrong with it, or takes it for another number.
                        continue;
                    }
                    let found = run(ours.tool(tool), line, posix);
                    let (expected, found) = (said(&expected, &theirs.bin), said(&found, &ours.bin()));
                    assert_eq!(found, expected, "{tool} {line} of {major}");
                }
            }
        }
    }
    assert!(installation(18).is_ok());
}

#[test]
fn versions_and_helps_are_what_callers_look_for() {
    for (major, version) in [(14, "14.23"), (15, "15.19"), (16, "16.15"), (17, "17.11"), (18, "18.6"), (19, "19rc1")] {
        let ours = Face::new(major);
        for tool in ["pg_dump", "pg_dumpall", "pg_restore"] {
            for option in ["--version", "-V"] {
                let out = output(ours.tool(tool).arg(option));
                let begins = format!("{tool} (PostgreSQL) {version} (lifeboat ");
                assert!(out.success() && out.stdout().starts_with(&begins), "{out}");
            }
            for option in ["--help", "-?"] {
                let out = output(ours.tool(tool).arg(option));
                let longest = out.stdout().lines().map(str::len).max();
                assert!(out.success() && out.stderr().is_empty() && longest <= Some(80), "{out}");
                // Callers ask the help which options there are.
                let knows = |word: &str| out.stdout().contains(word);
                assert_eq!((knows("--no-comments"), knows("--filter=")), (true, major >= 17), "{out}");
            }
        }
    }
}

#[test]
fn a_major_comes_from_the_folder_before_the_variable() {
    let ours = Face::new(16);
    let out = output(ours.tool("pg_dump").arg("-V").env("LIFEBOAT_PG_MAJOR", "14"));
    assert!(out.stdout().contains(" 16."), "{out}");
    let plain = tempfile::tempdir().unwrap();
    std::fs::hard_link(ours.bin().join("pg_dump"), plain.path().join("pg_dump")).unwrap();
    for (variable, says) in [("", "18."), ("14", "14."), ("17", "17.")] {
        let out = output(super::called(&plain.path().join("pg_dump")).arg("-V").env("LIFEBOAT_PG_MAJOR", variable));
        assert!(out.stdout().contains(&format!("(PostgreSQL) {says}")), "{out}");
    }
    let out = output(super::called(&plain.path().join("pg_dump")).arg("-V").env("LIFEBOAT_PG_MAJOR", "nine"));
    assert!(out.code() == 1 && out.stderr().contains("LIFEBOAT_PG_MAJOR"), "{out}");
    // By the name of a verb, and by a symbolic link, too.
    let out = output(crate::support::lifeboat().args(["pg_dump", "-V"]));
    assert!(out.stdout().starts_with("pg_dump (PostgreSQL) 18."), "{out}");
    let link = plain.path().join("17/bin");
    std::fs::create_dir_all(&link).unwrap();
    std::os::unix::fs::symlink(ours.bin().join("pg_dump"), link.join("pg_dump")).unwrap();
    let out = output(super::called(&link.join("pg_dump")).arg("-V"));
    assert!(out.stdout().starts_with("pg_dump (PostgreSQL) 17."), "{out}");
}
