//! Archives that real pg_dump programs of long ago wrote: of versions 1.12 and 1.13, see `old/README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::restore::scripts::same_under_all_options;
use crate::support::archive::{Rows, assert_same};
use crate::support::{Database, REFERENCE, Scene, Server, installation, lifeboat, pg_tool, run};

const VERSIONS: [&str; 2] = ["1.12", "1.13"];

fn archive(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/interop/old/harbour-{version}.dump"))
}

#[test]
fn are_listed_verified_and_written_as_scripts() {
    for version in VERSIONS {
        let path = archive(version);
        let answer = run(lifeboat().args(["verify", "--json"]).arg(&path)).json();
        let found = ["sound", "entries", "rows", "large_objects"].map(|name| answer[name].to_string());
        assert_eq!(found, ["true", "22", "3", "1"], "{version}");
        needed!(installation::needed(REFERENCE));
        let ours = run(lifeboat().arg("list").arg(&path)).stdout();
        assert_eq!(ours, run(pg_tool(REFERENCE, "pg_restore").arg("-l").arg(&path)).stdout());
        assert!(ours.contains(&format!("Dump Version: {version}-0")), "{ours}");
        same_under_all_options(&path);
    }
}

fn holds_all(target: &Database<'_>) {
    let boats = "1|Möwe|C:\\new|1999-12-31\n2|tab\there|C:\\new|\n3|back\\slash|C:\\new|2010-01-01";
    assert_eq!(target.sql("SELECT id, name, path, seen FROM boats ORDER BY id"), boats);
    assert_eq!(target.sql("SELECT name FROM loud WHERE id = 3"), "BACK\\SLASH!");
    let object = "SELECT convert_from(lo_get(4711), 'UTF8'), obj_description(4711, 'pg_largeobject')";
    assert_eq!(target.sql(object), "anchor|iron");
    assert_eq!(target.sql("SELECT obj_description('boats'::regclass, 'pg_class')"), "größer");
    assert_eq!(target.sql("SELECT last_value, is_called FROM boats_id_seq"), "3|t");
    assert_eq!(target.sql("SELECT count(*) FROM pg_indexes WHERE tablename = 'boats'"), "2");
}

#[test]
fn are_restored_on_every_server_more_than_once() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        for version in VERSIONS {
            let path = archive(version);
            let (target, theirs) = (server.database("old"), server.database("old"));
            for more in [&[][..], &["--owner", "--acl"], &["--jobs", "2"], &["-1"]] {
                let said = target.restore(&path, more);
                assert_eq!(
                    said.stderr().contains("PROCEDURAL LANGUAGE plpgsql: it stays"),
                    version == "1.12",
                    "{said}"
                );
                holds_all(&target);
            }
            // They were made with standard_conforming_strings = off, which 19 does not have: pg_restore takes no notice.
            let default = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'boats'::regclass";
            assert!(target.sql(default).contains("'C:\\new'::text"), "on {}", server.major());
            if server.major() >= 19 {
                continue;
            }
            // It complains of a setting that servers before 17 do not know, and that it may not drop a language.
            theirs.pg_restore(REFERENCE, &["--clean", "--if-exists", "--no-owner", "--no-acl"], &path);
            let (ours, others) = (dir.path().join("ours"), dir.path().join("theirs"));
            target.pg_dump(REFERENCE, &["--no-owner", "--no-acl"], &ours);
            theirs.pg_dump(REFERENCE, &["--no-owner", "--no-acl"], &others);
            assert_same(&format!("{version} on {}", server.major()), &others, &ours, Rows::AnyOrder);
        }
    }
}

/// No server here can make such a table, so an archive says it of one that is none.
#[test]
fn a_table_that_had_oids_is_named() {
    let server = needed!(Server::get(REFERENCE));
    let (origin, target) = (server.database("oids"), server.database("oids"));
    origin.sql("CREATE TABLE numbered (a integer)");
    // Without data there are no offsets that would be others then.
    let scene = Scene::of(&origin, &["-s"]);
    let bytes = fs::read(scene.archive()).unwrap();
    let flag = b"\x00\x05\0\0\0false";
    let at = bytes.windows(flag.len()).rposition(|window| window == flag).unwrap();
    let changed = [&bytes[..at], b"\x00\x04\0\0\0true", &bytes[at + flag.len()..]].concat();
    fs::write(scene.archive(), changed).unwrap();
    let warning =
        "warning: TABLE public.numbered: its rows had OIDs, which servers have no more: it is restored without";
    let said = target.restore(&scene.archive(), &[]);
    assert!(said.stderr().contains(warning), "{said}");
    assert_eq!(target.sql("SELECT count(*) FROM numbered"), "0");
    let said = run(lifeboat().args(["restore", "--script", "-"]).arg(scene.archive()));
    assert!(said.stderr().contains(warning), "{said}");
    let said = run(lifeboat().args(["restore", "--script", "-", "-t", "other"]).arg(scene.archive()));
    assert!(!said.stderr().contains("OIDs"), "{said}");
}
