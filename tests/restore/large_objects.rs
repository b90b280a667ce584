//! Large objects, in every form that pg_dump has written them.

use std::io::Write;

use pgformat::{Compression, DumpId, Entry, Header, Section, Version, Writer};

use super::{forced, restore_all, restore_into, with_owners};
use crate::support::archive::{Rows, assert_same};
use crate::support::{REFERENCE, Server};

/// An archive as pg_dump up to 8.4 wrote it: large objects are data and nothing else.
#[test]
fn archives_without_entries_for_large_objects_make_them() {
    let server = needed!(Server::get(REFERENCE));
    for version in [Version::V1_10, Version::V1_11] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        let entry = Entry::new(DumpId(1), "BLOBS")
            .has_data(true)
            .tag("BLOBS")
            .section(Section::Data)
            .definition("")
            .drop_statement("")
            .owner("");
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = Writer::seekable(file, Header::new(version, Compression::None), vec![entry]).unwrap();
        let mut objects = writer.large_objects(DumpId(1)).unwrap();
        for (oid, content) in [(800_001, &b"first"[..]), (800_002, b""), (800_003, b"third")] {
            let mut object = objects.object(oid).unwrap();
            object.write_all(content).unwrap();
            object.finish().unwrap();
        }
        objects.finish().unwrap();
        writer.finish().unwrap();

        let target = server.database("target");
        target.sql("SELECT lo_from_bytea(800003, 'something longer than the new content')");
        let summary = restore_all(&target, &path, &forced());
        assert_eq!(summary.large_objects, 3);
        let contents = "SELECT string_agg(oid || convert_from(lo_get(oid), 'UTF8'), ',' ORDER BY oid) FROM pg_largeobject_metadata";
        assert_eq!(target.sql(contents), "800001first,800002,800003third");
        // Without clean, what is there already is an error, which names the object and takes no other along.
        target.sql("SELECT lo_unlink(800001), lo_unlink(800002)");
        let summary = restore_into(&target, &path, &forced().clean(false)).unwrap();
        assert_eq!((summary.large_objects, summary.errors.len()), (2, 1));
        assert!(summary.errors[0].statement.contains("large object 800003"), "{:?}", summary.errors);
        assert_eq!(target.sql(contents), "800001first,800002,800003third");
    }
}

/// Many small ones, and more than goes into one statement of a large one; with owners, privileges and comments.
fn many(major: u32) {
    let server = needed!(Server::get(major));
    let dir = tempfile::tempdir().unwrap();
    let (archive, again) = (dir.path().join("archive"), dir.path().join("again"));
    let origin = server.database("origin");
    origin.sql(
        "SELECT lo_from_bytea(1000000 + n, convert_to(repeat('x', n % 50), 'UTF8')) FROM generate_series(1, 3000) n;
         SELECT lo_put(1000001, n * 1000000, convert_to(md5(n::text), 'UTF8')) FROM generate_series(0, 5) n;
         DO $$ BEGIN FOR i IN 1000001..1000100 LOOP
             EXECUTE format('ALTER LARGE OBJECT %s OWNER TO alice', i);
             EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO bob', i);
         END LOOP; END $$;
         COMMENT ON LARGE OBJECT 1000007 IS 'seven'",
    );
    origin.pg_dump(major, &[], &archive);
    let target = server.database("target");
    for options in [with_owners(), with_owners(), with_owners().single_transaction(true)] {
        let summary = restore_all(&target, &archive, &options);
        assert_eq!(summary.large_objects, 3000);
        target.pg_dump(major, &[], &again);
        assert_same("many large objects", &archive, &again, Rows::InOrder);
    }
}

tests! { many:
    an_entry_for_each_as_14_writes_them(14)
    entries_for_batches_as_18_writes_them(18)
}
