//! What lifeboat writes in each format, with each compression: read by pg_restore of every major that can, verified, and
//! restored over several connections.

use std::path::Path;

use super::format::{newest, script};
use crate::support::{MAJORS, REFERENCE, Scene, Server, installation, output, pg_tool};

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

tests! { all_formats:
    written_formats_of_14(14)
    written_formats_of_16(16)
    written_formats_of_18(18)
}
