//! Memory is bounded by buffers, not by what is in the database. `benches/memory` measures the same with 2 GB.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::support::{REFERENCE, Running, Scene, Server, lifeboat, verbs};

const LIMIT: u64 = 100 * 1024;

/// Runs the command, which must succeed, and gives the largest resident size that was seen, in KiB.
fn largest_resident_size(command: &mut Command) -> u64 {
    let running = Running::start(command);
    let status = format!("/proc/{}/status", running.pid());
    let watch = std::thread::spawn(move || {
        let mut largest = 0;
        // An ended process has a status still, but none of memory.
        while let Some(size) = fs::read_to_string(&status).ok().and_then(|text| {
            text.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse::<u64>().ok()
        }) {
            largest = largest.max(size);
            std::thread::sleep(Duration::from_millis(5));
        }
        largest
    });
    let out = running.end();
    assert!(out.success(), "{out}");
    let largest = watch.join().unwrap();
    assert!(largest > 0, "nothing was measured");
    largest
}

#[test]
fn memory_does_not_grow_with_rows_and_large_objects() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("memory");
    // 150 rows of 1 MiB, a row of 12 MiB, many small rows, an object of 48 MiB.
    database.sql(
        "CREATE TABLE base AS SELECT string_agg(md5(g::text), '') AS text FROM generate_series(1, 65536) g;
         CREATE TABLE wide (id integer, text text);
         ALTER TABLE wide ALTER text SET STORAGE external;
         INSERT INTO wide SELECT g, substr(text, g, 1048576) FROM base, generate_series(1, 150) g;
         INSERT INTO wide SELECT 0, repeat(text, 6) FROM base;
         CREATE TABLE narrow AS SELECT g AS id, g % 7 AS n FROM generate_series(1, 400000) g;
         SELECT lo_from_bytea(4711, convert_to(repeat(text, 24), 'UTF8')) FROM base;",
    );
    let sum = "SELECT count(*), sum(length(text)), sum(hashtext(text)::bigint) FROM wide";
    for (jobs, compress, format) in [
        ("1", "none", "custom"),
        ("2", "none", "custom"),
        ("1", "gzip:1", "custom"),
        ("2", "none", "directory"),
        ("2", "none", "tar"),
    ] {
        let scene = Scene::new();
        let path = scene.path("out.dump");
        let size = largest_resident_size(&mut verbs::backup(
            &database.url(),
            &path,
            &["--jobs", jobs, "--compress", compress, "--format", format],
        ));
        let made = fs::read_dir(&path).map_or_else(
            |_| fs::metadata(&path).unwrap().len(),
            |files| files.map(|file| file.unwrap().metadata().unwrap().len()).sum(),
        );
        assert!(made > 30_000_000);
        assert!(size < LIMIT, "the backup with {jobs} jobs in {format} format took {size} KiB");
        let restored = server.database("memory");
        let size = largest_resident_size(&mut verbs::restore(&restored.url(), &path, &[]));
        assert!(size < LIMIT, "the restore took {size} KiB");
        assert_eq!(restored.sql(sum), database.sql(sum));
    }
}

/// Rows and objects that are larger than all memory that there is for them, in every direction. A row of 300 MB takes a
/// server three times as much, and pg_dump twice.
#[test]
fn memory_does_not_grow_with_the_size_of_a_row() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("memory");
    // A row of 300 MB without a place where it could be cut, one of many characters that COPY escapes, and between small
    // ones one of two values.
    database.sql(
        "CREATE TABLE wide (id integer, a text, b text);
         INSERT INTO wide VALUES (1, 'before', NULL), (2, repeat('0123456789', 30000000), ''),
           (3, repeat(E'a\\\t\n', 5000000), repeat('xy', 20000000)), (4, 'after', 'x')",
    );
    let sum =
        "SELECT count(*), sum(length(a)), sum(hashtext(a)::bigint), sum(length(b)), sum(hashtext(b)::bigint) FROM wide";
    let scene = Scene::new();
    let path = scene.path("out.dump");
    for compress in ["none", "gzip:1"] {
        let size =
            largest_resident_size(&mut verbs::backup(&database.url(), &path, &["--force", "--compress", compress]));
        assert!(size < LIMIT, "the backup took {size} KiB");
    }
    let script = scene.path("script.sql");
    let size = largest_resident_size(lifeboat().arg("restore").arg(&path).arg("--script").arg(&script));
    assert!(size < LIMIT, "the script took {size} KiB");
    assert!(fs::metadata(&script).unwrap().len() > 340_000_000);
    fs::remove_file(&script).unwrap();
    // Real pg_dump puts each row into a block of its own. (The check before a restore is what verify does.)
    let reference = scene.path("ref.dump");
    database.pg_dump(REFERENCE, &["-Z0"], &reference);
    for archive in [&path, &reference] {
        let restored = server.database("memory");
        let size = largest_resident_size(&mut verbs::restore(&restored.url(), archive, &[]));
        assert!(size < LIMIT, "the restore took {size} KiB");
        assert_eq!(restored.sql(sum), database.sql(sum));
    }
}

/// A statement goes to the server as a whole, and is in memory once.
#[test]
fn row_that_is_a_statement_is_held_once() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("memory");
    database.sql(
        "CREATE TABLE t (id integer, a text);
         INSERT INTO t VALUES (1, 'before'), (2, repeat('0123456789', 6000000)), (3, 'after'), (4, repeat('x', 2000000)), (5, NULL)",
    );
    let scene = Scene::new();
    let path = scene.path("inserts.dump");
    database.pg_dump(REFERENCE, &["--inserts", "-Z0"], &path);
    let restored = server.database("memory");
    let verify = vec!["verify".to_owned()];
    let restore = ["restore", "--force", "--url", &restored.url()].map(str::to_owned).to_vec();
    for arguments in [verify, restore] {
        let size = largest_resident_size(lifeboat().args(&arguments).arg(&path));
        assert!(size < 110_000, "{} took {size} KiB", arguments[0]);
    }
    let sum = "SELECT count(*), sum(length(a)), sum(hashtext(a)::bigint) FROM t";
    assert_eq!(restored.sql(sum), database.sql(sum));
}

/// 300 columns with statistics of 300 KB each: they are written as they come.
#[test]
fn memory_does_not_grow_with_statistics() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("statistics");
    database.sql(
        "DO $$ DECLARE bounds text;
         BEGIN
           SELECT array_agg(lpad(n::text, 5, '0') || repeat(md5(n::text), 90))::text INTO bounds FROM generate_series(1, 100) n;
           FOR i IN 1..300 LOOP
             EXECUTE format('CREATE TABLE t%s (a text)', i);
             PERFORM pg_restore_attribute_stats('schemaname', 'public', 'relname', 't' || i, 'attname', 'a',
               'inherited', false, 'null_frac', 0::real, 'avg_width', 2885, 'n_distinct', -1::real,
               'histogram_bounds', bounds);
           END LOOP;
         END $$",
    );
    let scene = Scene::new();
    let path = scene.path("out.dump");
    let size = largest_resident_size(&mut verbs::backup(&database.url(), &path, &["--statistics"]));
    let written = fs::metadata(&path).unwrap().len();
    assert!(written > 80_000_000, "{written} bytes were written");
    assert!(size < LIMIT, "the backup took {size} KiB");

    // A restore knows its table of contents, but once.
    let restored = server.database("statistics");
    let size = largest_resident_size(&mut verbs::restore(&restored.url(), &path, &[]));
    assert!(size < written / 1024 * 3 / 2, "the restore took {size} KiB");
    assert_eq!(restored.sql("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'"), "300");
}
