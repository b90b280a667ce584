//! What lifeboat writes in each format, with each compression: read by pg_restore of every major that can, verified, and
//! restored over several connections.

use std::path::Path;
use std::process::Command;

use super::format::{newest, script};
use super::tar::timeless;
use crate::support::{MAJORS, REFERENCE, Scene, Server, installation, output, pg_tool, run};

/// More than pg_dump puts into one entry, some of them empty.
const OBJECTS: &str =
    "SELECT count(lo_from_bytea(0, convert_to(repeat('x', n % 5 * n), 'UTF8'))) FROM generate_series(1, 1100) n";

fn all_formats(major: u32) {
    let server = needed!(Server::get(major));
    let origin = server.database("written");
    origin.load("tests/restore/sample.sql");
    origin.sql(OBJECTS);
    let scene = Scene::new();
    let original = scene.path("original");
    origin.pg_dump(REFERENCE, &[], &original);
    for version in ["1.14", "1.16"] {
        let custom = scene.path(&format!("custom-{version}"));
        origin.backup(&custom, &["--acl", "--archive-version", version]);
        for (format, options) in [
            ("directory", &[][..]),
            ("directory", &["--jobs", "3"]),
            ("d", &["--compress", "none", "--jobs", "2"]),
            ("d", &["--compress", "lz4", "--jobs", "2"]),
            ("d", &["--compress", "zstd:3"]),
            ("tar", &[]),
            ("t", &["--jobs", "2", "--compress", "none"]),
        ] {
            let options = [options, &["--acl", "--format", format]].concat();
            let is_new = options.iter().any(|option| option.starts_with("lz4") || option.starts_with("zstd"));
            let given = if is_new && version == "1.14" { "1.15" } else { version };
            let what = format!("{options:?} in version {given} of {major}");
            let path = scene.path(&format!("{format}-{}", scene.names().len()));
            origin.backup(&path, &[&options[..], &["--archive-version", given]].concat());
            scripts_are_the_same(&what, &custom, &path, given == version);
            let out = scene.run(&["verify", path.to_str().unwrap(), "--json"]).json();
            assert_eq!(
                (out["sound"].as_bool(), out["large_objects"].as_i64()),
                (Some(true), Some(1104)),
                "{what}: {out}"
            );
            let target = server.database("restored");
            target.restore(&path, &["--owner", "--acl", "--jobs", "3"]);
            target.assert_is(&what, &original);
        }
    }
}

/// Of an archive that differs in nothing but its format, every program makes the same script.
fn scripts_are_the_same(what: &str, custom: &Path, path: &Path, ours_too: bool) {
    let version = pgformat::Reader::new(std::fs::File::open(custom).unwrap()).unwrap().header().version;
    for major in MAJORS.into_iter().filter(|major| *major >= 14 && newest(*major) >= version) {
        if installation::needed(major).is_err() || (!ours_too && newest(major) < pgformat::Version::V1_15) {
            continue;
        }
        let made = |path: &Path| script(output(pg_tool(major, "pg_restore").args(["-f", "-"]).arg(path)));
        assert!(made(custom) == made(path), "{what}: another script by pg_restore {major}");
    }
}

/// The script beside the data of a tar archive is pg_dump's, but for the numbers of entries, and for who made it.
fn script_in_tar_is_that_of_pg_dump(major: u32) {
    let server = needed!(Server::get(major));
    let origin = server.database("script in \"tar\"");
    origin.load("tests/restore/sample.sql");
    origin.sql(OBJECTS);
    let scene = Scene::new();
    let (theirs, ours) = (scene.path("theirs"), scene.path("ours"));
    let masked = |tar: &Path| {
        let script = run(Command::new("tar").arg("-xOf").arg(tar).arg("restore.sql")).stdout();
        let line = |line: &str| match line.split_once("$$PATH$$/") {
            Some((before, after)) => format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
            None if line.starts_with("-- Dumped by pg_dump version") => String::new(),
            None => line.to_owned(),
        };
        script.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    for options in [&[][..], &["--schema-only"], &["--data-only"]] {
        run(origin.tool(REFERENCE, "pg_dump").args(["-Ft", "-f"]).arg(&theirs).args(options));
        let options = [options, &["--format", "tar", "--acl", "--force", "--archive-version", "1.16"]].concat();
        origin.backup(&ours, &options);
        let (theirs, ours) = (masked(&theirs), masked(&ours));
        let differs = theirs.lines().zip(ours.lines()).find(|(theirs, ours)| theirs != ours);
        assert!(theirs == ours, "{options:?} of {major}: {differs:?}");
    }
}

#[test]
fn a_tar_archive_goes_through_a_pipe() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("piped");
    origin.load("tests/restore/sample.sql");
    // More than waits in memory.
    origin.sql("CREATE TABLE large AS SELECT g, md5(g::text) FROM generate_series(1, 100000) g");
    let scene = Scene::new();
    let original = scene.path("original");
    origin.pg_dump(REFERENCE, &[], &original);
    origin.backup(&scene.path("file"), &["--format", "tar", "--acl"]);
    let program = env!("CARGO_BIN_EXE_lifeboat");
    let script = format!("{program} backup --format tar --acl --url {} --output - | cat >piped", origin.url());
    run(Command::new("bash").args(["-o", "pipefail", "-c", &script]).current_dir(scene.folder()));
    // What differs is when they were made.
    let bare = |name: &str| {
        let mut archive = timeless(&scene.path(name));
        archive.drain(512..512 + 64);
        archive
    };
    assert!(bare("file") == bare("piped"), "another archive comes out of a pipe");
    let target = server.database("restored");
    target.restore(&scene.path("piped"), &["--owner", "--acl"]);
    target.assert_is("a tar archive from a pipe", &original);
    let out = scene.lifeboat(&["backup", "--url", &origin.url(), "-F", "t", "-Z", "gzip:6", "--output", "no"]);
    assert!(out.code() == 2 && out.stderr().contains("compress a tar archive with gzip:6"), "{out}");
}

tests! { script_in_tar_is_that_of_pg_dump:
    script_in_tar_of_14(14)
    script_in_tar_of_15(15)
    script_in_tar_of_16(16)
    script_in_tar_of_17(17)
    script_in_tar_of_18(18)
}

tests! { all_formats:
    written_formats_of_14(14)
    written_formats_of_18(18)
}
