//! Large objects one by one, as archives before 1.16 have them: beside pg_dump 14 to 16, which wrote such archives, and
//! back by their pg_restore and by lifeboat.

use std::path::Path;

use crate::support::archive::{self, Archive, Rows, differences};
use crate::support::{Server, lifeboat, run};

fn large_objects(path: &Path) -> Archive {
    let mut archive = archive::read(path).unwrap();
    archive.entries.retain(|entry| {
        let text = |text: &Option<Vec<u8>>| String::from_utf8(text.clone().unwrap()).unwrap();
        text(&entry.desc).starts_with("BLOB") || text(&entry.tag).contains("LARGE OBJECT ")
    });
    archive
}

fn check(major: u32, version: &str) {
    let server = needed!(Server::get(major));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects/large_object/owned_commented_granted.sql");
    let origin = server.database("large_objects");
    assert!(origin.load_file(&case).success());

    let (reference, ours) = (file("reference"), file("ours"));
    origin.pg_dump(major, &[], &reference);
    origin.backup(&ours, &["--owner", "--acl", "--archive-version", version]);
    let (expected, found) = (large_objects(&reference), large_objects(&ours));
    assert!(expected.entries.len() > 15, "{} entries", expected.entries.len());
    assert_eq!(expected.version, found.version);
    let differences = differences(&expected, &found, Rows::InOrder);
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    let before = file("before");
    origin.pg_dump(18, &[], &before);
    for by_pg_restore in [true, false] {
        let restored = server.database("large_objects");
        if by_pg_restore {
            let out = restored.pg_restore(major, &[], &ours);
            assert!(out.success(), "{out}");
        } else {
            run(lifeboat().args(["restore", "--force", "--owner", "--acl", "--url"]).arg(restored.url()).arg(&ours));
        }
        let after = file("after");
        restored.pg_dump(18, &[], &after);
        archive::assert_same("the restored large objects", &before, &after, Rows::AnyOrder);
    }
}

tests! { check:
    one_by_one_as_of_14(14, "1.14")
    one_by_one_as_of_15(15, "1.14")
    one_by_one_as_of_16(16, "1.15")
}
