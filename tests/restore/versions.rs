//! Archives of pg_dump 14 to 18, restored into databases in all sorts of states.

use super::{forced, restore_all, restore_from_pipe, sample, with_owners};
use crate::support::{REFERENCE, Server};

/// pg_dump of `dumper` makes an archive of the sample on a server of `major`; it is restored again and again.
fn round_trip(major: u32, dumper: u32) {
    let server = needed!(Server::get(major));
    let dir = tempfile::tempdir().unwrap();
    let (original, plain, archive) =
        (dir.path().join("original"), dir.path().join("plain"), dir.path().join("archive"));
    let origin = sample(server);
    origin.pg_dump(REFERENCE, &[], &original);
    origin.pg_dump(dumper, &[], &archive);

    let empty = server.database("empty");
    let summary = restore_all(&empty, &archive, &with_owners());
    assert_eq!((summary.rows, summary.large_objects), (504 + 400 + 6 + 2, 4));
    empty.assert_is("restored into an empty database", &original);

    // Once more over itself, in one transaction.
    let once = with_owners().single_transaction(true);
    restore_all(&empty, &archive, &once);
    empty.assert_is("restored over itself in one transaction", &original);

    // Over a damaged copy, from a pipe.
    empty.sql(
        "DROP EVENT TRIGGER watch; DROP TABLE app.orders CASCADE; TRUNCATE app.one_column; DROP DOMAIN app.positive CASCADE;
         INSERT INTO app.customer (name) VALUES ('more'); ALTER TABLE app.customer ADD extra integer;
         SELECT lo_unlink(900001); SELECT lo_put(900002, 0, 'other')",
    );
    // With the domain went a column, but the one that is there now was added.
    let refused = restore_from_pipe(&empty, &archive, &with_owners()).unwrap_err();
    assert!(refused.to_string().contains("COLUMN app.customer extra"), "{refused}");
    let ahead = with_owners().drop_dependents(true);
    let summary = restore_from_pipe(&empty, &archive, &ahead).unwrap();
    assert!(summary.is_complete(), "{summary:#?}");
    empty.assert_is("restored over a damaged copy", &original);

    // What the archive does not have stays as it is.
    let shared = server.database("shared");
    shared.sql("CREATE TABLE mine (a integer); INSERT INTO mine VALUES (7); CREATE SCHEMA app; CREATE TABLE app.mine (a integer)");
    shared.sql("DROP TABLE app.mine; DROP SCHEMA app");
    restore_all(&shared, &archive, &forced());
    assert_eq!(shared.sql("SELECT a FROM mine"), "7");
    shared.sql("DROP TABLE mine");
    // What pg_restore says of a setting that an older server does not have is of no interest here.
    let theirs = server.database("theirs");
    theirs.pg_restore(dumper, &["--no-owner", "--no-acl"], &archive);
    theirs.pg_dump(REFERENCE, &[], &plain);
    shared.assert_is("restored without owners beside another table", &plain);
    assert_eq!(
        shared.sql("SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'app'::regnamespace"),
        "postgres"
    );
}

tests! { round_trip:
    pg_dump_18_on_13(13, 18)
    pg_dump_14_on_14(14, 14)
    pg_dump_15_on_15(15, 15)
    pg_dump_16_on_16(16, 16)
    pg_dump_17_on_17(17, 17)
    pg_dump_18_on_18(18, 18)
}

/// An archive of an old server and an old pg_dump goes into a new server.
#[test]
fn pg_dump_14_into_18() {
    let (old, new) = (needed!(Server::get(14)), needed!(Server::get(18)));
    let dir = tempfile::tempdir().unwrap();
    let (archive, theirs) = (dir.path().join("archive"), dir.path().join("theirs"));
    sample(old).pg_dump(14, &[], &archive);
    let (by_us, by_pg_restore) = (new.database("by_us"), new.database("by_pg_restore"));
    restore_all(&by_us, &archive, &with_owners());
    let out = by_pg_restore.pg_restore(18, &[], &archive);
    assert!(out.success(), "{out}");
    by_pg_restore.pg_dump(18, &[], &theirs);
    by_us.assert_is("an archive of 14 in 18", &theirs);
}
